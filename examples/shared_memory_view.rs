//! A copy of an array, and a view of it.
//!
//!     cargo run --example shared_memory_view

use multiprocessing::{Array, Error};

fn main() -> Result<(), Error> {
    let numbers = Array::from_slice(&[1, 2, 3, 4])?;
    let mut copy = numbers.lock()?.to_vec();
    copy[0] = 100;
    let mut view = numbers.lock()?;
    println!("After a change of the copy: {view:?}");
    view[0] = 100;
    println!("After a change of the view: {view:?}");
    Ok(())
}
