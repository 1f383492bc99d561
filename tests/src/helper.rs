//! A test in a process of its own: the test program runs itself again, and
//! `main` calls a helper instead of the tests. For what would disturb the other
//! tests: no `init()`, a descriptor 3 of its own, a program that is deleted.

use libtest_mimic::{Arguments, Trial};
use multiprocessing::{Error, ForkServer, Process};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::os::linux::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Output};
use std::time::{Duration, Instant};
use std::{env, fs, io, thread};

/// Names the helper.
pub const VARIABLE: &str = "TEST_HELPER";

/// Far longer than anything here takes: a test that waits so long has failed.
pub const LONG: Duration = Duration::from_secs(60);

/// Far shorter than anything a test would wait for.
pub const SHORT: Duration = Duration::from_millis(10);

/// What a helper does; it prints what it saw.
pub type Helper = fn() -> Result<(), Box<dyn std::error::Error>>;

/// Calls the helper that this process was started for, if it is one of these, and
/// ends the process.
pub fn run_if_asked(helpers: &[(&str, Helper)]) {
    let Ok(name) = env::var(VARIABLE) else { return };
    let Some((_, helper)) = helpers.iter().find(|(known, _)| *known == name) else { return };
    match helper() {
        Ok(()) => std::process::exit(0),
        Err(error) => println!("{error}"),
    }
    std::process::exit(1)
}

/// The same for the last list: a helper that is in none must not run the tests.
pub fn run_or_fail(helpers: &[(&str, Helper)]) {
    run_if_asked(helpers);
    if let Ok(name) = env::var(VARIABLE) {
        println!("no helper {name}");
        std::process::exit(1);
    }
}

/// The main function of a test program: its trials, then the tests that run alone, each
/// in a process of its own. Trials call the other helpers.
pub fn main(
    mut trials: Vec<Trial>,
    alone: &[(&'static str, Helper)],
    helpers: &[(&str, Helper)],
) -> ExitCode {
    multiprocessing::init();
    run_if_asked(alone);
    run_or_fail(helpers);
    let run = |name| move || printed(command(name)).map(drop);
    trials.extend(alone.iter().map(|(name, _)| Trial::test(*name, run(name))));
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

/// Functions as helpers, each under its own name.
#[macro_export]
macro_rules! helpers {
    ($($function:ident),* $(,)?) => {
        &[$((stringify!($function), $function as $crate::helper::Helper)),*]
    };
}

/// The command for a helper in this program.
pub fn command(name: &str) -> Command {
    command_of(Path::new("/proc/self/exe"), name)
}

/// The command for a helper in a copy of this program.
pub fn command_of(program: &Path, name: &str) -> Command {
    let mut command = Command::new(program);
    command.env(VARIABLE, name);
    command
}

/// What a command printed; it must have ended with exit status 0.
pub fn printed(mut command: Command) -> Result<String, libtest_mimic::Failed> {
    let Output { status, stdout, stderr } = command.output()?;
    let text = String::from_utf8_lossy(&stdout).into_owned();
    match status.success() {
        true => Ok(text),
        false => Err(format!("{status}: {text}{}", String::from_utf8_lossy(&stderr)).into()),
    }
}

/// How many kills a test makes, of each kind.
pub fn kills() -> u64 {
    env::var("KILLS").ok().and_then(|kills| kills.parse().ok()).unwrap_or(100)
}

/// Lets a short time pass, to the microsecond, before a kill: no event is waited
/// for.
pub fn pass(time: Duration) {
    let start = Instant::now();
    while start.elapsed() < time {
        std::hint::spin_loop();
    }
}

/// Waits until a server or another process says so, for what nobody is told of.
pub fn until(is_so: impl Fn() -> Result<bool, Error>) -> Result<(), Error> {
    let start = Instant::now();
    while !is_so()? {
        assert!(start.elapsed() < LONG, "in vain");
        thread::yield_now();
    }
    Ok(())
}

/// Lets those that are on their way to a wait arrive. If they are late, the test proves less.
pub fn let_them_wait() {
    thread::sleep(10 * SHORT);
}

/// Whether a process waits in a system call (proc_pid_stat(5)).
pub fn is_asleep(pid: u32) -> io::Result<bool> {
    let status = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    Ok(status.rsplit(')').next().is_some_and(|status| status.starts_with(" S")))
}

/// How many descriptors this process has open, and how many mappings.
pub fn open_and_mapped() -> io::Result<(usize, usize)> {
    let mapped = fs::read_to_string("/proc/self/maps")?.lines().count();
    Ok((fs::read_dir("/proc/self/fd")?.count(), mapped))
}

/// Lets this process have so many descriptors from now on.
pub fn limit_files(most: u64) -> nix::Result<()> {
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE)?;
    setrlimit(Resource::RLIMIT_NOFILE, most, hard)
}

/// The processes whose parent this one is, whichever of its threads started them
/// (proc_pid_task_children(5)).
pub fn children() -> io::Result<Vec<i32>> {
    let mut children = Vec::new();
    for thread in fs::read_dir("/proc/self/task")?.flatten() {
        let listed = fs::read_to_string(thread.path().join("children")).unwrap_or_default();
        children.extend(listed.split_whitespace().filter_map(|pid| pid.parse::<i32>().ok()));
    }
    Ok(children)
}

/// How many blocks of memory the large messages of all queues of this process take.
pub fn large_blocks() -> io::Result<u64> {
    let mut blocks = 0;
    for entry in fs::read_dir("/proc/self/fd")?.flatten() {
        let target = fs::read_link(entry.path()).unwrap_or_default();
        if target.to_string_lossy().contains("multiprocessing-Large") {
            blocks += fs::metadata(entry.path())?.st_blocks();
        }
    }
    Ok(blocks)
}

/// The time that the processor has spent on this process.
pub fn processor_time() -> nix::Result<Duration> {
    let usage = nix::sys::resource::getrusage(nix::sys::resource::UsageWho::RUSAGE_SELF)?;
    let time = usage.user_time() + usage.system_time();
    Ok(Duration::from_micros(time.tv_sec() as u64 * 1_000_000 + time.tv_usec() as u64))
}

/// What `f` returns in a process of its own.
pub fn elsewhere<A, R>(f: fn(A) -> R, args: A) -> Result<R, Error>
where
    A: Serialize + DeserializeOwned,
    R: Serialize + DeserializeOwned,
{
    join(Process::spawn(f, args)?)
}

/// Joins one that must not hang.
pub fn join<R: Serialize + DeserializeOwned>(process: Process<R>) -> Result<R, Error> {
    assert!(!multiprocessing::wait(&[&process], Some(LONG))?.is_empty(), "it hangs");
    process.join()
}

/// A child that is killed at an instant that depends on `n`: from "not started yet" to
/// "has gone round often", also on a busy machine.
pub fn doom<A, R>(server: &ForkServer, f: fn(A) -> R, args: A, n: u64) -> Result<(), Error>
where
    A: Serialize + DeserializeOwned,
    R: Serialize + DeserializeOwned,
{
    let child = server.spawn(f, args)?;
    let soon = n * 37 % 400;
    pass(Duration::from_micros(if n % 10 == 9 { soon * 20 } else { soon }));
    let _ = child.kill(); // it may have ended
    match child.join() {
        Ok(_) | Err(Error::Killed { signal: 9 }) => Ok(()),
        Err(other) => Err(other),
    }
}

/// The file of a block of shared memory that has this name.
pub fn path(name: &str) -> PathBuf {
    Path::new("/dev/shm").join(name)
}

/// Waits until no name of shared memory begins like this. Those that stay are removed.
pub fn wait_until_gone(name: &str) -> io::Result<()> {
    let deadline = Instant::now() + LONG / 6;
    loop {
        let names = fs::read_dir("/dev/shm")?.flatten().map(|entry| entry.path());
        let start = path(name).into_os_string().into_encoded_bytes();
        let is_left = |path: &PathBuf| path.as_os_str().as_encoded_bytes().starts_with(&start);
        let left: Vec<_> = names.filter(is_left).collect();
        if left.is_empty() {
            return Ok(());
        }
        if Instant::now() > deadline {
            left.iter().try_for_each(fs::remove_file)?;
            return Err(io::Error::other(format!("{left:?} are left")));
        }
        thread::yield_now();
    }
}

/// A name of shared memory that no other test and no other process has.
pub fn name(test: &str) -> String {
    format!("test-{test}-{}.", std::process::id())
}

/// An enum that can lie in shared memory. No variant is zero.
#[derive(Clone, Copy, Debug, PartialEq, bytemuck::NoUninit, bytemuck::CheckedBitPattern)]
#[repr(u16)]
pub enum Weather {
    /// 500
    Sun = 500,
    /// 501
    Rain,
}
