//! What /proc says of a process: its state, and what it waits for (proc(5)).

use crate::seen::Process;
use std::collections::HashMap;
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

/// A field of /proc/PID/status.
pub fn status(pid: i32, field: &str) -> Option<String> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':'))?;
    Some(line.trim().to_string())
}

/// The same, for a number.
pub fn number(pid: i32, field: &str) -> Option<i32> {
    status(pid, field)?.parse().ok()
}

/// How many bytes of memory it has of its own.
pub fn memory(pid: i32) -> u64 {
    let kilobytes = |field| {
        let text = status(pid, field)?;
        text.split(' ').next()?.parse::<u64>().ok()
    };
    1024 * (kilobytes("RssAnon").unwrap_or(0) + kilobytes("RssShmem").unwrap_or(0))
}

/// How long it was on a processor (/proc/PID/stat, in hundredths of a second).
pub fn processor_time(pid: i32) -> Duration {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let fields = stat.rsplit(')').next().unwrap_or_default().split(' ');
    let ticks: u64 = fields.skip(12).take(2).filter_map(|ticks| ticks.parse::<u64>().ok()).sum();
    Duration::from_millis(10 * ticks)
}

/// What a process does at this moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doing {
    /// It has a core, or could use one.
    Running,
    /// It waits for the time to pass.
    Sleeping,
    /// It waits for something to happen.
    Waiting,
}

pub fn doing(pid: i32) -> Doing {
    let is_waiting = status(pid, "State").is_some_and(|state| state.starts_with('S'));
    match system_call(pid).0 {
        _ if !is_waiting => Doing::Running,
        Some(libc::SYS_nanosleep | libc::SYS_clock_nanosleep) => Doing::Sleeping,
        Some(_) => Doing::Waiting,
        None => Doing::Running,
    }
}

/// Whether all its threads wait for something to happen.
pub fn all_wait(pid: i32) -> bool {
    threads(pid).all(|thread| doing(thread) == Doing::Waiting)
}

/// How often it has begun to wait.
pub fn waits(pid: i32) -> i32 {
    number(pid, "voluntary_ctxt_switches").unwrap_or(0)
}

pub const WRITE: u64 = libc::SYS_write as u64;
pub const WRITE_PIECES: u64 = libc::SYS_writev as u64;
pub const SLEEP: u64 = libc::SYS_nanosleep as u64;
pub const SLEEP_BY_CLOCK: u64 = libc::SYS_clock_nanosleep as u64;

/// The number of the system call that a thread stands before, and the call's arguments
/// (/proc/PID/syscall).
pub fn call(thread: i32) -> Vec<u64> {
    let line = fs::read_to_string(format!("/proc/{thread}/syscall")).unwrap_or_default();
    let number = |word: &str| match word.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16),
        None => word.parse(),
    };
    line.split_whitespace().map_while(|word| number(word).ok()).collect()
}

/// The system call that it is in, and that call's first argument.
fn system_call(pid: i32) -> (Option<i64>, Option<i32>) {
    let line = fs::read_to_string(format!("/proc/{pid}/syscall")).unwrap_or_default();
    let mut words = line.split_whitespace();
    let number = words.next().and_then(|number| number.parse().ok());
    let argument = words.next().and_then(|word| i32::from_str_radix(word.get(2..)?, 16).ok());
    (number, argument)
}

/// Whether it has something to do: it runs, or waits for a processor or for a disk.
pub fn is_running(pid: i32) -> bool {
    status(pid, "State").is_some_and(|state| state.starts_with(['R', 'D', 't']))
}

/// How often one of its threads has waited for something (proc(5), voluntary_ctxt_switches).
pub fn waits_of_threads(pid: i32) -> u64 {
    let waits = |id| status(id, "voluntary_ctxt_switches")?.parse::<u64>().ok();
    threads(pid).filter_map(waits).sum()
}

/// The ids of its threads.
pub fn threads(pid: i32) -> impl Iterator<Item = i32> {
    let threads = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    threads.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

/// How many bytes it has written, to files and to whatever else has a descriptor (/proc/PID/io).
pub fn written(pid: i32) -> u64 {
    let text = fs::read_to_string(format!("/proc/{pid}/io")).unwrap_or_default();
    let bytes = text.lines().find_map(|line| line.strip_prefix("wchar: ")?.parse().ok());
    bytes.unwrap_or(0)
}

/// The files in /dev/shm that it has open or mapped, and that have not been removed.
pub fn in_shared_memory(pid: i32) -> Vec<PathBuf> {
    let maps = fs::read_to_string(format!("/proc/{pid}/maps")).unwrap_or_default();
    let mapped = maps.lines().filter_map(|line| Some(line[line.find('/')?..].to_string()));
    let opened = open_files(pid).into_iter().map(|(_, file)| file);
    let is_shared = |file: &String| file.starts_with("/dev/shm/") && !file.ends_with(" (deleted)");
    mapped.chain(opened).filter(is_shared).map(PathBuf::from).collect()
}

/// Its children, and all that they have started.
pub fn descendants(pid: i32) -> Vec<i32> {
    let threads = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    let lists =
        threads.filter_map(|thread| fs::read_to_string(thread.path().join("children")).ok());
    let children: Vec<i32> = lists
        .flat_map(|list| list.split(' ').filter_map(|id| id.parse().ok()).collect::<Vec<_>>())
        .collect();
    let theirs: Vec<i32> = children.iter().flat_map(|child| descendants(*child)).collect();
    [children, theirs].concat()
}

fn open_files(pid: i32) -> Vec<(i32, String)> {
    let folder = fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten();
    let file = |entry: fs::DirEntry| {
        let number = entry.file_name().to_str()?.parse().ok()?;
        Some((number, fs::read_link(entry.path()).ok()?.to_string_lossy().into_owned()))
    };
    folder.filter_map(file).collect()
}

/// A sentence for each process that has not ended.
pub fn describe(processes: &[Process]) -> Vec<String> {
    let living = || processes.iter().enumerate().filter(|(_, process)| process.end.is_none());
    let files: HashMap<_, _> = living().map(|(place, p)| (place, open_files(p.pid))).collect();
    living().map(|(place, process)| sentence(place, process, processes, &files)).collect()
}

/// What the processes are called: "your program", "child 1".
pub fn name(place: usize, processes: &[Process]) -> String {
    match processes[place].parent {
        None if place == 0 => "your program".into(),
        Some(0) => {
            let before = processes[..place].iter().filter(|other| other.parent == Some(0)).count();
            format!("its child {}", before + 1)
        }
        _ => format!("process {}", processes[place].pid),
    }
}

fn sentence(
    place: usize,
    process: &Process,
    processes: &[Process],
    files: &HashMap<usize, Vec<(i32, String)>>,
) -> String {
    let who = name(place, processes);
    if status(process.pid, "State").is_some_and(|state| state.starts_with('Z')) {
        return format!("{who} has ended, and nobody has waited for it");
    }
    let (number, argument) = system_call(process.pid);
    let file = || {
        let files = &files[&place];
        let file = files.iter().find(|(number, _)| Some(*number) == argument);
        file.map_or("a file".to_string(), |(_, file)| file.clone())
    };
    let what = match number {
        Some(libc::SYS_read | libc::SYS_recvmsg | libc::SYS_recvfrom) => {
            let file = file();
            format!("waits to read from a {}{}", kind(&file), holders(&file, processes, files))
        }
        Some(libc::SYS_write | libc::SYS_sendmsg | libc::SYS_sendto) => {
            let file = file();
            format!("waits to write to a {}{}", kind(&file), holders(&file, processes, files))
        }
        Some(libc::SYS_wait4 | libc::SYS_waitid) => "waits for a child to end".into(),
        Some(libc::SYS_futex | libc::SYS_futex_waitv) => {
            "waits for a lock, for another thread, or to be woken".into()
        }
        Some(libc::SYS_poll | libc::SYS_ppoll | libc::SYS_epoll_wait | libc::SYS_select) => {
            "waits for one of several things (poll): a child's end, or a message".into()
        }
        Some(libc::SYS_nanosleep | libc::SYS_clock_nanosleep) => "sleeps".into(),
        Some(libc::SYS_restart_syscall) => "sleeps, or waits with a limit".into(),
        Some(libc::SYS_accept | libc::SYS_accept4) => "waits for somebody to connect".into(),
        Some(libc::SYS_pause | libc::SYS_rt_sigsuspend) => "waits for a signal".into(),
        Some(libc::SYS_flock) => "waits for the lock of a file".into(),
        Some(number) if number >= 0 => format!("waits in system call {number}"),
        _ => "is running: it may be in a loop".into(),
    };
    format!("{who} {what}")
}

fn kind(file: &str) -> &str {
    match file.split(':').next() {
        Some("pipe") => "pipe",
        Some("socket") => "socket",
        _ => "file",
    }
}

/// Who has the same pipe open. (The two ends of a pair of sockets have different names.)
fn holders(
    file: &str,
    processes: &[Process],
    files: &HashMap<usize, Vec<(i32, String)>>,
) -> String {
    let has = |place: &usize| files[place].iter().any(|(_, other)| other == file);
    let mut places: Vec<_> = files.keys().copied().filter(has).collect();
    places.sort_unstable();
    let names: Vec<_> = places.into_iter().map(|place| name(place, processes)).collect();
    match file.starts_with("pipe:") {
        true => format!(", which {} open", join(&names)),
        false => String::new(),
    }
}

/// "a and b have"
fn join(names: &[String]) -> String {
    match names {
        [] => "nobody has".into(),
        [one] => format!("only {one} has"),
        [rest @ .., last] => format!("{} and {last} have", rest.join(", ")),
    }
}
