//! The hang at `join`: nobody reads what the child writes.
//!
//!     cargo run --example process_hang

use multiprocessing::Process;
use std::error::Error;
use std::io::{self, Read};
use std::time::Duration;

fn main() -> Result<(), Box<dyn Error>> {
    multiprocessing::init();
    let (mut reader, writer) = io::pipe()?;
    let builder = Process::builder().stdout(writer);
    let p = builder.spawn(work, ())?;
    let ended = p.wait_timeout(Duration::from_millis(500));
    println!("Before the reading: ended {ended}");
    let mut text = String::new();
    reader.read_to_string(&mut text)?;
    println!("Read {} letters", text.len());
    p.wait();
    let ended = !p.is_alive();
    println!("After the reading: ended {ended}");
    p.join()?;
    Ok(())
}

fn work(_: ()) {
    print!("{}", "x".repeat(1_000_000));
}
