//! Python's `SimpleQueue` by hand: a pipe with a lock.
//!
//!     cargo run --example queue_nix

use nix::{sys::wait::wait, unistd::fork};
use std::io::{PipeReader, PipeWriter, pipe};
use std::io::{Read, Result, Write};

fn main() -> Result<()> {
    let (data, lock) = (pipe()?, pipe()?);
    let queue = Queue { data, lock };
    (&queue.lock.1).write_all(b"x")?;
    for byte in *b"ab" {
        // SAFETY: this program has one thread.
        if unsafe { fork() }?.is_child() {
            let value = [byte; 100_000]; // longer than the pipe
            let puts = (0..50).map(|_| put(&queue, &value));
            return puts.collect();
        }
    }
    let mut whole = 0;
    for _ in 0..100 {
        let value = get(&queue)?;
        whole += u32::from(value == [value[0]; 100_000]);
    }
    println!("{whole} of 100 values came whole");
    (0..2).try_for_each(|_| Ok(wait().map(drop)?))
}

// ANCHOR: queue
struct Queue {
    data: (PipeReader, PipeWriter),
    lock: (PipeReader, PipeWriter), // a byte in it: free
}

fn put(queue: &Queue, value: &[u8]) -> Result<()> {
    (&queue.lock.0).read_exact(&mut [0])?; // takes the byte
    (&queue.data.1).write_all(&value.len().to_le_bytes())?;
    (&queue.data.1).write_all(value)?;
    (&queue.lock.1).write_all(b"x") // gives it back
}

fn get(queue: &Queue) -> Result<Vec<u8>> {
    let mut length = [0; 8];
    (&queue.data.0).read_exact(&mut length)?;
    let mut value = vec![0; usize::from_le_bytes(length)];
    (&queue.data.0).read_exact(&mut value)?;
    Ok(value)
}
// ANCHOR_END: queue
