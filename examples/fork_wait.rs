//! What a parent learns of a child's end: an exit status of
//! 8 bits, or the signal that killed it.
//!
//!     cargo run --example fork_wait

use nix::sys::signal::{Signal, raise};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, fork};
use std::process::exit;

fn main() -> nix::Result<()> {
    tell("exit(7)", || exit(7))?;
    tell("exit(300)", || exit(300))?;
    tell("panic!()", || {
        // A panic that prints nothing.
        std::panic::resume_unwind(Box::new(()))
    })?;
    tell("SIGKILL", || raise(Signal::SIGKILL))?;
    tell("abort()", || std::process::abort())
}

fn tell<T>(
    what: &str,
    child_does: fn() -> T,
) -> nix::Result<()> {
    match wait_for(child_does)? {
        WaitStatus::Exited(_, status) => {
            println!("{what}: exit status {status}");
        }
        WaitStatus::Signaled(_, signal, _) => {
            println!("{what}: killed by {signal}");
        }
        other => println!("{what}: {other:?}"),
    }
    Ok(())
}

fn wait_for<T>(
    child_does: fn() -> T,
) -> nix::Result<WaitStatus> {
    // SAFETY: this program has one thread.
    match unsafe { fork() }? {
        ForkResult::Child => {
            child_does();
            exit(0)
        }
        ForkResult::Parent { child } => waitpid(child, None),
    }
}
