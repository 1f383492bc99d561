//! The sender is killed in the middle of a message, and what
//! is sent after it arrives.
//!
//!     cargo run --example pipe_killed

use multiprocessing::{Process, pipe_one_way};
use std::error::Error;
use std::time::Duration;

fn main() -> Result<(), Box<dyn Error>> {
    let (receiver, sender) = pipe_one_way::<String>()?;
    let long = "x".repeat(10_000_000);
    // SAFETY: this program has one thread. It forks, so that
    // two processes hold one end.
    let child =
        unsafe { Process::fork(|| sender.send(long).is_ok()) }?;
    // Begun, and not more, as nobody reads on.
    receiver.poll(Duration::MAX)?;
    child.kill()?;
    println!("{}", child.join().expect_err("it was killed"));
    sender.send("the next message".to_string())?;
    drop(sender);
    for received in receiver.iter() {
        match received {
            Ok(text) => println!("received: {text}"),
            Err(_) => println!("an error, and no text"),
        }
    }
    Ok(())
}
