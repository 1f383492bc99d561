//! A parent that does not wait: the child goes on alone.
//!
//!     cargo run --example process_unjoined

use multiprocessing::{Error, Process, parent_process};

fn main() -> Result<(), Error> {
    multiprocessing::init();
    let _p = Process::spawn(child, ())?;
    println!("Parent: ends without a join");
    Ok(())
}

fn child(_: ()) {
    if let Some(parent) = parent_process() {
        parent.wait();
    }
    println!("Child: its parent has ended");
}
