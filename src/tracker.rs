//! A small process that removes the files that a killed program leaves behind, the names of shared
//! memory and the sockets of listeners: Python's resource tracker.
//!
//! It runs while this program has names of its own. Through a pipe, the program tells it of each
//! name *before* the name exists, and again *after* the name is gone. The tracker waits for the
//! pipe and for the program's pidfd. When the program has ended, however it ended, the tracker
//! reads what is left in the pipe and removes the names that it knows.
//!
//! So after a kill of the program between any two steps, the tracker may know a name that does
//! not exist, or that now means another file. That does no harm: a [`FileName`] knows its file, and
//! is removed from no other. If the tracker is killed, the next registration starts another one,
//! which learns all names again.

mod file_name;

pub use file_name::{FileName, is_stale, lock_folder};

use crate::descriptor::Descriptor;
use crate::error::Trying;
use crate::pipe::{Channel, Receiver, Sender, pipe_one_way};
use crate::spawn::{self, Options};
use crate::sys::deadline::deadline;
use crate::sys::lock;
use crate::wait::wait_until;
use crate::{Error, sys, wait};
use nix::sys::signal::Signal;
use nix::unistd::{Pid, getpid};
use serde::{Deserialize, Serialize};
use std::os::fd::{AsFd, OwnedFd};
use std::slice;
use std::sync::Mutex;
use std::time::Duration;

static TRACKER: Mutex<Option<Tracker>> = Mutex::new(None);

/// The program's side of the tracker.
struct Tracker {
    /// The process that started it. A forked child has a copy of this, and does not use it.
    owner: Pid,
    pidfd: OwnedFd,
    notices: Sender<Notice>,
    /// The names that it knows, for its successor. It ends when there are none left.
    names: Vec<FileName>,
    _answer: Channel,
}

#[derive(Serialize, Deserialize)]
enum Notice {
    Register(FileName),
    /// After the last name, the tracker ends.
    Unregister(FileName),
}

/// Sees to it that a name is removed: by this process when this is dropped, and by the tracker if
/// the process is killed.
#[derive(Debug)]
pub struct Registration {
    /// A forked child has a copy of this, and removes nothing.
    owner: Pid,
    name: FileName,
}

impl Registration {
    /// Call it before the name exists, if the file is known by then. In a program that cannot start
    /// processes there is no tracker.
    pub fn new(name: FileName) -> Result<Self, Error> {
        let mut tracker = lock(&TRACKER);
        match running(&mut tracker) {
            Some(running) => running.add(&name)?,
            None => match Tracker::start(vec![name.clone()]) {
                Err(Error::NotInitialised | Error::Unsupported { .. }) => (),
                started => *tracker = Some(started?),
            },
        }
        Ok(Self { owner: getpid(), name })
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        if self.owner == getpid() {
            let _ = self.name.unlink(); // it may be gone already
            if let Some(unused) = unregister(&self.name) {
                unused.wait_for_end();
            }
        }
    }
}

/// Returns the tracker if this was its last name.
fn unregister(name: &FileName) -> Option<Tracker> {
    let mut tracker = lock(&TRACKER);
    let running = running(&mut tracker)?;
    remove(&mut running.names, name);
    running.tell(Notice::Unregister(name.clone()));
    if running.names.is_empty() { tracker.take() } else { None }
}

/// The tracker, if this process has started one.
fn running(tracker: &mut Option<Tracker>) -> Option<&mut Tracker> {
    tracker.as_mut().filter(|tracker| tracker.owner == getpid())
}

/// Removes a name once: the same name may have been registered again.
fn remove(names: &mut Vec<FileName>, name: &FileName) {
    names.iter().position(|known| known == name).map(|n| names.swap_remove(n));
}

impl Tracker {
    fn start(names: Vec<FileName>) -> Result<Self, Error> {
        let (receiver, notices) = pipe_one_way()?;
        // A signal to the program's group, or to all processes of its name, must not end it.
        let blocked = &[Signal::SIGINT, Signal::SIGQUIT, Signal::SIGTERM, Signal::SIGHUP];
        let name = "tracker".to_string();
        let options = Options { name, blocked, own_session: true, ..Options::default() };
        let arguments = (receiver, spawn::this_process()?);
        let (pid, answer) = spawn::start(track, &arguments, &options)?;
        let pidfd = sys::pidfd_open(pid).inspect_err(|_| sys::kill_and_reap(pid));
        let pidfd = pidfd.trying_to("open the tracker of names")?;
        let tracker = Self { owner: getpid(), pidfd, notices, names, _answer: answer };
        tracker.names.iter().for_each(|name| tracker.tell(Notice::Register(name.clone())));
        Ok(tracker)
    }

    /// Adds a name. If the tracker was killed, this starts its successor.
    fn add(&mut self, name: &FileName) -> Result<(), Error> {
        if wait_until(&self.pidfd, deadline(Duration::ZERO)) {
            self.reap();
            *self = Self::start([&self.names, slice::from_ref(name)].concat())?;
        } else {
            self.tell(Notice::Register(name.clone()));
            self.names.push(name.clone());
        }
        Ok(())
    }

    /// A tracker that was killed hears nothing. Its successor learns all names.
    fn tell(&self, notice: Notice) {
        let _ = self.notices.send(notice);
    }

    fn wait_for_end(self) {
        if wait_until(&self.pidfd, deadline(MOMENT)) {
            self.reap();
        }
    }

    /// Call it when the tracker has ended.
    fn reap(&self) {
        let _ = sys::wait_for_end(self.pidfd.as_fd());
    }
}

/// Whoever is about to end does so sooner than this, unless a signal has stopped it.
const MOMENT: Duration = Duration::from_secs(1);

/// What the tracker does.
fn track((notices, program): (Receiver<Notice>, Descriptor)) {
    let mut names = Vec::new();
    loop {
        let ready = wait(&[notices.as_fd(), program.as_fd()], None).unwrap_or_default();
        loop {
            match notices.try_recv() {
                Ok(Notice::Register(name)) => names.push(name),
                Ok(Notice::Unregister(name)) => {
                    remove(&mut names, &name);
                    if names.is_empty() {
                        return;
                    }
                }
                Err(Error::WouldBlock) if !ready.contains(&1) => break, // the program goes on
                _ => return clean_up(&names, &program),
            }
        }
    }
}

/// When the pipe is at its end, the program is about to end, or has started another one in its
/// place (execve(2)). Its sockets may be open a little longer.
fn clean_up(names: &[FileName], program: &Descriptor) {
    wait_until(program, deadline(MOMENT));
    for name in names {
        let _ = name.clean_up(); // it may be gone already
    }
}
