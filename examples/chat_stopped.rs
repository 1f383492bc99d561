//! The process of one member is stopped. `send` would wait for
//! it; `try_send` gives the line back, which can wait.
//!
//!     cargo run --example chat_stopped

use multiprocessing::{
    Error, Process, Receiver, Sender, pipe_one_way, wait,
};
use std::collections::VecDeque;

fn main() -> Result<(), Error> {
    multiprocessing::init();
    let (receiver, ann) = pipe_one_way()?;
    let ann_reads = Process::spawn(read, receiver)?;
    let (receiver, bob) = pipe_one_way()?;
    let bob_reads = Process::spawn(read, receiver)?;

    ann_reads.signal(libc::SIGSTOP)?;
    let mut backlog = VecDeque::new();
    for line in 0..1000 {
        backlog.push_back(line);
        send_some(&ann, &mut backlog);
        bob.send(line)?;
    }
    bob.close();
    println!("Bob has read all: {}", bob_reads.join()?);
    println!("Ann's lines wait: {}", !backlog.is_empty());

    ann_reads.signal(libc::SIGCONT)?;
    while !backlog.is_empty() {
        wait(&[ann.writable()?], None)?; // until there is room
        send_some(&ann, &mut backlog);
    }
    ann.close();
    println!("Ann has read all: {}", ann_reads.join()?);
    Ok(())
}

fn send_some(to: &Sender<u32>, lines: &mut VecDeque<u32>) {
    while let Some(line) = lines.pop_front() {
        if let Err(full) = to.try_send(line) {
            return lines.push_front(full.value);
        }
    }
}

fn read(lines: Receiver<u32>) -> bool {
    lines.iter().flatten().eq(0..1000)
}
