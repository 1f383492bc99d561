//! A small process that removes the names which a killed program has left: what Python
//! calls its resource tracker.
//!
//! It runs while this program has names of its own. The program tells it of each name
//! through a pipe *before* the name exists, and of its removal *after* it is gone. The
//! tracker waits for the pipe and for the program's pidfd. When the program has ended, however
//! it ended, the tracker reads what is left in the pipe and removes the names that it knows.
//!
//! So a kill of the program between any two steps leaves at most a name that the tracker knows
//! and that does not exist, or means another file by now; a [`Name`] knows its file, and
//! removes no other. If the tracker is killed, the next registration starts another one,
//! which is told of all names again.

use super::name::Name;
use crate::descriptor::Descriptor;
use crate::error::Trying;
use crate::pipe::{Channel, Receiver, Sender, pipe_one_way};
use crate::spawn::{self, Options};
use crate::sys::deadline::deadline;
use crate::wait::wait_until;
use crate::{Error, sys, wait};
use nix::sys::signal::Signal;
use nix::unistd::{Pid, getpid};
use serde::{Deserialize, Serialize};
use std::os::fd::{AsFd, OwnedFd};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

static TRACKER: Mutex<Option<Tracker>> = Mutex::new(None);

/// The program's side of the tracker.
struct Tracker {
    /// The process that started it: a forked child has a copy of this, and leaves it alone.
    owner: Pid,
    pidfd: OwnedFd,
    notices: Sender<Notice>,
    /// All names that it was told of, for its successor.
    names: Vec<Name>,
    /// When the last registration is gone, it ends.
    registrations: usize,
    _answer: Channel,
}

#[derive(Serialize, Deserialize)]
enum Notice {
    Register(Name),
    Unregister(Name),
    /// There are no names left.
    End,
}

/// Keeps the tracker running for one name.
#[derive(Debug)]
pub struct Registration {
    /// A forked child has a copy of this, too.
    owner: Pid,
    name: Option<Name>,
}

impl Registration {
    /// Starts the tracker if it does not run. [`Error::NotInitialised`] or
    /// [`Error::Unsupported`] if the program cannot start processes.
    pub fn reserve() -> Result<Self, Error> {
        let mut tracker = lock();
        match tracker.as_mut().filter(|tracker| tracker.owner == getpid()) {
            Some(running) => running.keep_running()?,
            None => *tracker = Some(Tracker::start(1, Vec::new())?),
        }
        Ok(Self { owner: getpid(), name: None })
    }

    /// From now on, the name is removed if this program is killed.
    pub fn register(&mut self, name: Name) {
        if let Some(tracker) = lock().as_mut() {
            tracker.names.push(name.clone());
            tracker.tell(Notice::Register(name.clone()));
        }
        self.name = Some(name);
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        if self.owner != getpid() {
            return;
        }
        if let Some(unused) = unregister(self.name.take()) {
            unused.end();
        }
    }
}

/// Returns the tracker if this was its last registration.
fn unregister(name: Option<Name>) -> Option<Tracker> {
    let mut tracker = lock();
    let running = tracker.as_mut()?;
    if let Some(name) = name {
        remove(&mut running.names, &name);
        running.tell(Notice::Unregister(name));
    }
    running.registrations -= 1;
    if running.registrations == 0 { tracker.take() } else { None }
}

fn lock() -> MutexGuard<'static, Option<Tracker>> {
    TRACKER.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Removes it once: the same name may have been registered again.
fn remove(names: &mut Vec<Name>, name: &Name) {
    names.iter().position(|known| known == name).map(|n| names.swap_remove(n));
}

impl Tracker {
    fn start(registrations: usize, names: Vec<Name>) -> Result<Self, Error> {
        let (receiver, notices) = pipe_one_way()?;
        // What ends the program's group, or all processes of its name, leaves work for it.
        let blocked = &[Signal::SIGINT, Signal::SIGQUIT, Signal::SIGTERM, Signal::SIGHUP];
        let name = "tracker".to_string();
        let options = Options { name, blocked, own_session: true, ..Options::default() };
        let arguments = (receiver, spawn::this_process()?);
        let (pid, answer) = spawn::start(track, &arguments, &options)?;
        let pidfd = sys::pidfd_open(pid).trying_to("open the tracker of names")?;
        let tracker =
            Self { owner: getpid(), pidfd, notices, names, registrations, _answer: answer };
        tracker.names.iter().for_each(|name| tracker.tell(Notice::Register(name.clone())));
        Ok(tracker)
    }

    /// Adds a registration. A tracker that was killed gets a successor.
    fn keep_running(&mut self) -> Result<(), Error> {
        if wait_until(&self.pidfd, deadline(Duration::ZERO)) {
            self.reap();
            *self = Self::start(self.registrations, self.names.clone())?;
        }
        self.registrations += 1;
        Ok(())
    }

    /// A tracker that was killed hears nothing, until it has a successor.
    fn tell(&self, notice: Notice) {
        let _ = self.notices.send(notice);
    }

    fn end(self) {
        self.tell(Notice::End);
        if wait_until(&self.pidfd, deadline(MOMENT)) {
            self.reap();
        }
    }

    /// To be called when it has ended.
    fn reap(&self) {
        let _ = sys::wait_for_end(self.pidfd.as_fd());
    }
}

/// It ends sooner, unless a signal has stopped it.
const MOMENT: Duration = Duration::from_secs(1);

/// What the process does.
fn track((notices, program): (Receiver<Notice>, Descriptor)) {
    let mut names = Vec::new();
    loop {
        let ready = wait(&[notices.as_fd(), program.as_fd()], None).unwrap_or_default();
        loop {
            match notices.try_recv() {
                Ok(Some(Notice::Register(name))) => names.push(name),
                Ok(Some(Notice::Unregister(name))) => remove(&mut names, &name),
                Ok(Some(Notice::End)) => return,
                Ok(None) if !ready.contains(&1) => break, // the program goes on
                _ => return names.iter().for_each(|name| name.unlink().unwrap_or_default()),
            }
        }
    }
}
