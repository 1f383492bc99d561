//! What `close` does to one that waits, to one that puts
//! afterwards, and to what is in the queue.
//!
//!     cargo run --example queue_close

use multiprocessing::{Error, Process, Queue};
use std::fs;

fn main() -> Result<(), Error> {
    let queue = Queue::new(10)?;
    let consume = || print_all("Child", &queue);
    // SAFETY: this program has one thread.
    let child = unsafe { Process::fork(consume) }?;
    while !is_asleep(child.pid()) {}
    println!("Parent: the child waits");
    queue.close();
    child.join()??;

    // ANCHOR: afterwards
    let queue = Queue::new(10)?;
    queue.put("a".to_string())?;
    queue.put("b".to_string())?;
    queue.close();
    if let Err(failed) = queue.put("c".to_string()) {
        println!("{:#?}: {}", failed.error, failed.value);
    }
    print_all("Parent", &queue)
    // ANCHOR_END: afterwards
}

fn print_all(
    who: &str,
    queue: &Queue<String>,
) -> Result<(), Error> {
    for text in queue.iter() {
        println!("{who}: got {}", text?);
    }
    println!("{who}: the loop has ended");
    Ok(())
}

fn is_asleep(pid: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"));
    stat.is_ok_and(|stat| stat.split(' ').nth(2) == Some("S"))
}
