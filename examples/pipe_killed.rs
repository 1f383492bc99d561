//! A sender is killed in the middle of a message. The message
//! that another one sends after it arrives.
//!
//!     cargo run --example pipe_killed

use multiprocessing::{Error, Process, pipe_one_way};
use std::time::Duration;

fn main() -> Result<(), Error> {
    let (receiver, sender) = pipe_one_way::<String>()?;
    let long = "x".repeat(10_000_000);
    // SAFETY: this program has one thread.
    let child =
        unsafe { Process::fork(|| sender.send(long).is_ok()) }?;
    // The message has begun. It cannot end: nobody reads it.
    receiver.poll(Duration::MAX)?;
    child.kill()?;
    child.wait();
    sender.send("the next message".to_string())?;
    drop(sender);
    for received in receiver.iter() {
        match received {
            Ok(text) => println!("received: {text}"),
            Err(Error::Unfinished { .. }) => {
                println!("unfinished")
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
