//! A forked child has a copy of every end that its parent has.
//! It closes the one that it does not use.
//!
//!     cargo run --example pipe_fork

use multiprocessing::{Process, pipe_one_way};
use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    let (receiver, sender) = pipe_one_way()?;
    let mut sender = Some(sender);
    let count = || {
        sender.take(); // the child's copy, not the parent's
        receiver.iter().filter(Result::is_ok).count()
    };
    // SAFETY: this program has one thread.
    let child = unsafe { Process::fork(count) }?;
    let sender = sender.ok_or("only the child took it")?;
    for text in ["one", "two", "three"] {
        sender.send(text.to_string())?;
    }
    drop(sender); // the last one
    println!("The child counted {}.", child.join()?);
    Ok(())
}
