//! Four processes write records into one pipe. Which sizes
//! arrive whole?
//!
//!     cargo run --example pipe_torn

use nix::sys::wait::wait;
use nix::unistd::{ForkResult, fork};
use std::error::Error;
use std::io::{
    self, PipeReader, PipeWriter, Read, Write, pipe,
};

const WRITERS: usize = 4;
const RECORDS: usize = 1000;

fn main() -> Result<(), Box<dyn Error>> {
    for size in [4096, 5000, 8192, 12_288, 65_536] {
        let (reader, writer) = pipe()?;
        for letter in *b"abcd" {
            let record = vec![letter; size];
            // SAFETY: this program has one thread.
            if let ForkResult::Child = unsafe { fork() }? {
                write(&writer, &record)?;
                std::process::exit(0);
            }
        }
        drop(writer);
        let torn = count_torn(reader, size)?;
        (0..WRITERS).try_for_each(|_| wait().map(drop))?;
        let verdict = if torn > 0 { "torn" } else { "whole" };
        println!("records of {size:6} bytes: {verdict}");
    }
    Ok(())
}

fn write(
    mut pipe: &PipeWriter,
    record: &[u8],
) -> io::Result<()> {
    (0..RECORDS).try_for_each(|_| pipe.write_all(record))
}

/// How many records do not hold one letter only.
fn count_torn(
    mut pipe: PipeReader,
    size: usize,
) -> io::Result<usize> {
    let mut record = vec![0; size];
    let mut torn = 0;
    for _ in 0..WRITERS * RECORDS {
        pipe.read_exact(&mut record)?;
        let first = record[0];
        torn += usize::from(record.iter().any(|b| *b != first));
    }
    Ok(torn)
}
