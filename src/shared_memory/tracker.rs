//! A small process that removes the names which a killed program has left: what
//! Python calls its resource tracker.
//!
//! It runs while this program has names. It learns of each through a pipe before the
//! name is there, and of the program's end, however that came, by a pidfd.

use super::name::Name;
use crate::descriptor::Descriptor;
use crate::error::Trying;
use crate::pipe::{Channel, Receiver, Sender, pipe_one_way};
use crate::spawn::{self, Options};
use crate::wait::wait_until;
use crate::{Error, sys, wait};
use nix::sys::signal::{SigSet, Signal};
use nix::unistd::{Pid, getpid};
use serde::{Deserialize, Serialize};
use std::os::fd::{AsFd, OwnedFd};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

static TRACKER: Mutex<Option<Tracker>> = Mutex::new(None);

struct Tracker {
    /// The process that started it: a forked child has a copy of this, and leaves it.
    owner: Pid,
    pidfd: OwnedFd,
    changes: Sender<Change>,
    /// What it was told of, for another one if this one is killed.
    names: Vec<Name>,
    /// How many places there are; with the last one it ends.
    places: usize,
    _answer: Channel,
}

#[derive(Serialize, Deserialize)]
enum Change {
    Add(Name),
    Remove(Name),
    /// There are no names left.
    End,
}

/// Room for one name.
#[derive(Debug)]
pub struct Place {
    /// A forked child has a copy of this, too.
    owner: Pid,
    name: Option<Name>,
}

impl Place {
    /// Starts the tracker, if it does not run. [`Error::NotInitialised`] or
    /// [`Error::SetUserId`] if the program cannot start processes.
    pub fn new() -> Result<Self, Error> {
        let mut tracker = lock();
        match tracker.as_mut().filter(|tracker| tracker.owner == getpid()) {
            Some(running) => running.one_more()?,
            None => *tracker = Some(Tracker::start(1, Vec::new())?),
        }
        Ok(Self { owner: getpid(), name: None })
    }

    /// From now on, the name is removed if this program is killed.
    pub fn add(&mut self, name: Name) {
        if let Some(tracker) = lock().as_mut() {
            tracker.names.push(name.clone());
            tracker.tell(Change::Add(name.clone()));
        }
        self.name = Some(name);
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if self.owner != getpid() {
            return;
        }
        if let Some(unused) = leave(self.name.take()) {
            unused.end();
        }
    }
}

/// One place less. The tracker, if that was the last one.
fn leave(name: Option<Name>) -> Option<Tracker> {
    let mut tracker = lock();
    let running = tracker.as_mut()?;
    if let Some(name) = name {
        remove(&mut running.names, &name);
        running.tell(Change::Remove(name));
    }
    running.places -= 1;
    if running.places == 0 { tracker.take() } else { None }
}

fn lock() -> MutexGuard<'static, Option<Tracker>> {
    TRACKER.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Once: the name may have been removed and made again.
fn remove(names: &mut Vec<Name>, name: &Name) {
    names.iter().position(|known| known == name).map(|n| names.swap_remove(n));
}

impl Tracker {
    fn start(places: usize, names: Vec<Name>) -> Result<Self, Error> {
        let (receiver, changes) = pipe_one_way()?;
        // A signal to the program's group, as by Ctrl-C, does not reach it.
        let name = "tracker".to_string();
        let options = Options { name, own_session: true, ..Options::default() };
        let arguments = (receiver, spawn::this_process()?);
        let (pid, answer) = spawn::start(track, &arguments, &options)?;
        let pidfd = sys::pidfd_open(pid).trying_to("open the tracker of names")?;
        let owner = getpid();
        let tracker = Self { owner, pidfd, changes, names, places, _answer: answer };
        tracker.names.iter().for_each(|name| tracker.tell(Change::Add(name.clone())));
        Ok(tracker)
    }

    /// Room for one more name. If the tracker was killed, there is another one.
    fn one_more(&mut self) -> Result<(), Error> {
        if wait_until(self.pidfd.as_fd(), Some(Duration::ZERO)) {
            self.reap();
            *self = Self::start(self.places, self.names.clone())?;
        }
        self.places += 1;
        Ok(())
    }

    /// If it was killed, it is not told, and nobody removes the names.
    fn tell(&self, change: Change) {
        let _ = self.changes.send(change);
    }

    fn end(self) {
        self.tell(Change::End);
        if wait_until(self.pidfd.as_fd(), Some(MOMENT)) {
            self.reap();
        }
    }

    /// It has ended.
    fn reap(&self) {
        let _ = sys::wait_for_end(self.pidfd.as_fd());
    }
}

/// It ends sooner, unless it is stopped by a signal.
const MOMENT: Duration = Duration::from_secs(1);

/// What the process does.
fn track((changes, program): (Receiver<Change>, Descriptor)) {
    // What ends all processes of the program's name leaves work for this one.
    let signals = [Signal::SIGINT, Signal::SIGQUIT, Signal::SIGTERM, Signal::SIGHUP];
    let _ = signals.into_iter().collect::<SigSet>().thread_block();
    let mut names = Vec::new();
    loop {
        let ready = wait(&[changes.as_fd(), program.as_fd()], None).unwrap_or_default();
        loop {
            match changes.try_recv() {
                Ok(Some(Change::Add(name))) => names.push(name),
                Ok(Some(Change::Remove(name))) => remove(&mut names, &name),
                Ok(Some(Change::End)) => return,
                Ok(None) if !ready.contains(&1) => break, // the program goes on
                _ => return names.iter().for_each(Name::unlink),
            }
        }
    }
}
