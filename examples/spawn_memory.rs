//! A forked child has what the parent had in its memory; a
//! spawned child has what a new program has.
//!
//!     cargo run --example spawn_memory

use multiprocessing::Process;
use nix::sys::wait::waitpid;
use nix::unistd::{ForkResult, fork};
use std::error::Error;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

static COUNTER: AtomicU32 = AtomicU32::new(0);

fn main() -> Result<(), Box<dyn Error>> {
    multiprocessing::init();
    COUNTER.store(5, Relaxed);
    // SAFETY: this program has one thread.
    match unsafe { fork() }? {
        ForkResult::Child => show("fork".to_string()),
        ForkResult::Parent { child } => {
            waitpid(child, None)?;
            let child =
                Process::spawn(show, "spawn".to_string());
            child?.join()?;
        }
    }
    Ok(())
}

fn show(method: String) {
    println!("{method}: counter is {}", COUNTER.load(Relaxed));
}
