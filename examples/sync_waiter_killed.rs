//! A process is killed while it waits. Does the one that would
//! wake it go on?
//!
//!     cargo run --example sync_waiter_killed

use multiprocessing::{Barrier, Condition, Error, Event, Lock};
use multiprocessing::{Process, pipe_one_way};
use std::{fs, time::Duration};

type Done = Result<(), Error>;

fn main() -> Done {
    let event = Event::new()?;
    show("Event.set", &|| event.wait(), &|| event.set())?;
    let (lock, condition) = (Lock::new()?, Condition::new()?);
    let wait =
        || drop(lock.acquire().map(|l| condition.wait(l)));
    let notify = || {
        let _held = lock.acquire();
        condition.notify_all();
    };
    show("Condition.notify_all", &wait, &notify)?;
    let barrier = Barrier::new(2)?;
    let wait = || drop(barrier.wait());
    show("Barrier.wait", &wait, &wait)
}

fn show(name: &str, wait: &dyn Fn(), wake: &dyn Fn()) -> Done {
    let (receiver, ready) = pipe_one_way()?;
    let wait = || ready.send(()).map(|()| wait()).is_ok();
    // SAFETY: this program has one thread.
    let waiter = unsafe { Process::fork(wait) }?;
    receiver.recv()?;
    while !is_asleep(waiter.pid()) {}
    waiter.kill()?;
    waiter.wait();
    // SAFETY: as above.
    let waker = unsafe { Process::fork(wake) }?;
    let ended = waker.wait_timeout(Duration::from_secs(10));
    let ended = if ended { "goes on" } else { "hangs" };
    println!("{name} {ended}");
    waker.kill()
}

fn is_asleep(pid: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"));
    stat.is_ok_and(|stat| stat.split(' ').nth(2) == Some("S"))
}
