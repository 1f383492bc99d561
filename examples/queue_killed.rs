//! A consumer is killed while it waits for a value, a producer
//! while it waits for room. Do the others go on?
//!
//!     cargo run --example queue_killed

use multiprocessing::{Error, Process, Queue, pipe_one_way};
use std::{fs, time::Duration};

// ANCHOR: main
fn main() -> Result<(), Error> {
    let queue = Queue::new(3)?;
    kill_asleep(&|| queue.get().is_ok())?;
    println!("The consumer is killed");
    kill_asleep(&|| (0..4).all(|n| queue.put(n).is_ok()))?;
    println!("The producer is killed");
    for _ in 0..3 {
        show(&queue)?;
    }
    queue.put(4)?;
    show(&queue)
}
// ANCHOR_END: main

fn kill_asleep(f: &dyn Fn() -> bool) -> Result<(), Error> {
    let (receiver, ready) = pipe_one_way()?;
    let f = || ready.send(()).is_ok() && f();
    // SAFETY: this program has one thread.
    let child = unsafe { Process::fork(f) }?;
    receiver.recv()?;
    while !is_asleep(child.pid()) {}
    child.kill()?;
    child.wait();
    Ok(())
}

fn is_asleep(pid: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"));
    stat.is_ok_and(|stat| stat.split(' ').nth(2) == Some("S"))
}

fn show(queue: &Queue<u32>) -> Result<(), Error> {
    let second = Duration::from_secs(1);
    println!("got {}", queue.get_timeout(second)?);
    Ok(())
}
