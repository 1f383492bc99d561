//! What a program may take of the machine, so that a broken or hostile one takes nothing else along.
//!
//! The kernel sets limits for each process before it starts: addresses, the size of a file, time on
//! a core, no core file. What all processes take together is counted, every few milliseconds and
//! whenever one starts: processes, threads, memory, what they print and write, and time. Past a
//! limit, all are killed, again and again until none is left; also those that the tracing does not
//! know, as every orphan becomes a child of this process (`PR_SET_CHILD_SUBREAPER`).

use super::Running;
use crate::hang;
use crate::seen::{Process, Stopped};
use nix::sys::resource::{Resource, setrlimit};
use nix::sys::signal::{SigSet, Signal, kill};
use nix::unistd::{Pid, setsid};
use std::io;
use std::time::{Duration, Instant};

/// More output than this is too much.
const MOST_OUTPUT: usize = 1 << 20;
/// More than this, written by all processes together, is too much.
const MOST_WRITTEN: u64 = 200 << 20;
const LARGEST_FILE: u64 = 256 << 20;
/// More memory than this, of all processes together, is too much.
const MOST_MEMORY: u64 = 2 << 30;
/// What one process may reserve.
const MOST_ADDRESSES: u64 = 8 << 30;
const MOST_THREADS: i32 = 1_000;
/// How long its processes may take to end after it.
const LONGEST_AFTER: Duration = Duration::from_secs(2);
const BETWEEN_LOOKS: Duration = Duration::from_millis(20);

/// The limits that the kernel keeps. Called between fork and exec.
pub fn set() -> io::Result<()> {
    setsid()?;
    setrlimit(Resource::RLIMIT_AS, MOST_ADDRESSES, MOST_ADDRESSES)?;
    setrlimit(Resource::RLIMIT_FSIZE, LARGEST_FILE, LARGEST_FILE)?;
    setrlimit(Resource::RLIMIT_CORE, 0, 0)?;
    setrlimit(Resource::RLIMIT_CPU, 30, 30)?;
    Ok(SigSet::empty().thread_set_mask()?)
}

impl Running {
    /// Stops the program if it passes a limit.
    pub(super) fn check(&mut self, limit: Duration) {
        if self.looked.elapsed() < BETWEEN_LOOKS {
            return;
        }
        self.looked = Instant::now();
        let why = self.stopped.clone().or_else(|| self.excess()).or_else(|| self.lateness(limit));
        why.into_iter().for_each(|why| self.stop(why));
    }

    pub(super) fn has_output_left(length: usize) -> bool {
        length <= 2 * MOST_OUTPUT
    }

    /// More processes than a check ever needs.
    pub(super) fn check_processes(&mut self) {
        let (living, all) = (self.living().count(), self.live.processes.len());
        self.most = self.most.max(living);
        if living > self.most_allowed || all > 10 * self.most_allowed {
            self.stop(Stopped::TooManyProcesses(all));
        }
    }

    fn excess(&self) -> Option<Stopped> {
        let threads = self.living().filter_map(|p| hang::number(p.pid, "Threads")).sum();
        let memory: u64 = self.living().map(|process| hang::memory(process.pid)).sum();
        let written: u64 = self.live.processes.iter().map(Process::written).sum();
        match () {
            () if self.live.stdout.len() + self.live.stderr.len() > MOST_OUTPUT => {
                Some(Stopped::TooMuchOutput)
            }
            () if threads > MOST_THREADS => Some(Stopped::TooManyThreads(threads)),
            () if memory > MOST_MEMORY => Some(Stopped::TooMuchMemory),
            () if written > MOST_WRITTEN => Some(Stopped::TooMuchWritten),
            () => None,
        }
    }

    fn lateness(&self, limit: Duration) -> Option<Stopped> {
        let is_late = |since: Instant, limit| since.elapsed() > limit && !self.is_starved(limit);
        let states = || hang::describe(&self.live.processes);
        if self.main_ended.is_some_and(|at| is_late(at, LONGEST_AFTER)) {
            Some(Stopped::LeftBehind(states()))
        } else if is_late(self.started, limit) {
            Some(Stopped::Hung(limit, states()))
        } else {
            None
        }
    }

    /// Whether it does not wait, but has had no core: other programs keep the machine busy.
    fn is_starved(&self, limit: Duration) -> bool {
        let used: Duration = self.living().map(|p| hang::processor_time(p.pid)).sum();
        self.living().any(|process| hang::is_running(process.pid))
            && used < limit / 4
            && self.started.elapsed() < 4 * limit
    }

    fn stop(&mut self, why: Stopped) {
        self.stopped.get_or_insert(why);
        self.kill_all();
    }

    fn kill_all(&self) {
        let known = self.living().map(|process| process.pid);
        for pid in known.chain(hang::descendants(std::process::id() as i32)) {
            let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
        }
    }
}
