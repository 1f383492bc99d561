//! A process has an id, and a parent with an id.
//!
//!     cargo run --example processes

use multiprocessing::{Error, Process};
use std::os::unix::process::parent_id;
use std::process::id;

fn main() -> Result<(), Error> {
    multiprocessing::init();
    tell("Parent".to_string());
    let p = Process::spawn(tell, "Child".to_string())?;
    p.join()
}

fn tell(name: String) {
    println!("{name}: process id {}", id());
    println!("{name}: its parent has id {}", parent_id());
}
