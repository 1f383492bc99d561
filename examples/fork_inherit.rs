//! What a forked child inherits, and what is left of it when
//! the child executes another program.
//!
//!     cargo run --example fork_inherit

use nix::fcntl::{FcntlArg::*, fcntl};
use nix::sys::signal::{SigHandler::*, SigSet, Signal::*, signal};
use nix::sys::wait::waitpid;
use nix::unistd::{ForkResult, execv, fork};
use std::{env, fs, io, process::id, sync::OnceLock};

static NUMBER: OnceLock<u32> = OnceLock::new();

fn main() -> io::Result<()> {
    if env::args().len() > 1 {
        return show("New program");
    }
    NUMBER.get_or_init(|| 7);
    env::set_current_dir("/")?;
    fcntl(io::stderr(), F_DUPFD(100))?;
    fcntl(io::stderr(), F_DUPFD_CLOEXEC(101))?; // marked
    SigSet::from(SIGHUP).thread_block()?;
    // SAFETY: the handler does nothing.
    unsafe { signal(SIGTERM, Handler(nothing)) }?;
    // SAFETY: this program has one thread.
    match unsafe { fork() }? {
        ForkResult::Child => {
            show("Forked child")?;
            execv(c"/proc/self/exe", &[c"fork_inherit", c"new"])?;
        }
        ForkResult::Parent { child } => _ = waitpid(child, None)?,
    }
    Ok(())
}

extern "C" fn nothing(_: i32) {}

fn show(who: &str) -> io::Result<()> {
    println!("{who}: pid {}", id());
    println!("  NUMBER is {:?}", NUMBER.get());
    println!("  folder is {}", env::current_dir()?.display());
    let open = |n| fs::exists(format!("/proc/self/fd/{n}"));
    println!("  100 is open: {}, 101: {}", open(100)?, open(101)?);
    let mask = SigSet::thread_get_mask()?;
    println!("  SIGHUP is blocked: {}", mask.contains(SIGHUP));
    // SAFETY: this sets no handler.
    let old = unsafe { signal(SIGTERM, SigDfl) }?;
    println!("  SIGTERM has a handler: {}", !matches!(old, SigDfl));
    Ok(())
}
