//! Four processes write records into one pipe. Which sizes
//! arrive whole?
//!
//!     cargo run --example pipe_torn

use nix::sys::wait::wait;
use nix::unistd::fork;
use std::io::{self, PipeReader, PipeWriter, pipe, prelude::*};

const WRITERS: usize = 4;
const RECORDS: usize = 1000;

fn main() -> io::Result<()> {
    for size in [4096, 5000, 8192, 12_288, 65_536] {
        let (reader, writer) = pipe()?;
        for letter in *b"abcd" {
            // SAFETY: this program has one thread.
            if unsafe { fork() }?.is_child() {
                return write(&writer, &vec![letter; size]);
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

fn write(mut to: &PipeWriter, text: &[u8]) -> io::Result<()> {
    (0..RECORDS).try_for_each(|_| to.write_all(text))
}

/// How many records hold more than one letter.
fn count_torn(
    mut pipe: PipeReader,
    size: usize,
) -> io::Result<u32> {
    let mut record = vec![0; size];
    let mut torn = 0;
    for _ in 0..WRITERS * RECORDS {
        pipe.read_exact(&mut record)?;
        let first = record[0];
        torn += u32::from(record.iter().any(|b| *b != first));
    }
    Ok(torn)
}
