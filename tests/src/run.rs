//! Runs one program under watch: on a terminal or a pipe, with a limit, and
//! with an eye on what it leaves behind.

use nix::errno::Errno;
use nix::pty::openpty;
use nix::sys::prctl::set_child_subreaper;
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitStatus, wait};
use nix::unistd::{Pid, getpid};
use std::collections::BTreeSet;
use std::fmt;
use std::fs::{self, File};
use std::io::{self, Read};
use std::os::fd::OwnedFd;
use std::path::Path;
use std::process::{Command, Stdio};
use std::str::FromStr;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// How a program ended.
#[derive(Clone, Debug, PartialEq)]
pub enum End {
    /// With this exit status.
    Exited(i32),
    /// By this signal.
    Killed(Signal),
    /// Not before the limit.
    Hung,
}

/// What was seen of a program.
#[derive(Debug)]
pub struct Run {
    /// What it printed, to both stdout and stderr.
    pub output: String,
    /// How it ended.
    pub end: End,
    /// Processes that outlived it, names in /dev/shm, temporary files.
    pub left_behind: Vec<String>,
}

/// How long a process may outlive the program that started it: a helper that
/// ends by itself (Python's resource tracker) needs a moment.
const GRACE: Duration = Duration::from_secs(2);

enum Event {
    Ended(Pid, End),
    /// The program and all that it started have ended.
    AllEnded,
}

/// Runs a program to its end or the limit. One at a time in a process: every
/// process that ends here counts as the program's.
pub fn run(mut command: Command, on_a_pipe: bool, limit: Duration) -> io::Result<Run> {
    // A process whose parent has ended becomes our child: none is lost, whatever
    // session or group it went to.
    set_child_subreaper(true)?;
    let names = shm_names();
    let temporary = TempDir::new()?;
    let (ours, theirs) = if on_a_pipe { pipe()? } else { terminal()? };
    let output = thread::spawn(move || read_all(ours));

    command.stdin(Stdio::null()).stdout(theirs.try_clone()?).stderr(theirs);
    command.env("TMPDIR", temporary.path()).env_remove("RUST_BACKTRACE");
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("PYTHON") {
            command.env_remove(name);
        }
    }
    let program = Pid::from_raw(command.spawn()?.id() as i32);
    drop(command); // and with it our copy of the other end

    let (tell, events) = channel();
    thread::spawn(move || reap(&tell));
    let end = wait_for(program, &events, limit);
    let mut left_behind =
        kill_strays(&events, if end == End::Hung { Duration::ZERO } else { GRACE });
    if end == End::Hung {
        left_behind.clear(); // what a hanging program had is no stray
    }
    left_behind.extend(names_left(&names));
    left_behind.extend(files_in(temporary.path()));
    let output = output.join().map_err(|_| io::Error::other("the reader panicked"))?;
    Ok(Run { output, end, left_behind })
}

fn pipe() -> io::Result<(OwnedFd, OwnedFd)> {
    let (reader, writer) = io::pipe()?;
    Ok((reader.into(), writer.into()))
}

fn terminal() -> io::Result<(OwnedFd, OwnedFd)> {
    let ends = openpty(None, None)?;
    Ok((ends.master, ends.slave))
}

/// Reads to the end. A terminal whose other end is closed says EIO.
fn read_all(from: OwnedFd) -> String {
    let mut bytes = Vec::new();
    let _ = File::from(from).read_to_end(&mut bytes);
    String::from_utf8_lossy(&bytes).replace("\r\n", "\n")
}

fn reap(tell: &Sender<Event>) {
    loop {
        let event = match wait() {
            Ok(WaitStatus::Exited(pid, status)) => Event::Ended(pid, End::Exited(status)),
            Ok(WaitStatus::Signaled(pid, signal, _)) => Event::Ended(pid, End::Killed(signal)),
            Err(Errno::ECHILD) => break,
            _ => continue,
        };
        let _ = tell.send(event);
    }
    let _ = tell.send(Event::AllEnded);
}

fn wait_for(program: Pid, events: &Receiver<Event>, limit: Duration) -> End {
    let deadline = Instant::now() + limit;
    while let Ok(event) = events.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
        match event {
            Event::Ended(pid, end) if pid == program => return end,
            _ => (),
        }
    }
    End::Hung
}

/// Waits for what the program started, then kills it, and says what it was.
fn kill_strays(events: &Receiver<Event>, grace: Duration) -> Vec<String> {
    let mut deadline = Instant::now() + grace;
    let mut strays = BTreeSet::new();
    loop {
        match events.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            Ok(Event::Ended(..)) => (),
            Ok(Event::AllEnded) => return strays.into_iter().collect(),
            Err(_) => {
                for pid in stop_all() {
                    strays.insert(format!("process {pid}: {}", command_line(pid)));
                    let _ = kill(pid, Signal::SIGKILL);
                }
                deadline = Instant::now() + Duration::from_millis(50);
            }
        }
    }
}

/// Stops every process below this one before any is killed: otherwise one could see
/// the end of another, and say something.
fn stop_all() -> BTreeSet<Pid> {
    let mut stopped = BTreeSet::new();
    loop {
        let found: BTreeSet<Pid> = descendants().into_iter().collect();
        if found.is_subset(&stopped) {
            return found;
        }
        for pid in found.difference(&stopped) {
            let _ = kill(*pid, Signal::SIGSTOP);
        }
        stopped.extend(found);
    }
}

/// Every process below this one, by the parents that /proc/PID/stat tells.
fn descendants() -> Vec<Pid> {
    let processes: Vec<(Pid, Pid)> = numbers_in_proc().filter_map(with_parent).collect();
    let mut found = vec![getpid()];
    let mut next = 0;
    while next < found.len() {
        let children = processes.iter().filter(|(_, parent)| *parent == found[next]);
        let children: Vec<Pid> = children.map(|(pid, _)| *pid).collect();
        found.extend(children);
        next += 1;
    }
    found.split_off(1)
}

fn numbers_in_proc() -> impl Iterator<Item = i32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

/// The fields behind the name, which may hold anything: `12 (na me) S 1 …`
fn with_parent(pid: i32) -> Option<(Pid, Pid)> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let parent = stat.rsplit(')').next()?.split_whitespace().nth(1)?.parse().ok()?;
    Some((Pid::from_raw(pid), Pid::from_raw(parent)))
}

fn command_line(pid: Pid) -> String {
    let words = fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    words.replace('\0', " ").trim().to_string()
}

fn shm_names() -> BTreeSet<String> {
    files_in(Path::new("/dev/shm")).collect()
}

/// The names that are new in /dev/shm and that nobody has. Another program on this
/// machine may be about to remove its own, so they are looked at for a while.
fn names_left(before: &BTreeSet<String>) -> Vec<String> {
    let mut left: Vec<String> = shm_names().difference(before).cloned().collect();
    let deadline = Instant::now() + GRACE;
    loop {
        left.retain(|name| Path::new(name).exists() && !is_in_use(name));
        if left.is_empty() || Instant::now() > deadline {
            return left;
        }
        thread::sleep(Duration::from_millis(100));
    }
}

/// Whether a living process has it open or mapped. Then it is that one's: all that the
/// program started has ended.
fn is_in_use(name: &str) -> bool {
    numbers_in_proc().any(|pid| {
        let maps = fs::read_to_string(format!("/proc/{pid}/maps")).unwrap_or_default();
        let open = fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten();
        let mut open = open.filter_map(|entry| fs::read_link(entry.path()).ok());
        maps.lines().any(|line| line.ends_with(name)) || open.any(|path| path == Path::new(name))
    })
}

fn files_in(folder: &Path) -> impl Iterator<Item = String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| entry.path().display().to_string())
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            End::Exited(status) => write!(f, "exit status {status}"),
            End::Killed(signal) => write!(f, "killed by {signal}"),
            End::Hung => write!(f, "hangs"),
        }
    }
}

impl FromStr for End {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let unknown = |_| format!("Expect: `{text}` is not known");
        if let Some(status) = text.strip_prefix("exit status ") {
            status.parse().map(End::Exited).map_err(|_| unknown(()))
        } else if let Some(signal) = text.strip_prefix("killed by ") {
            signal.parse().map(End::Killed).map_err(|_: Errno| unknown(()))
        } else if text == "hangs" {
            Ok(End::Hung)
        } else {
            Err(unknown(()))
        }
    }
}
