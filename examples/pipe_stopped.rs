//! The sender is stopped in the middle of a long message, and
//! try_recv waits for the rest of it.
//!
//!     cargo run --example pipe_stopped

use multiprocessing::{Process, pipe_one_way};
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, waitpid};
use nix::unistd::Pid;
use std::error::Error;
use std::time::Duration;

fn main() -> Result<(), Box<dyn Error>> {
    let (receiver, sender) = pipe_one_way::<String>()?;
    let long = "x".repeat(1_000_000);
    let send = || sender.send(long).is_ok();
    // SAFETY: this program has one thread.
    let sending = unsafe { Process::fork(send) }?;
    let ready = receiver.poll(Duration::MAX)?;
    let pid = Pid::from_raw(sending.pid() as i32);
    kill(pid, Signal::SIGSTOP)?; // as Ctrl-Z does
    waitpid(pid, Some(WaitPidFlag::WUNTRACED))?;
    println!("poll: {ready}");

    let receive = || receiver.try_recv().is_ok();
    // SAFETY: this program has one thread.
    let receiving = unsafe { Process::fork(receive) }?;
    let limit = Duration::from_millis(300);
    let ended = receiving.wait_timeout(limit);
    println!("try_recv has returned: {ended}");
    kill(pid, Signal::SIGCONT)?;
    println!("try_recv, after SIGCONT: {}", receiving.join()?);
    sending.join()?;
    Ok(())
}
