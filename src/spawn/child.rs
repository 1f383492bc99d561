//! The child's side of a spawn.

use super::answer::{Answer, FAILURE_STATUS, wait_for_threads};
use super::mark;
use super::request::run_request;
use crate::error::Trying;
use crate::pipe::Channel;
use crate::wait::wait_until;
use crate::{Error, sys};
use nix::fcntl::{FcntlArg, FdFlag, OFlag, fcntl};
use nix::sys::socket::{getsockopt, sockopt::PeerCredentials};
use nix::unistd::{Pid, dup3_raw};
use std::os::fd::{AsFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::process::parent_id;
use std::process::exit;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Set by `init()`. Without that call, a child would run `main` again and start a child itself.
pub static INITIALISED: AtomicBool = AtomicBool::new(false);

/// Where a child finds its socket.
pub const SOCKET: RawFd = 3;

/// Makes this program able to start processes. Write it as the first line of `main`.
///
/// In the program that you start, it returns at once. In a child that
/// [`Process::spawn`](crate::Process::spawn) has started, it calls the child's function and never
/// returns. So the code below it in `main` runs once, and the code above it runs in every process.
///
/// Python's counterpart is `if __name__ == "__main__":`, which keeps a child that imports the file
/// from running it as a program.
///
/// A program with more rights than the user who started it (set-user-ID) never acts as a child:
/// there `init()` always returns, and starting a process is an error
/// ([`Error::Unsupported`](crate::Error::Unsupported)).
///
/// Call it before any thread is started: it changes the environment, which no other thread may
/// read meanwhile. `#[tokio::main]` starts threads before the first line of `main`, so write a
/// plain `main` that calls `init()` and then builds the runtime. A child that finds other threads
/// refuses to start, and the parent's `join` says so. If `main` is not yours, see
/// [`init_before_main!`](crate::init_before_main).
///
/// ```
/// use multiprocessing::{Error, Process};
///
/// fn main() -> Result<(), Error> {
///     multiprocessing::init();
///     let child = Process::spawn(greet, "world".to_string())?;
///     assert_eq!(child.join()?, "hello, world");
///     Ok(())
/// }
///
/// fn greet(name: String) -> String {
///     format!("hello, {name}")
/// }
/// ```
pub fn init() {
    INITIALISED.store(true, Ordering::Relaxed);
    if let Some(channel) = channel_to_parent() {
        exit(run(&channel));
    }
}

// ANCHOR: channel_to_parent
/// The socket, if `spawn` has started this process: it is marked, and the socket is connected to
/// the process that the mark names.
fn channel_to_parent() -> Option<Channel> {
    if sys::has_rights_of_its_own() {
        return None; // its starter must not tell it what to call
    }
    let parent = mark::parent()?;
    // SAFETY: it is borrowed for this function, before anything in it could close descriptor 3. If
    // 3 is not open, both calls return an error.
    let socket = unsafe { BorrowedFd::borrow_raw(SOCKET) };
    let peer = getsockopt(&socket, PeerCredentials).ok()?;
    if peer.pid() != parent as i32 || !is_child_of(parent) {
        return None;
    }
    // The programs that this process starts must not have the socket.
    fcntl(socket, FcntlArg::F_SETFD(FdFlag::FD_CLOEXEC)).ok()?;
    // SAFETY: `spawn` has put it here for this function, so nothing else owns it. It is taken once:
    // the mark is removed before any other code runs.
    Some(Channel::from(unsafe { OwnedFd::from_raw_fd(SOCKET) }))
}
// ANCHOR_END: channel_to_parent

/// If a child starts the program again above its `init()`, the copy has the mark and the socket,
/// but it is a child of the child. (A parent that has ended has no children, but may still be a
/// zombie. Its pidfd shows the end a moment after the child has another parent.)
fn is_child_of(parent: u32) -> bool {
    let soon = Instant::now() + Duration::from_secs(1);
    let has_ended = |parent: OwnedFd| wait_until(parent.as_fd(), Some(soon));
    let parent_has_ended = || sys::pidfd_open(Pid::from_raw(parent as i32)).map_or(true, has_ended);
    parent_id() == parent || parent_has_ended()
}

/// Does what the parent asks, and returns the exit status.
fn run(channel: &Channel) -> i32 {
    let request = match channel.receive() {
        Err(Error::Closed) => return FAILURE_STATUS, // the parent has gone
        request => request,
    };
    match check_threads() {
        // SAFETY: as the check says, this process has one thread.
        Ok(()) => unsafe { mark::remove() },
        Err(error) => return Answer::from_error(&error).post(channel),
    }
    run_request(request).post(channel)
}

fn check_threads() -> Result<(), Error> {
    match wait_for_threads().trying_to("count the threads")? {
        1 => Ok(()),
        threads => {
            let reason = format!(
                "init() found {threads} threads: call it before any thread is started (with tokio, write \
                 a plain main that calls init() and then builds the runtime)"
            );
            Err(Error::Failed { reason })
        }
    }
}

/// Moves a channel to where a child has its socket, and closes the socket there.
///
/// # Safety
///
/// No code uses the owner of descriptor 3 again.
pub unsafe fn take_socket_over(channel: Channel) -> Result<Channel, Error> {
    // SAFETY: as the caller promises, so descriptor 3 may be closed and get a new owner.
    let socket = unsafe { dup3_raw(channel.as_fd(), SOCKET, OFlag::O_CLOEXEC) };
    Ok(Channel::from(socket.trying_to("take the socket over")?))
}
