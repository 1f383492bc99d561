//! A forked child has a copy of every end that its parent had.
//! Each of the two closes the end that it does not use.
//!
//!     cargo run --example pipe_fork

use multiprocessing::{Process, pipe_one_way};
use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    let (receiver, sender) = pipe_one_way::<String>()?;
    let mut sender = Some(sender);
    let copy = &mut sender;
    let count = move || {
        copy.take(); // closes the child's copy of the sender
        receiver.iter().filter(Result::is_ok).count()
    };
    // SAFETY: this program has one thread.
    let child = unsafe { Process::fork(count) }?;
    // The closure is gone here, and the receiver with it.
    let sender = sender.ok_or("only the child took it")?;
    for text in ["one", "two", "three"] {
        sender.send(text.to_string())?;
    }
    drop(sender); // the last one
    println!("The child counted {}.", child.join()?);
    Ok(())
}
