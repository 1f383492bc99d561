//! Runs a program and sees what the system sees: every process that it starts, how each ends, what
//! it prints, and where it hangs.
//!
//! The program is traced (ptrace(2)). A new process stops before its first instruction and tells
//! who has started it, a process that ends stops before it is gone. So nothing is missed, however
//! short it lived, and a program that starts processes without end is stopped at a number.

use crate::{hang, refuse};
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, ppoll};
use nix::sys::prctl::set_child_subreaper;
use nix::sys::ptrace::{self, Event as Traced, Options};
use nix::sys::resource::{Resource, setrlimit};
use nix::sys::signal::{SigSet, Signal, kill};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::sys::time::TimeSpec;
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::{Pid, setsid};
use std::fs;
use std::io::{self, PipeReader, Read};
use std::os::fd::AsFd;
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::time::{Duration, Instant};

/// More output than this is too much.
const MOST_OUTPUT: usize = 1 << 20;
/// More memory than this, of all processes together, is too much.
const MOST_MEMORY: u64 = 2 << 30;
/// What one process may reserve.
const MOST_ADDRESSES: u64 = 8 << 30;
/// How long its processes may take to end after it.
const LONGEST_AFTER: Duration = Duration::from_secs(2);

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
    TooMuchOutput,
    TooMuchMemory,
}

/// A process of the program.
#[derive(Clone, Debug)]
pub struct Process {
    pub pid: i32,
    /// The one that started it, by its place in [`Seen::processes`].
    pub parent: Option<usize>,
    /// Whether the one that started it has told of it.
    is_announced: bool,
    pub end: Option<End>,
    /// Whether it has started a program (execve(2)), as `spawn` does and `fork` does not.
    pub execs: usize,
    /// The time that it used a processor.
    pub processor: Duration,
    /// What it was when the program's first process ended.
    pub at_the_end: AtTheEnd,
    /// How many descriptors above 2 it had when it ended.
    pub descriptors: Vec<String>,
}

/// Who tells that a process was started.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Teller {
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
    pub names_left: Vec<String>,
}

impl Seen {
    pub fn main(&self) -> &Process {
        &self.processes[0]
    }

    /// The processes that it has started, not those that they have started.
    pub fn children(&self) -> impl Iterator<Item = &Process> {
        self.processes.iter().filter(|process| process.parent == Some(0))
    }

    pub fn lines(&self) -> Vec<&str> {
        self.stdout.lines().collect()
    }
}

/// What a check does to a running program.
pub enum Act {
    Nothing,
    /// Kills a process, by its place.
    Kill(usize),
    /// Closes the reading end of its standard output.
    CloseOutput,
}

/// What a check is asked after each event.
pub type Reaction<'a> = Box<dyn FnMut(&Live) -> Act + 'a>;

/// A program that is running.
pub struct Live {
    pub stdout: String,
    pub stderr: String,
    pub processes: Vec<Process>,
}

pub struct Watch<'a> {
    command: Command,
    limit: Duration,
    most_processes: usize,
    react: Option<Reaction<'a>>,
}

impl<'a> Watch<'a> {
    /// A program that runs for longer than this hangs.
    pub const LIMIT: Duration = Duration::from_secs(5);

    pub fn new(command: Command) -> Self {
        Self { command, limit: Self::LIMIT, most_processes: 60, react: None }
    }

    pub fn limit(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    pub fn react(mut self, react: impl FnMut(&Live) -> Act + 'a) -> Self {
        self.react = Some(Box::new(react));
        self
    }

    /// Runs the program to its end, or to a limit.
    pub fn run(mut self) -> io::Result<Seen> {
        set_child_subreaper(true)?;
        let names = names();
        let mut signals = SigSet::empty();
        signals.add(Signal::SIGCHLD);
        signals.thread_block()?;
        let wakes = SignalFd::with_flags(&signals, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK)?;
        let (mut run, _child) = Running::start(&mut self)?;
        while run.step()? {
            run.react(&mut self.react);
            run.check(self.limit);
            run.wait(&wakes)?;
        }
        run.read();
        let mut seen = run.into_seen();
        seen.names_left = self::names().into_iter().filter(|name| !names.contains(name)).collect();
        Ok(seen)
    }
}

struct Running {
    live: Live,
    stdout: Option<PipeReader>,
    stderr: Option<PipeReader>,
    started: Instant,
    stopped: Option<Stopped>,
    most: usize,
    most_allowed: usize,
    looked: Instant,
    /// When the program's first process ended.
    main_ended: Option<Instant>,
}

impl Running {
    fn start(watch: &mut Watch) -> io::Result<(Self, std::process::Child)> {
        let ((stdout, out), (stderr, err)) = (io::pipe()?, io::pipe()?);
        [&stdout, &stderr].into_iter().try_for_each(no_wait)?;
        watch.command.stdin(std::process::Stdio::null()).stdout(out).stderr(err);
        // SAFETY: between fork and exec, it only makes system calls.
        unsafe { watch.command.pre_exec(limit_and_trace) };
        let child = watch.command.spawn()?;
        watch.command.stdout(io::stderr()).stderr(io::stderr()); // closes the writers here
        let pid = Pid::from_raw(child.id() as i32);
        waitpid(pid, Some(WaitPidFlag::__WALL))?;
        ptrace::setoptions(
            pid,
            Options::PTRACE_O_TRACEFORK
                | Options::PTRACE_O_TRACEVFORK
                | Options::PTRACE_O_TRACECLONE
                | Options::PTRACE_O_TRACEEXEC
                | Options::PTRACE_O_TRACEEXIT
                | Options::PTRACE_O_EXITKILL,
        )?;
        ptrace::cont(pid, None)?;
        let live = Live {
            stdout: String::new(),
            stderr: String::new(),
            processes: vec![Process::new(pid.as_raw(), None, Teller::Starter)],
        };
        let run = Self {
            live,
            stdout: Some(stdout),
            stderr: Some(stderr),
            started: Instant::now(),
            stopped: None,
            most: 1,
            most_allowed: watch.most_processes,
            looked: Instant::now(),
            main_ended: None,
        };
        Ok((run, child))
    }

    /// Takes all that the system has to tell. Returns whether there are processes left.
    fn step(&mut self) -> io::Result<bool> {
        loop {
            match waitpid(None, Some(WaitPidFlag::__WALL | WaitPidFlag::WNOHANG)) {
                Ok(WaitStatus::StillAlive) => return Ok(true),
                Err(Errno::ECHILD) => return Ok(false),
                Err(Errno::EINTR) => continue,
                status => self.hear(status?),
            }
        }
    }

    fn hear(&mut self, status: WaitStatus) {
        match status {
            WaitStatus::PtraceEvent(pid, _, event) => self.traced(pid, event),
            // A new process or thread stops once.
            WaitStatus::Stopped(pid, Signal::SIGSTOP) => {
                self.started(pid.as_raw(), hang::number(pid.as_raw(), "PPid"), Teller::Itself);
                let _ = ptrace::cont(pid, None);
            }
            WaitStatus::Stopped(pid, signal) => drop(ptrace::cont(pid, signal)),
            WaitStatus::Exited(pid, status) => self.ended(pid, End::Exited(status)),
            WaitStatus::Signaled(pid, signal, _) => self.ended(pid, End::Killed(signal)),
            _ => (),
        }
    }

    fn traced(&mut self, pid: Pid, event: i32) {
        if event == Traced::PTRACE_EVENT_EXIT as i32 {
            self.about_to_end(pid);
        } else if event == Traced::PTRACE_EVENT_EXEC as i32 {
            self.find(pid).into_iter().for_each(|process| process.execs += 1);
        } else if let Ok(new) = ptrace::getevent(pid) {
            let by = hang::number(pid.as_raw(), "Tgid");
            self.started(new as i32, by, Teller::Starter);
        }
        let _ = ptrace::cont(pid, None);
    }

    /// A process or a thread was started. Its starter and itself tell of it, in any order: the
    /// starter perhaps when it has ended already.
    fn started(&mut self, new: i32, by: Option<i32>, told_by: Teller) {
        let parent = self.live.processes.iter().rposition(|process| Some(process.pid) == by);
        let mut with_id = self.live.processes.iter_mut().rev().filter(|other| other.pid == new);
        if let Some(known) = with_id.next()
            && (known.end.is_none() || (told_by == Teller::Starter && !known.is_announced))
        {
            if told_by == Teller::Starter {
                known.is_announced = true;
                known.parent = parent.or(known.parent);
            }
            return;
        }
        if hang::number(new, "Tgid") != Some(new) {
            return; // a thread
        }
        self.live.processes.push(Process::new(new, parent, told_by));
        let living = self.living().count();
        self.most = self.most.max(living);
        if living > self.most_allowed || self.live.processes.len() > 10 * self.most_allowed {
            self.stop(Stopped::TooManyProcesses(self.live.processes.len()));
        }
    }

    fn living(&self) -> impl Iterator<Item = &Process> {
        self.live.processes.iter().filter(|process| process.end.is_none())
    }

    fn find(&mut self, pid: Pid) -> Option<&mut Process> {
        self.live.processes.iter_mut().rev().find(|process| process.pid == pid.as_raw())
    }

    /// A thread is about to end: the last chance to look at its process.
    fn about_to_end(&mut self, pid: Pid) {
        let is_first = self.live.processes[0].pid == pid.as_raw();
        if is_first {
            self.live.processes[1..].iter_mut().for_each(Process::look_at_the_end);
        }
        if let Some(process) = self.find(pid) {
            process.processor = hang::processor_time(pid.as_raw());
            process.descriptors = hang::descriptors(pid.as_raw());
        }
    }

    fn ended(&mut self, pid: Pid, end: End) {
        if let Some(process) = self.find(pid) {
            process.end = Some(end);
        }
        if self.live.processes[0].end.is_some() {
            self.main_ended.get_or_insert_with(Instant::now);
        }
    }

    fn react(&mut self, react: &mut Option<Reaction>) {
        self.read();
        match react.as_mut().map_or(Act::Nothing, |react| react(&self.live)) {
            Act::Nothing => (),
            Act::Kill(place) => {
                let process = &self.live.processes[place];
                if process.end.is_none() {
                    let _ = kill(Pid::from_raw(process.pid), Signal::SIGKILL);
                }
            }
            Act::CloseOutput => self.stdout = None,
        }
    }

    fn read(&mut self) {
        read(&mut self.stdout, &mut self.live.stdout);
        read(&mut self.stderr, &mut self.live.stderr);
    }

    /// Stops the program if it passes a limit.
    fn check(&mut self, limit: Duration) {
        if self.stopped.is_some() {
            self.kill_all();
        } else if self.live.stdout.len() + self.live.stderr.len() > MOST_OUTPUT {
            self.stop(Stopped::TooMuchOutput);
        } else if self.looked.elapsed() > Duration::from_millis(20) {
            self.looked = Instant::now();
            self.check_memory_and_time(limit);
        }
    }

    fn check_memory_and_time(&mut self, limit: Duration) {
        let memory: u64 = self.living().map(|process| hang::memory(process.pid)).sum();
        if memory > MOST_MEMORY {
            self.stop(Stopped::TooMuchMemory);
        } else if self.main_ended.is_some_and(|at| at.elapsed() > LONGEST_AFTER) {
            self.stop(Stopped::LeftBehind(hang::describe(&self.live.processes)));
        } else if self.started.elapsed() > limit && !self.is_starved(limit) {
            self.stop(Stopped::Hung(limit, hang::describe(&self.live.processes)));
        }
    }

    /// Whether it does not wait, but has had no processor: other programs keep the machine busy.
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
        for process in self.living() {
            let _ = kill(Pid::from_raw(process.pid), Signal::SIGKILL);
        }
    }

    /// Waits for the next news, for a moment at most: memory and time are looked at again.
    fn wait(&self, wakes: &SignalFd) -> io::Result<()> {
        let mut polled = vec![PollFd::new(wakes.as_fd(), PollFlags::POLLIN)];
        let outputs = [&self.stdout, &self.stderr].into_iter().flatten();
        polled.extend(outputs.map(|output| PollFd::new(output.as_fd(), PollFlags::POLLIN)));
        match ppoll(&mut polled, Some(TimeSpec::from(Duration::from_millis(20))), None) {
            Ok(_) | Err(Errno::EINTR) => (),
            Err(error) => return Err(error.into()),
        }
        while let Ok(Some(_)) = wakes.read_signal() {}
        Ok(())
    }

    fn into_seen(self) -> Seen {
        Seen {
            stdout: self.live.stdout,
            stderr: self.live.stderr,
            processes: self.live.processes,
            stopped: self.stopped,
            time: self.started.elapsed(),
            most: self.most,
            names_left: Vec::new(),
        }
    }
}

impl Process {
    fn new(pid: i32, parent: Option<usize>, told_by: Teller) -> Self {
        let (processor, descriptors) = Default::default();
        let is_announced = told_by == Teller::Starter;
        let at_the_end = AtTheEnd::Gone;
        Self { pid, parent, is_announced, end: None, execs: 0, processor, at_the_end, descriptors }
    }

    fn look_at_the_end(&mut self) {
        self.at_the_end = match hang::status(self.pid, "State").as_deref() {
            None => AtTheEnd::Gone,
            Some(state) if state.starts_with(['Z', 'X']) => AtTheEnd::Zombie,
            Some(_) => AtTheEnd::Running,
        };
    }
}

fn limit_and_trace() -> io::Result<()> {
    setsid()?;
    setrlimit(Resource::RLIMIT_AS, MOST_ADDRESSES, MOST_ADDRESSES)?;
    setrlimit(Resource::RLIMIT_FSIZE, MOST_OUTPUT as u64 * 64, MOST_OUTPUT as u64 * 64)?;
    setrlimit(Resource::RLIMIT_CORE, 0, 0)?;
    setrlimit(Resource::RLIMIT_CPU, 30, 30)?;
    SigSet::empty().thread_set_mask()?;
    refuse::kill_everybody()?;
    Ok(ptrace::traceme()?)
}

fn no_wait(reader: &PipeReader) -> io::Result<()> {
    use nix::fcntl::{FcntlArg, OFlag, fcntl};
    fcntl(reader, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))?;
    Ok(())
}

/// Appends what has come; takes the reader away at the end.
fn read(reader: &mut Option<PipeReader>, text: &mut String) {
    let mut bytes = [0; 65_536];
    while let Some(open) = reader {
        match open.read(&mut bytes) {
            Ok(0) => *reader = None,
            Ok(count) => text.push_str(&String::from_utf8_lossy(&bytes[..count])),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(_) => return,
        }
        if text.len() > 2 * MOST_OUTPUT {
            return;
        }
    }
}

/// The names in /dev/shm.
fn names() -> Vec<String> {
    let folder = fs::read_dir("/dev/shm").into_iter().flatten().flatten();
    folder.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
}
