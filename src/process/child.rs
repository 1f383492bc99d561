//! A process from outside: whether it has ended, and how.

use crate::error::Trying;
use crate::pipe::Channel;
use crate::wait::wait_until;
use crate::{Error, sys};
use nix::errno::Errno;
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{Id, waitpid};
use nix::unistd::Pid;
use serde::{Deserialize, Serialize};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Instant;

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum End {
    /// With this exit status, 0 to 255.
    Exited(i32),
    /// By the signal of this number.
    Killed(i32),
    /// Another part of the program has reaped it, or the fork server was killed.
    Unknown,
}

impl End {
    /// The error of a child that gave no answer.
    pub fn into_error(self) -> Error {
        match self {
            Self::Exited(status) => Error::Exited { status },
            Self::Killed(signal) => Error::Killed { signal },
            Self::Unknown => Error::EndUnknown,
        }
    }
}

#[derive(Debug)]
pub struct Child {
    pub pid: Pid,
    /// Readable when the process has ended. Unlike a pid, it never comes to mean
    /// another process.
    pidfd: Arc<OwnedFd>,
    /// The fork server, which is the parent and reports the end; `None` if this process
    /// is the parent.
    server: Option<Channel>,
    /// Set once it is known. If this process is the parent, the child is reaped then.
    end: Mutex<Option<End>>,
}

impl Child {
    /// A child of this process. If there is no descriptor left for it, it is killed
    /// and reaped: it would be out of control.
    pub fn new(pid: Pid) -> Result<Self, Error> {
        reap_dropped();
        let (pidfd, end) = match sys::pidfd_open(pid) {
            Ok(pidfd) if sys::is_unreaped_child(Id::PIDFd(pidfd.as_fd())) => (pidfd, None),
            Err(error) if error.raw_os_error() != Some(libc::ESRCH) => {
                kill_and_reap(pid);
                return Err(error).trying_to("open the child that was started");
            }
            // It has ended and is reaped, as the program ignores SIGCHLD; another process
            // may have its number.
            _ => (always_readable()?, Some(End::Unknown)),
        };
        Ok(Self { pid, pidfd: Arc::new(pidfd), server: None, end: Mutex::new(end) })
    }

    /// A child of the fork server, which reports its end.
    pub fn from_server(pid: Pid, pidfd: OwnedFd, reports: Channel) -> Self {
        Self { pid, pidfd: Arc::new(pidfd), server: Some(reports), end: Mutex::new(None) }
    }

    pub fn pidfd(&self) -> &OwnedFd {
        &self.pidfd
    }

    /// Whether it ends before that moment. Nobody is asked how.
    pub fn wait_until(&self, deadline: Option<Instant>) -> bool {
        wait_until(self.pidfd.as_fd(), deadline)
    }

    /// Whether it has ended. A child of this process is reaped then.
    pub fn has_ended(&self) -> bool {
        match self.server {
            None => self.end().is_some(),
            Some(_) => self.wait_until(Some(Instant::now())),
        }
    }

    // ANCHOR: end
    /// How it ended, if it has.
    pub fn end(&self) -> Option<End> {
        if !self.wait_until(Some(Instant::now())) {
            return None;
        }
        let mut end = self.end.lock().unwrap_or_else(PoisonError::into_inner);
        Some(*end.get_or_insert_with(|| match &self.server {
            None => reap(self.pidfd()),
            Some(reports) => {
                reports.receive().and_then(|report| report.take_last()).unwrap_or(End::Unknown)
            }
        }))
    }
    // ANCHOR_END: end

    /// A process that has ended needs no signal.
    pub fn signal(&self, number: i32) -> Result<(), Error> {
        if !(0..=libc::SIGRTMAX()).contains(&number) {
            return Err(Error::refused(format!("send signal {number}"), libc::EINVAL));
        }
        match sys::pidfd_send_signal(self.pidfd.as_fd(), number) {
            Err(error) if error.raw_os_error() == Some(libc::ESRCH) || self.is_known() => Ok(()),
            sent => sent.trying_to("send a signal to the child"),
        }
    }

    fn is_known(&self) -> bool {
        self.end.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }
}

/// For a process that has ended before there was a pidfd: a pipe at its end.
fn always_readable() -> Result<OwnedFd, Error> {
    let (reader, _) = io::pipe().trying_to("make a descriptor for a child that has ended")?;
    Ok(reader.into())
}

/// Ends a child of this process that there is no descriptor for. A number that is not, or
/// no longer, that of a child may be another process's.
pub fn kill_and_reap(pid: Pid) {
    if sys::is_unreaped_child(Id::Pid(pid)) {
        let _ = kill(pid, Signal::SIGKILL);
        while waitpid(pid, None) == Err(Errno::EINTR) {}
    }
}

/// Waits for a child of this process, and reaps it.
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
static DROPPED: Mutex<Vec<Arc<OwnedFd>>> = Mutex::new(Vec::new());

/// Reaps those that have ended by now.
fn reap_dropped() {
    DROPPED.lock().unwrap_or_else(PoisonError::into_inner).retain(|pidfd| {
        let has_ended = wait_until(pidfd.as_fd(), Some(Instant::now()));
        if has_ended {
            reap(pidfd);
        }
        !has_ended
    });
}

impl Drop for Child {
    /// Leaves no zombie: a child that still runs is reaped by a thread.
    fn drop(&mut self) {
        if self.server.is_some() || self.has_ended() {
            return;
        }
        let pidfd = Arc::clone(&self.pidfd);
        let reaper = thread::Builder::new().name("reaps a child".to_string());
        if reaper.stack_size(64 * 1024).spawn(move || reap(&pidfd)).is_err() {
            let mut dropped = DROPPED.lock().unwrap_or_else(PoisonError::into_inner);
            dropped.push(Arc::clone(&self.pidfd));
        }
    }
}
