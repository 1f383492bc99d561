//! A lock that another thread holds when the process forks
//! stays locked in the child: that thread is not there.
//!
//!     cargo run --example fork_threads

use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, alarm, fork};
use std::process::exit;
use std::sync::{Barrier, Mutex};
use std::thread;

static LOCK: Mutex<()> = Mutex::new(());

fn main() -> nix::Result<()> {
    println!("Forked before the thread: {}", child_locks()?);

    let [locked, done] = [Barrier::new(2), Barrier::new(2)];
    thread::scope(|scope| {
        scope.spawn(|| {
            let _guard = LOCK.lock();
            locked.wait();
            done.wait();
        });
        locked.wait(); // the thread holds the lock
        let end = child_locks();
        done.wait();
        println!("Forked while it held the lock: {}", end?);
        Ok(())
    })
}

/// How a child ends that takes the lock.
fn child_locks() -> nix::Result<String> {
    // SAFETY: not safe, and that is what is shown here.
    match unsafe { fork() }? {
        ForkResult::Child => {
            alarm::set(1); // SIGALRM ends it after 1 s
            let _guard = LOCK.lock();
            exit(0)
        }
        ForkResult::Parent { child } => {
            match waitpid(child, None)? {
                WaitStatus::Signaled(_, signal, _) => {
                    Ok(format!("killed by {signal}"))
                }
                _ => Ok("took the lock".to_string()),
            }
        }
    }
}
