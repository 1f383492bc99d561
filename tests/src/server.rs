//! A manager's server, seen from outside.

use crate::helper::{LONG, is_asleep};
use multiprocessing::{Address, Error, Manager, Receiver, Sender, pipe_one_way};
use serde::{Deserialize, Serialize};
use std::os::fd::{FromRawFd, OwnedFd};
use std::time::Duration;
use std::{fs, io, process};

/// Tells when a process has ended, even if its id is another's by then.
#[derive(Debug)]
pub struct Watch {
    /// The process's id.
    pub pid: u32,
    pidfd: OwnedFd,
}

impl Watch {
    /// Of a process that has not been waited for yet.
    pub fn of(pid: u32) -> io::Result<Self> {
        // SAFETY: it takes two numbers.
        let pidfd = unsafe { libc::syscall(libc::SYS_pidfd_open, pid, 0) };
        if pidfd < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: it was just opened, and nothing else owns it.
        Ok(Self { pid, pidfd: unsafe { OwnedFd::from_raw_fd(pidfd as i32) } })
    }

    /// Of the server of a manager that was started here.
    pub fn of_server(manager: &Manager) -> io::Result<Self> {
        Self::of(manager.pid().ok_or_else(|| io::Error::other("another has started it"))?)
    }

    /// Waits for the end, at most this long. Returns whether it has come.
    pub fn ends_within(&self, time: Duration) -> bool {
        multiprocessing::wait(&[&self.pidfd], Some(time)).is_ok_and(|ended| !ended.is_empty())
    }

    /// Fails if the process does not end.
    pub fn expect_end(&self) {
        assert!(self.ends_within(LONG), "the process {} does not end", self.pid);
    }

    /// Waits until another process waits for it, and it has nothing left to do: what the other has
    /// asked waits for an answer. The other has nothing else to wait for.
    pub fn expect_waiter(&self, pid: u32) -> io::Result<()> {
        let start = std::time::Instant::now();
        loop {
            let before = fs::read_to_string(format!("/proc/{pid}/status"))?; // counts its switches
            if is_asleep(pid)?
                && self.is_idle()?
                && fs::read_to_string(format!("/proc/{pid}/status"))? == before
            {
                return Ok(());
            }
            assert!(start.elapsed() < LONG, "the process {pid} does not wait");
            std::thread::yield_now();
        }
    }

    /// Whether all of its threads wait (proc_pid_stat(5)).
    fn is_idle(&self) -> io::Result<bool> {
        for task in fs::read_dir(format!("/proc/{}/task", self.pid))? {
            // A thread may end meanwhile.
            let stat = fs::read_to_string(task?.path().join("stat")).unwrap_or_default();
            if !stat.is_empty() && !stat.rsplit(')').next().is_some_and(|s| s.starts_with(" S")) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// How many descriptors it has open.
    pub fn open(&self) -> io::Result<usize> {
        Ok(fs::read_dir(format!("/proc/{}/fd", self.pid))?.count())
    }

    /// Waits until it has no more than this many descriptors open.
    pub fn expect_open(&self, most: usize) {
        let start = std::time::Instant::now();
        while self.open().is_ok_and(|open| open > most) {
            assert!(start.elapsed() < LONG, "{:?} descriptors are open, not {most}", self.open());
            std::thread::yield_now();
        }
    }

    /// Waits until it has no more than this many threads.
    pub fn expect_threads(&self, most: usize) {
        let start = std::time::Instant::now();
        let threads = || fs::read_dir(format!("/proc/{}/task", self.pid)).map(Iterator::count);
        while threads().is_ok_and(|threads| threads > most) {
            assert!(start.elapsed() < LONG, "there are {:?} threads, not {most}", threads());
            std::thread::yield_now();
        }
    }
}

/// A value whose destructor tells in which process it ran.
#[derive(Debug, Serialize, Deserialize)]
pub struct Tells(Sender<u32>);

impl Drop for Tells {
    fn drop(&mut self) {
        let _ = self.0.send(process::id());
    }
}

/// What it tells.
pub struct Told(Receiver<u32>);

/// The two of them.
pub fn tells() -> Result<(Tells, Told), multiprocessing::Error> {
    let (receiver, sender) = pipe_one_way()?;
    Ok((Tells(sender), Told(receiver)))
}

impl Told {
    /// Fails if the value is not dropped in this process.
    pub fn expect_drop_in(&self, pid: u32) {
        while self.0.recv_timeout(LONG).expect("it is dropped") != pid {}
    }

    /// Whether it is dropped in this process within that time.
    pub fn is_dropped_in(&self, pid: u32, time: Duration) -> bool {
        while let Ok(dropped_in) = self.0.recv_timeout(time) {
            if dropped_in == pid {
                return true;
            }
        }
        false
    }
}

/// A port of this machine that is free.
pub const TCP: &str = "127.0.0.1:0";

/// The key of the tests.
pub const KEY: &str = "the key of these tests";

/// A manager over a network, and where it is.
pub fn serve() -> Result<(Manager, Address), Error> {
    let manager = Manager::serve(TCP, KEY)?;
    let address = manager.address().expect("it serves").clone();
    Ok((manager, address))
}

/// Connects to one.
pub fn connect(address: &Address) -> Result<Manager, Error> {
    Manager::connect(address.clone(), KEY)
}
