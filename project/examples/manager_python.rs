//! A Python program works on a dictionary of a manager.
//!
//!     cargo run --example manager_python
//!
//! Expect: needs python3

use multiprocessing::{Client, DictProxy, Key};
use multiprocessing::{Listener, Manager};
use std::error::Error;
use std::process::Command;
use std::time::Duration;

const CLIENT: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/examples/manager_python_client.py"
);

// ANCHOR: serve
fn main() -> Result<(), Box<dyn Error>> {
    multiprocessing::init();
    let manager = Manager::start()?;
    let scores = manager.dict()?;
    scores.insert("Sam".to_string(), 10)?;

    let key = Key::from("a secret of both").allow_md5(true);
    let listener = Listener::bind("127.0.0.1:0", key)?;
    let address = listener.local_addr().to_string();
    let mut python = Command::new("python3");
    let mut python = python.args([CLIENT, &address]).spawn()?;
    let time = Duration::from_secs(10);
    serve(&listener.accept_timeout(time)?, &scores)?;
    python.wait()?;
    println!("Rust: {:?}", scores.to_vec()?);
    Ok(())
}

fn serve(
    client: &Client<[u8], [u8]>,
    scores: &DictProxy<String, u32>,
) -> Result<(), Box<dyn Error>> {
    while let Ok(request) = client.recv_bytes() {
        let answer = match serde_json::from_slice(&request)? {
            (name, Some(n)) => scores.insert(name, n)?,
            (name, None) => scores.get(&name)?,
        };
        client.send_bytes(&serde_json::to_vec(&answer)?)?;
    }
    Ok(())
}
// ANCHOR_END: serve
