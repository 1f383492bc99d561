//! A lock cannot lie in a queue. Who learns that, and what
//! becomes of the value?
//!
//!     cargo run --example queue_unsendable

use multiprocessing::{Error, Lock, Queue};

/// A name, and perhaps a lock.
type Task = (String, Option<Lock>);

fn main() -> Result<(), Error> {
    let queue = Queue::<Task>::new(10)?;
    let lock = Some(Lock::new()?);
    if let Err(failed) = queue.put(("first".into(), lock)) {
        let (name, _lock) = failed.value; // it comes back
        println!("put of {name}: {}", failed.error);
    }
    queue.put(("second".into(), None))?;
    println!("got {}", queue.get()?.0);
    Ok(())
}
