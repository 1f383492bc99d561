//! Five messages and "finish" go through a pipe to a child.
//!
//!     cargo run --example pipe

use multiprocessing::{Process, Receiver, pipe_one_way};
use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    multiprocessing::init();
    let (receiver, sender) = pipe_one_way()?;
    let child = Process::spawn(receive, receiver)?;
    for number in 0..5 {
        sender.send(format!("msg {number}"))?;
    }
    sender.send("finish".to_string())?;
    child.join()?;
    Ok(())
}

fn receive(receiver: Receiver<String>) {
    loop {
        let message = receiver.recv().expect("a message");
        println!("Child process received msg: {message}");
        if message == "finish" {
            break;
        }
    }
}
