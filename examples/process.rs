//! Start a process, do something else, wait for it.
//!
//!     cargo run --example process
//!
//! Expect: lines 1-2 in any order

use multiprocessing::{Error, Process};

fn main() -> Result<(), Error> {
    multiprocessing::init();
    let p = Process::spawn(work, ("p1".to_string(), 12))?;
    println!("Started process {}", p.pid());
    p.join()?;
    println!("Main process end");
    Ok(())
}

fn work((name, number): (String, u64)) {
    let square = number * number;
    let pid = std::process::id();
    println!("{name} in process {pid}: {square}");
}
