//! A process from outside: whether it has ended, and how.

use crate::error::Trying;
use crate::pipe::Channel;
use crate::wait::wait_until;
use crate::{Error, sys};
use nix::errno::Errno;
use nix::sys::signal::Signal;
use nix::unistd::Pid;
use serde::{Deserialize, Serialize};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum End {
    /// With this exit status, 0 to 255.
    Exited(i32),
    /// By the signal of this number.
    Killed(i32),
    /// Somebody else has taken its end, or the fork server was killed.
    Unknown,
}

#[derive(Debug)]
pub struct Child {
    pub pid: Pid,
    /// Readable when the process has ended. Unlike a pid, it never comes to mean
    /// another process.
    pidfd: Arc<OwnedFd>,
    teller: Teller,
    /// Set once it is known; the process is reaped then.
    end: Mutex<Option<End>>,
}

/// Who tells how the process ended.
#[derive(Debug)]
enum Teller {
    /// The system, as this is the parent.
    System,
    /// The fork server, which is the parent.
    ForkServer(Channel),
}

impl Child {
    /// A child of this process. If there is no descriptor left for it, it is killed
    /// and reaped: it would be out of control.
    pub fn new(pid: Pid) -> Result<Self, Error> {
        reap_left();
        let (pidfd, end) = match sys::pidfd_open(pid) {
            Ok(pidfd) => (pidfd, None),
            // It has ended and is reaped: the program ignores SIGCHLD.
            Err(error) if error.raw_os_error() == Some(libc::ESRCH) => {
                (always_readable()?, Some(End::Unknown))
            }
            Err(error) => {
                kill_and_reap(pid);
                return Err(error).trying_to("open the child that was started");
            }
        };
        Ok(Self { pid, pidfd: Arc::new(pidfd), teller: Teller::System, end: Mutex::new(end) })
    }

    /// A child of the fork server, which tells its end through `news`.
    pub fn of_fork_server(pid: Pid, pidfd: OwnedFd, news: Channel) -> Self {
        let (pidfd, end) = (Arc::new(pidfd), Mutex::new(None));
        Self { pid, pidfd, teller: Teller::ForkServer(news), end }
    }

    pub fn pidfd(&self) -> &OwnedFd {
        &self.pidfd
    }

    /// How the process ended, if it has.
    pub fn end(&self) -> Option<End> {
        self.end_within(Some(Duration::ZERO))
    }

    // ANCHOR: end_within
    /// Waits until it has ended, or for that long.
    pub fn end_within(&self, timeout: Option<Duration>) -> Option<End> {
        // Not under the lock: others may ask meanwhile.
        if !wait_until(self.pidfd.as_fd(), timeout) {
            return None;
        }
        let mut end = self.end.lock().unwrap_or_else(PoisonError::into_inner);
        Some(*end.get_or_insert_with(|| self.ask()))
    }
    // ANCHOR_END: end_within

    /// The process has ended: asks how, and so reaps it.
    fn ask(&self) -> End {
        match &self.teller {
            Teller::System => reap(self.pidfd()),
            Teller::ForkServer(news) => match news.receive() {
                Ok(message) => message.take_last().unwrap_or(End::Unknown),
                _ => End::Unknown,
            },
        }
    }

    /// # Errors
    ///
    /// If the process has ended and its end was taken.
    pub fn signal(&self, signal: Signal) -> Result<(), Error> {
        match sys::pidfd_send_signal(self.pidfd.as_fd(), signal) {
            // The fork server has reaped it; here nobody has asked yet.
            Err(error) if error.raw_os_error() == Some(libc::ESRCH) && !self.is_known() => Ok(()),
            sent => sent.trying_to("send a signal to the child"),
        }
    }

    fn is_known(&self) -> bool {
        self.end.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }
}

/// In the place of the pidfd of a process that has ended: a pipe that has, too.
fn always_readable() -> Result<OwnedFd, Error> {
    let (reader, _) = io::pipe().trying_to("make a descriptor for a child that has ended")?;
    Ok(reader.into())
}

/// A child of this process that there is no descriptor for.
pub fn kill_and_reap(pid: Pid) {
    let _ = nix::sys::signal::kill(pid, Signal::SIGKILL);
    while nix::sys::wait::waitpid(pid, None) == Err(Errno::EINTR) {}
}

/// Waits for a child of this process, and takes its end.
pub fn reap(pidfd: &OwnedFd) -> End {
    loop {
        match sys::wait_for_end(pidfd.as_fd()) {
            Ok((libc::CLD_EXITED, status)) => return End::Exited(status),
            Ok((_, signal)) => return End::Killed(signal),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(_) => return End::Unknown,
        }
    }
}

/// Children that were dropped when the system had no thread left to wait for them.
static LEFT: Mutex<Vec<Arc<OwnedFd>>> = Mutex::new(Vec::new());

fn leave_for_later(pidfd: Arc<OwnedFd>) {
    LEFT.lock().unwrap_or_else(PoisonError::into_inner).push(pidfd);
}

/// Takes the ends of those that have ended by now.
fn reap_left() {
    let mut left = LEFT.lock().unwrap_or_else(PoisonError::into_inner);
    left.retain(|pidfd| {
        let has_ended = wait_until(pidfd.as_fd(), Some(Duration::ZERO));
        if has_ended {
            reap(pidfd);
        }
        !has_ended
    });
}

impl Drop for Child {
    /// Leaves no zombie: a child that still runs is reaped by a thread.
    fn drop(&mut self) {
        if self.end().is_some() || !matches!(self.teller, Teller::System) {
            return;
        }
        let pidfd = Arc::clone(&self.pidfd);
        let reaper = thread::Builder::new().name("reaps a child".to_string());
        if reaper.stack_size(64 * 1024).spawn(move || reap(&pidfd)).is_err() {
            leave_for_later(Arc::clone(&self.pidfd));
        }
    }
}
