//! A process as seen from outside: whether it has ended, and how.

use crate::error::Trying;
use crate::pipe::Channel;
use crate::wait::wait_until;
use crate::{Error, sys};
use nix::sys::wait::Id;
use nix::unistd::Pid;
use serde::{Deserialize, Serialize};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::{Arc, Mutex};
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
    /// Readable when the process has ended. Unlike a pid, it never means another process later.
    pidfd: Arc<OwnedFd>,
    /// The fork server, if that is the parent: it reports the end.
    server: Option<Channel>,
    /// Set once it is known. A child of this process has been reaped by then.
    end: Mutex<Option<End>>,
}

impl Child {
    /// A child of this process. If there is no descriptor left for it, nothing could control it, so
    /// it is killed and reaped.
    pub fn new(pid: Pid) -> Result<Self, Error> {
        reap_dropped();
        let (pidfd, end) = match sys::pidfd_open(pid) {
            Ok(pidfd) if sys::is_unreaped_child(Id::PIDFd(pidfd.as_fd())) => (pidfd, None),
            Err(error) if error.raw_os_error() != Some(libc::ESRCH) => {
                sys::kill_and_reap(pid);
                return Err(error).trying_to("open the child that was started");
            }
            // It has ended and was reaped, because the program ignores SIGCHLD. Another process may
            // have its pid now.
            _ => (always_readable()?, Some(End::Unknown)),
        };
        Ok(Self { pid, pidfd: Arc::new(pidfd), server: None, end: Mutex::new(end) })
    }

    /// A child of the fork server, which reports its end.
    pub fn from_server(pid: Pid, pidfd: OwnedFd, reports: Channel) -> Self {
        Self { pid, pidfd: Arc::new(pidfd), server: Some(reports), end: Mutex::new(None) }
    }

    pub fn as_fd(&self) -> BorrowedFd<'_> {
        self.pidfd.as_fd()
    }

    /// Whether it ends before that moment. This does not ask how.
    pub fn wait_until(&self, deadline: Option<Instant>) -> bool {
        wait_until(&self.pidfd, deadline)
    }

    /// Whether it has ended. If so, a child of this process is reaped.
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
        let mut end = sys::lock(&self.end);
        Some(*end.get_or_insert_with(|| match &self.server {
            None => reap(&self.pidfd),
            Some(reports) => {
                reports.receive().and_then(|report| report.take_last()).unwrap_or(End::Unknown)
            }
        }))
    }
    // ANCHOR_END: end

    /// Sends a signal. For a process that has ended, this does nothing.
    pub fn signal(&self, number: i32) -> Result<(), Error> {
        if !(0..=libc::SIGRTMAX()).contains(&number) {
            return Err(Error::refused(format!("send signal {number}"), libc::EINVAL));
        }
        let is_known = || sys::lock(&self.end).is_some();
        match sys::pidfd_send_signal(self.pidfd.as_fd(), number) {
            Err(error) if error.raw_os_error() == Some(libc::ESRCH) || is_known() => Ok(()),
            sent => sent.trying_to("send a signal to the child"),
        }
    }
}

/// A stand-in for the pidfd of a process that has ended: a pipe without a writer.
fn always_readable() -> Result<OwnedFd, Error> {
    let (reader, _) = io::pipe().trying_to("make a descriptor for a child that has ended")?;
    Ok(reader.into())
}

/// Waits for a child of this process and reaps it.
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

/// Children that were dropped while the system had no thread to wait for them.
static DROPPED: Mutex<Vec<Arc<OwnedFd>>> = Mutex::new(Vec::new());

/// Reaps those that have ended by now.
fn reap_dropped() {
    sys::lock(&DROPPED).retain(|pidfd| {
        let has_ended = wait_until(pidfd, Some(Instant::now()));
        if has_ended {
            reap(pidfd);
        }
        !has_ended
    });
}

impl Drop for Child {
    /// A thread reaps a child that is still running, so it never stays a zombie.
    fn drop(&mut self) {
        if self.server.is_some() || self.has_ended() {
            return;
        }
        let pidfd = Arc::clone(&self.pidfd);
        let reaper = thread::Builder::new().name("reaps a child".to_string());
        if reaper.stack_size(64 * 1024).spawn(move || reap(&pidfd)).is_err() {
            sys::lock(&DROPPED).push(Arc::clone(&self.pidfd));
        }
    }
}
