//! Runs a program and sees what the system sees: every process that it starts, how each ends, what
//! it prints, and where it hangs.
//!
//! The program is traced (ptrace(2)). A new process stops before its first instruction and tells
//! who has started it, a process that ends stops before it is gone. So nothing is missed, however
//! short it lived, and a program that starts processes without end is stopped at a number. A check is
//! asked before a process goes on: one that it kills at its start runs no instruction.

mod limits;
pub mod meeting;
mod output;

use crate::hang;
use crate::refuse::Refusals;
use crate::seen::Teller;
pub use crate::seen::{AtTheEnd, End, Live, Process, Seen, Stopped};
use meeting::Meeting;
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, ppoll};
use nix::sys::prctl::set_child_subreaper;
use nix::sys::ptrace::{self, Event as Traced, Options};
use nix::sys::signal::{SigSet, Signal, kill};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::sys::time::TimeSpec;
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;
use std::io::{self, PipeReader, Read};
use std::os::fd::AsFd;
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::time::{Duration, Instant};

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

pub struct Watch<'a> {
    command: Command,
    limit: Duration,
    most_processes: usize,
    meets: bool,
    react: Option<Reaction<'a>>,
}

impl<'a> Watch<'a> {
    /// A program that runs for longer than this hangs.
    pub const LIMIT: Duration = Duration::from_secs(5);

    pub fn new(command: Command) -> Self {
        Self { command, limit: Self::LIMIT, most_processes: 60, meets: false, react: None }
    }

    pub fn limit(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// Lets its processes meet: see [`meeting`].
    pub fn meet(mut self, meets: bool) -> Self {
        self.meets = meets;
        self
    }

    pub fn react(mut self, react: impl FnMut(&Live) -> Act + 'a) -> Self {
        self.react = Some(Box::new(react));
        self
    }

    /// Runs the program to its end, or to a limit.
    pub fn run(mut self) -> io::Result<Seen> {
        set_child_subreaper(true)?;
        let mut signals = SigSet::empty();
        signals.add(Signal::SIGCHLD);
        signals.thread_block()?;
        let wakes = SignalFd::with_flags(&signals, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK)?;
        let (mut run, _child) = Running::start(&mut self)?;
        while run.step(&mut self)? {
            run.react(&mut self.react);
            run.check(self.limit);
            run.release();
            run.wait(&wakes)?;
        }
        run.read();
        Ok(run.into_seen())
    }
}

/// How a thread that has stopped goes on.
#[derive(Clone, Copy)]
enum Next {
    With(Option<Signal>),
    /// Not yet.
    Wait,
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
    meeting: Option<Meeting>,
}

impl Running {
    fn start(watch: &mut Watch) -> io::Result<(Self, std::process::Child)> {
        let ((stdout, out), (stderr, err)) = (io::pipe()?, io::pipe()?);
        [&stdout, &stderr].into_iter().try_for_each(no_wait)?;
        watch.command.stdin(std::process::Stdio::null()).stdout(out).stderr(err);
        let refusals = Refusals::all();
        let before = move || {
            limits::set()?;
            ptrace::traceme()?;
            refusals.set()
        };
        // SAFETY: between fork and exec, it only makes system calls.
        unsafe { watch.command.pre_exec(before) };
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
                | Options::PTRACE_O_TRACESECCOMP
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
            meeting: watch.meets.then(Meeting::default),
        };
        Ok((run, child))
    }

    /// Takes all that the system has to tell, which may not end before a limit is passed. Returns
    /// whether there are processes left.
    fn step(&mut self, watch: &mut Watch) -> io::Result<bool> {
        loop {
            let status = match waitpid(None, Some(WaitPidFlag::__WALL | WaitPidFlag::WNOHANG)) {
                Ok(WaitStatus::StillAlive) => return Ok(true),
                Err(Errno::ECHILD) => return Ok(false),
                Err(Errno::EINTR) => continue,
                status => status?,
            };
            let next = self.hear(status);
            self.react(&mut watch.react);
            status.pid().into_iter().for_each(|pid| self.go_on(pid, next));
            self.check(watch.limit);
        }
    }

    fn hear(&mut self, status: WaitStatus) -> Next {
        match status {
            WaitStatus::PtraceEvent(pid, _, event) => return self.traced(pid, event),
            // A new process or thread stops once.
            WaitStatus::Stopped(pid, Signal::SIGSTOP) => {
                self.started(pid.as_raw(), hang::number(pid.as_raw(), "PPid"), Teller::Itself);
            }
            WaitStatus::Stopped(pid, Signal::SIGTRAP) => return self.follow(pid),
            WaitStatus::Stopped(_, signal) => return Next::With(Some(signal)),
            WaitStatus::Exited(pid, status) => self.ended(pid, End::Exited(status)),
            WaitStatus::Signaled(pid, signal, _) => self.ended(pid, End::Killed(signal)),
            _ => (),
        }
        Next::With(None)
    }

    /// A thread that has ended meanwhile cannot go on, which is no error.
    fn go_on(&self, thread: Pid, next: Next) {
        let _ = match next {
            Next::With(signal) => ptrace::cont(thread, signal),
            Next::Wait => Ok(()),
        };
    }

    fn traced(&mut self, pid: Pid, event: i32) -> Next {
        if event == Traced::PTRACE_EVENT_EXIT as i32 {
            self.about_to_end(pid);
        } else if event == Traced::PTRACE_EVENT_EXEC as i32 {
            self.find(pid).into_iter().for_each(|process| process.execs += 1);
        } else if event == Traced::PTRACE_EVENT_SECCOMP as i32 {
            return self.is_about_to_call(pid);
        } else if let Ok(new) = ptrace::getevent(pid) {
            let by = hang::number(pid.as_raw(), "Tgid");
            self.started(new as i32, by, Teller::Starter);
        }
        Next::With(None)
    }

    /// A thread stands before a system call that the filter of [`refuse`](crate::refuse) stops.
    fn is_about_to_call(&mut self, thread: Pid) -> Next {
        let pid = hang::number(thread.as_raw(), "Tgid").unwrap_or(thread.as_raw());
        let call = hang::call(thread.as_raw());
        match call[..] {
            [hang::WRITE | hang::WRITE_PIECES, file, ..] if self.is_output(pid, file) => {
                self.is_about_to_print(pid, thread, &call);
                self.comes_to_meeting(pid, thread, false)
            }
            [hang::SLEEP | hang::SLEEP_BY_CLOCK, ..] => {
                self.find(Pid::from_raw(pid)).into_iter().for_each(|process| process.sleeps += 1);
                self.comes_to_meeting(pid, thread, true)
            }
            _ => Next::With(None),
        }
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
        self.check_processes();
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
            process.look_back();
        }
    }

    fn ended(&mut self, pid: Pid, end: End) {
        self.forget(pid);
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

    /// Waits for the next news, for a moment at most: memory and time are looked at again.
    fn wait(&self, wakes: &SignalFd) -> io::Result<()> {
        let mut polled = vec![PollFd::new(wakes.as_fd(), PollFlags::POLLIN)];
        let outputs = [&self.stdout, &self.stderr].into_iter().flatten();
        polled.extend(outputs.map(|output| PollFd::new(output.as_fd(), PollFlags::POLLIN)));
        match ppoll(&mut polled, Some(TimeSpec::from(self.longest_wait())), None) {
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
            met: self.meeting.map_or(0, |meeting| meeting.most),
        }
    }
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
        if !Running::has_output_left(text.len()) {
            return;
        }
    }
}
