//! What was seen of a program: its processes, how each ended, and what was printed.

use crate::hang;
use nix::sys::signal::Signal;
use std::path::PathBuf;
use std::time::Duration;

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    Exited(i32),
    Killed(Signal),
}

/// Why a program was stopped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stopped {
    /// It did not end within this time. What each process was doing.
    Hung(Duration, Vec<String>),
    /// It ended, and others of its processes did not. What each of them was doing.
    LeftBehind(Vec<String>),
    TooManyProcesses(usize),
    TooManyThreads(i32),
    TooMuchOutput,
    TooMuchWritten,
    TooMuchMemory,
}

/// A process of the program.
#[derive(Clone, Debug)]
pub struct Process {
    pub pid: i32,
    /// The one that started it, by its place in [`Seen::processes`].
    pub parent: Option<usize>,
    /// Whether the one that started it has told of it.
    pub(crate) is_announced: bool,
    pub end: Option<End>,
    /// Whether it has started a program (execve(2)), as `spawn` does and `fork` does not.
    pub execs: usize,
    /// The time that it used a processor.
    pub processor: Duration,
    /// How often it began to sleep (nanosleep(2)).
    pub sleeps: usize,
    /// What it has written to the program's standard output.
    pub printed: String,
    /// What it was when the program's first process ended.
    pub at_the_end: AtTheEnd,
    /// How many bytes it had written when it ended.
    written: u64,
    /// The files in /dev/shm that it had open or mapped when it ended.
    shared: Vec<PathBuf>,
}

/// Who tells that a process was started.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Teller {
    Starter,
    Itself,
}

/// What a process was when the program's first process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AtTheEnd {
    Gone,
    /// It had ended, and nobody had asked how.
    Zombie,
    Running,
}

/// What was seen of a program.
#[derive(Debug)]
pub struct Seen {
    pub stdout: String,
    pub stderr: String,
    /// The first one is the program itself, the others are in the order of their starts.
    pub processes: Vec<Process>,
    pub stopped: Option<Stopped>,
    pub time: Duration,
    /// The most that lived at the same time.
    pub most: usize,
    /// The most that stood still at the same time, if they were to meet.
    pub met: usize,
}

impl Seen {
    pub fn main(&self) -> &Process {
        &self.processes[0]
    }

    /// The processes that it has started, not those that they have started.
    pub fn children(&self) -> impl Iterator<Item = &Process> {
        self.processes.iter().filter(|process| process.parent == Some(0))
    }

    /// The files in /dev/shm that its processes used, and that are still there.
    pub fn names_left(&self) -> impl Iterator<Item = &PathBuf> {
        self.processes.iter().flat_map(|process| &process.shared).filter(|path| path.exists())
    }

    pub fn lines(&self) -> Vec<&str> {
        self.stdout.lines().collect()
    }
}

/// A program that is running.
pub struct Live {
    pub stdout: String,
    pub stderr: String,
    pub processes: Vec<Process>,
}

impl Process {
    pub(crate) fn new(pid: i32, parent: Option<usize>, told_by: Teller) -> Self {
        let (processor, printed, written, shared) = Default::default();
        let (end, execs, sleeps, at_the_end) = (None, 0, 0, AtTheEnd::Gone);
        let is_announced = told_by == Teller::Starter;
        Self {
            pid,
            parent,
            is_announced,
            end,
            execs,
            processor,
            sleeps,
            printed,
            at_the_end,
            written,
            shared,
        }
    }

    /// The program's first process is about to end.
    pub(crate) fn look_at_the_end(&mut self) {
        self.at_the_end = match hang::status(self.pid, "State").as_deref() {
            None => AtTheEnd::Gone,
            Some(state) if state.starts_with(['Z', 'X']) => AtTheEnd::Zombie,
            Some(_) => AtTheEnd::Running,
        };
    }

    /// It is about to end itself.
    pub(crate) fn look_back(&mut self) {
        self.processor = hang::processor_time(self.pid);
        self.written = hang::written(self.pid);
        self.shared = hang::in_shared_memory(self.pid);
    }

    /// How many bytes it has written so far.
    pub(crate) fn written(&self) -> u64 {
        if self.end.is_some() { self.written } else { hang::written(self.pid) }
    }
}
