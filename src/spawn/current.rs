//! This process, and the one that started it.

use crate::descriptor::{Descriptor, descriptor_of_field};
use crate::error::Trying;
use crate::wait::wait_until;
use crate::{Error, sys};
use nix::sys::prctl;
use nix::sys::signal::{Signal, kill};
use nix::unistd::getpid;
use serde::{Deserialize, Serialize};
use std::ffi::CString;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Instant;

/// The process that calls [`current_process`].
#[derive(Clone, Debug)]
pub struct CurrentProcess {
    name: &'static str,
    daemon: bool,
    parent: Option<ParentProcess>,
}

static CURRENT: Mutex<CurrentProcess> =
    Mutex::new(CurrentProcess { name: "MainProcess", daemon: false, parent: None });

/// The calling process, with the name that its parent gave it: Python's `current_process()`.
///
/// ```
/// use multiprocessing::{Error, Process, current_process};
///
/// fn main() -> Result<(), Error> {
///     multiprocessing::init();
///     assert_eq!(current_process().name(), "MainProcess");
///     let child = Process::spawn(|()| current_process().name().to_string(), ())?;
///     assert_eq!(child.join()?, "Process-1");
///     Ok(())
/// }
/// ```
pub fn current_process() -> CurrentProcess {
    sys::lock(&CURRENT).clone()
}

/// The process that started this one through this crate: Python's `parent_process()`. `None` if
/// this process was started in another way. For a child of a [`ForkServer`](crate::ForkServer),
/// it is the program that asked for the child.
///
/// ```
/// use multiprocessing::{Error, Process, parent_process};
///
/// fn main() -> Result<(), Error> {
///     multiprocessing::init();
///     assert!(parent_process().is_none());
///     let child = Process::spawn(|()| parent_process().map(|parent| parent.pid()), ())?;
///     assert_eq!(child.join()?, Some(std::process::id()));
///     Ok(())
/// }
/// ```
pub fn parent_process() -> Option<ParentProcess> {
    sys::lock(&CURRENT).parent.clone()
}

impl CurrentProcess {
    /// The name that its parent gave it, or `Process-1` and so on; in the first process
    /// `MainProcess`.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Its process id, the same as [`std::process::id`].
    pub fn pid(&self) -> u32 {
        std::process::id()
    }

    /// Whether it is killed when its parent has ended: see
    /// [`ProcessBuilder::daemon`](crate::ProcessBuilder::daemon).
    pub fn daemon(&self) -> bool {
        self.daemon
    }
}

/// The process that started this one. It is ready for [`wait`](crate::wait), and its
/// descriptor is readable, when it has ended: Python's `sentinel`.
#[derive(Clone, Debug)]
pub struct ParentProcess {
    pid: u32,
    pidfd: Arc<OwnedFd>,
}

impl ParentProcess {
    /// Its process id. After its end, another process may get the same id.
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// Whether it has not ended yet.
    pub fn is_alive(&self) -> bool {
        !wait_until(self.as_fd(), Some(Instant::now()))
    }

    /// Waits until it has ended: Python's `parent_process().join()`. To wait with a timeout, use
    /// [`wait`](crate::wait).
    pub fn wait(&self) {
        while !wait_until(self.as_fd(), None) {} // again if the system has no memory for poll(2)
    }
}

descriptor_of_field!([] ParentProcess, pidfd, /// Readable when it has ended.
);

/// A descriptor of this process, for another process to watch.
pub fn this_process() -> Result<Descriptor, Error> {
    let this = sys::pidfd_open(getpid());
    Ok(this.trying_to("open this process for another one to watch")?.into())
}

/// What a child is told about itself and its parent.
#[derive(Debug, Serialize, Deserialize)]
pub struct Identity {
    name: String,
    daemon: bool,
    parent: u32,
    #[serde(with = "crate::descriptor")]
    parent_fd: OwnedFd,
}

impl Identity {
    /// For a child of this process.
    pub fn new(name: &str, daemon: bool) -> Result<Self, Error> {
        let (name, parent_fd) = (name.to_string(), this_process()?.into_fd());
        Ok(Self { name, daemon, parent: std::process::id(), parent_fd })
    }

    /// Makes this process that child. ps(1) shows the first 15 bytes of its name
    /// (PR_SET_NAME).
    pub fn assume(self) -> Result<(), Error> {
        if let Ok(name) = CString::new(self.name.as_str()) {
            let _ = prctl::set_name(&name);
        }
        let pidfd = Arc::new(self.parent_fd);
        let parent = ParentProcess { pid: self.parent, pidfd };
        if self.daemon {
            die_with(parent.clone())?;
        }
        let name = self.name.leak(); // once in a process
        *sys::lock(&CURRENT) = CurrentProcess { name, daemon: self.daemon, parent: Some(parent) };
        Ok(())
    }
}

/// Ends this process when `parent` has ended, however it ended. A thread waits for that:
/// PR_SET_PDEATHSIG sends its signal already when the parent's *thread* ends.
fn die_with(parent: ParentProcess) -> Result<(), Error> {
    let watch = move || {
        parent.wait();
        let _ = kill(getpid(), Signal::SIGKILL);
    };
    let thread = thread::Builder::new().name("watches parent".to_string());
    thread.stack_size(64 * 1024).spawn(watch).trying_to("watch the parent of a daemon")?;
    Ok(())
}
