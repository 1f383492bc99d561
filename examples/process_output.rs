//! What a child prints goes where its parent says.
//!
//!     cargo run --example process_output

use multiprocessing::Process;
use std::error::Error;
use std::io::{self, BufRead, BufReader};

fn main() -> Result<(), Box<dyn Error>> {
    multiprocessing::init();
    let (reader, writer) = io::pipe()?;
    let builder = Process::builder().stdout(writer);
    let p = builder.spawn(work, 2)?;
    for line in BufReader::new(reader).lines() {
        println!("The child printed: {}", line?);
    }
    p.join()?;
    Ok(())
}

fn work(lines: u32) {
    for line in 1..=lines {
        println!("line {line}");
    }
}
