//! What a child inherits by fork, and what exec leaves of it.
//!
//!     cargo run --example fork_inherit

use nix::fcntl::{FcntlArg::*, fcntl};
use nix::sys::signal::{SigHandler, SigSet, Signal::*, signal};
use nix::sys::wait::wait;
use nix::unistd::{execv, fork};
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
    unsafe { signal(SIGTERM, SigHandler::Handler(nothing)) }?;
    // SAFETY: this program has one thread.
    if unsafe { fork() }?.is_child() {
        show("Forked child")?;
        let program = c"/proc/self/exe";
        execv(program, &[program, c"new"])?;
    }
    wait()?;
    Ok(())
}

extern "C" fn nothing(_: i32) {}

fn show(who: &str) -> io::Result<()> {
    println!("{who}: pid {}", id());
    println!("  NUMBER is {:?}", NUMBER.get());
    println!("  folder is {}", env::current_dir()?.display());
    let open = |n| fs::exists(format!("/proc/self/fd/{n}"));
    println!("  descriptor 100 is open: {}", open(100)?);
    println!("  descriptor 101 is open: {}", open(101)?);
    let mask = SigSet::thread_get_mask()?;
    println!("  SIGHUP is blocked: {}", mask.contains(SIGHUP));
    // SAFETY: this sets no handler.
    let old = unsafe { signal(SIGTERM, SigHandler::SigDfl) }?;
    let handled = !matches!(old, SigHandler::SigDfl);
    println!("  SIGTERM has a handler: {handled}");
    Ok(())
}
