//! A chat server: a process for each client, and a router in
//! the parent that passes each line on to all.
//!
//!     cargo run --example chat_server
//!
//! Then, in other terminals: cargo run --example chat_client,
//! or nc localhost 7777. The first line is your name. It ends
//! with Ctrl-C. Another address: -- 0.0.0.0:7777
//!
//! Expect: for people

mod backlog;
mod door;
mod fault;
mod handler;
mod member;
mod room;
mod router;
mod text;

use door::Door;
use multiprocessing::Error;
use nix::errno::Errno;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use room::Room;
use router::Router;
use std::net::TcpListener;

fn main() -> Result<(), Error> {
    multiprocessing::init();
    let address = std::env::args().nth(1);
    let address =
        address.as_deref().unwrap_or("127.0.0.1:7777");
    let listener = TcpListener::bind(address)?;
    println!("listening on {}", listener.local_addr()?);
    let seats = seats().map_err(failed)?;
    let ctrl_c = ctrl_c().map_err(failed)?;
    let door = Door::new(listener, seats)?;
    let room = Room(Vec::new());
    Router { ctrl_c, door, room }.run()
}

// ANCHOR: seats
/// How many clients the descriptors of this process suffice
/// for: five for each, and some for the rest.
fn seats() -> nix::Result<usize> {
    let files = Resource::RLIMIT_NOFILE;
    let (_, most) = getrlimit(files)?;
    let most = most.min(100_000);
    setrlimit(files, most, most)?;
    Ok(most.saturating_sub(30) as usize / 5)
}
// ANCHOR_END: seats

/// Ctrl-C, kill(1) and a terminal that is closed become
/// something to wait for.
fn ctrl_c() -> nix::Result<SignalFd> {
    let signals =
        [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP];
    let set: SigSet = signals.into_iter().collect();
    set.thread_block()?;
    SignalFd::with_flags(&set, SfdFlags::SFD_CLOEXEC)
}

fn failed(error: Errno) -> Error {
    std::io::Error::from(error).into()
}
