#![deny(unused_must_use)]
use multiprocessing::{Error, Process};

fn main() -> Result<(), Error> {
    multiprocessing::init();
    Process::spawn(|n: i32| println!("{n}"), 1)?;
    Ok(())
}
