//! A small process that removes the names which a killed program has left: what
//! Python calls its resource tracker.
//!
//! It runs while this program has names. It learns of each through a pipe, and of the
//! program's end, however that came, by the end of the pipe.

use crate::pipe::{Channel, Receiver, Sender, pipe_one_way};
use crate::spawn::{self, Options};
use crate::{Error, SharedMemory};
use nix::errno::Errno;
use nix::sys::signal::{SigSet, Signal};
use nix::sys::wait::waitpid;
use nix::unistd::{Pid, getpid};
use serde::{Deserialize, Serialize};
use std::sync::{Mutex, MutexGuard, PoisonError};

static TRACKER: Mutex<Option<Tracker>> = Mutex::new(None);

struct Tracker {
    /// The process that started it: a forked child has a copy of this, and leaves it.
    owner: Pid,
    pid: Pid,
    names: Sender<Change>,
    /// How many places there are; with the last one it ends.
    places: usize,
    _answer: Channel,
}

#[derive(Serialize, Deserialize)]
enum Change {
    Add(String),
    Remove(String),
    /// There are no names left. (The end of the pipe may not come: a forked child has a
    /// copy of it.)
    End,
}

/// Room for one name.
#[derive(Debug)]
pub struct Place {
    /// A forked child has a copy of this, too.
    owner: Pid,
    name: Option<String>,
}

impl Place {
    /// Starts the tracker, if it does not run. [`Error::NotInitialised`] or
    /// [`Error::SetUserId`] if the program cannot start processes.
    pub fn new() -> Result<Self, Error> {
        let mut tracker = lock();
        match tracker.as_mut().filter(|tracker| tracker.owner == getpid()) {
            Some(running) => running.places += 1,
            None => *tracker = Some(Tracker::start()?),
        }
        Ok(Self { owner: getpid(), name: None })
    }

    /// From now on, the name is removed if this program is killed.
    pub fn add(&mut self, name: &str) {
        self.name = Some(name.to_string());
        tell(Change::Add(name.to_string()));
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if self.owner != getpid() {
            return;
        }
        if let Some(name) = self.name.take() {
            tell(Change::Remove(name));
        }
        if let Some(unused) = leave() {
            let _ = unused.names.send(Change::End);
            while waitpid(unused.pid, None) == Err(Errno::EINTR) {}
        }
    }
}

impl Tracker {
    fn start() -> Result<Self, Error> {
        let (receiver, names) = pipe_one_way()?;
        let options = Options { name: "tracker".to_string(), ..Options::default() };
        let (pid, answer) = spawn::start(track, &receiver, &options)?;
        Ok(Self { owner: getpid(), pid, names, places: 1, _answer: answer })
    }
}

/// One place less. The tracker, if that was the last one.
fn leave() -> Option<Tracker> {
    let mut tracker = lock();
    let running = tracker.as_mut()?;
    running.places -= 1;
    if running.places == 0 { tracker.take() } else { None }
}

fn lock() -> MutexGuard<'static, Option<Tracker>> {
    TRACKER.lock().unwrap_or_else(PoisonError::into_inner)
}

/// If the tracker was killed, nobody removes the names of a killed program.
fn tell(change: Change) {
    if let Some(tracker) = lock().as_ref() {
        let _ = tracker.names.send(change);
    }
}

/// What the process does.
fn track(changes: Receiver<Change>) {
    // Ctrl-C at a terminal goes to all of its processes: this one has work left then.
    let signals = [Signal::SIGINT, Signal::SIGQUIT, Signal::SIGTERM, Signal::SIGHUP];
    let _ = signals.into_iter().collect::<SigSet>().thread_block();
    let mut names = Vec::new();
    while let Ok(change) = changes.recv() {
        match change {
            Change::Add(name) => names.push(name),
            // Once: the name may have been removed and made again.
            Change::Remove(name) => {
                names.iter().position(|known| *known == name).map(|n| names.swap_remove(n));
            }
            Change::End => return,
        }
    }
    for name in names {
        let _ = SharedMemory::unlink(&name);
    }
}
