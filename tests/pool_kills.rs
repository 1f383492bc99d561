//! Pools whose workers are killed at random instants, with time limits and cancellations mixed
//! in: every task answers once, and none is begun twice.

use multiprocessing::{Error, Pool, RawArray, Task};
use std::error::Error as StdError;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::time::Duration;
use std::{io, thread};
use tests::helper::{self, children, kills, open_and_mapped, pass};
use tests::helpers;

fn main() -> ExitCode {
    helper::main(vec![], helpers![every_task_answers_once, a_map_survives_kills], &[])
}

const TASKS: usize = 10_000;
const SHORT_TASKS: usize = 40_000;

/// How often each task was begun.
type Begun = RawArray<u32>;

/// Most tasks take up to 200 µs, and some wait to be ended.
fn work((begun, number): (Begun, usize)) -> usize {
    begun.atomics()[number].fetch_add(1, SeqCst);
    match number % 100 {
        50 | 51 => loop {
            thread::park();
        },
        rest => pass(Duration::from_micros(2 * rest as u64)),
    }
    number
}

/// Twice as many kills as `KILLS` says.
fn every_task_answers_once() -> Result<(), Box<dyn StdError>> {
    let before = open_and_mapped()?.0;
    let begun = Begun::new(TASKS)?;
    let pool = Pool::new(3)?;
    let (limited, unlimited) = (pool.tasks().time_limit(Duration::from_millis(30)), pool.tasks());
    let give = |number: usize| {
        let tasks = if number % 100 == 51 { &unlimited } else { &limited };
        tasks.apply_async(work, (begun.clone(), number))
    };
    let tasks: Vec<_> = (0..TASKS).map(give).collect();
    let ended = AtomicBool::new(false);
    let answers = thread::scope(|scope| {
        let killer = scope.spawn(|| kill_workers(&pool, 2 * kills(), &ended));
        let endless = || (51..TASKS).step_by(100).map(|number| &tasks[number]);
        while !endless().all(Task::is_done) {
            endless().filter(|task| task.is_running()).for_each(Task::cancel);
            pass(Duration::from_micros(100));
        }
        let answers: Vec<_> = tasks.into_iter().map(Task::get).collect();
        ended.store(true, SeqCst);
        let kills = killer.join().map_err(|_| "it panicked")??;
        Ok::<_, Box<dyn StdError>>((answers, kills))
    })?;
    check(answers, &begun.to_vec())?;
    drop(pool);
    assert_eq!(children()?, []);
    drop(begun);
    assert!(open_and_mapped()?.0 <= before + 1); // and /dev/null, once in a process
    Ok(())
}

fn check(
    (answers, kills): (Vec<Result<usize, Error>>, u64),
    begun: &[u32],
) -> Result<(), Box<dyn StdError>> {
    let mut died = 0;
    for (number, answer) in answers.into_iter().enumerate() {
        match answer {
            Ok(returned) => assert_eq!((returned, begun[number]), (number, 1)),
            Err(Error::WorkerDied { exit_code: Some(-9), .. }) => died += 1,
            Err(Error::TimeLimit { .. }) if number % 100 == 50 => {}
            Err(Error::TimeLimit { .. }) => {} // a busy machine
            Err(Error::Cancelled) => assert_eq!(number % 100, 51),
            Err(other) => return Err(other.into()),
        }
        assert!(begun[number] <= 1, "{number} was begun {} times", begun[number]);
    }
    assert!(died > 0 && died <= kills, "{died} tasks died of {kills} kills");
    Ok(())
}

/// The chunks of a map are shared out anew at each death. Many of its answers are in shared
/// memory then.
fn a_map_survives_kills() -> Result<(), Box<dyn StdError>> {
    let begun = Begun::new(SHORT_TASKS)?;
    let pool = Pool::new(2)?;
    let ended = AtomicBool::new(false);
    let short = |(begun, number): (Begun, usize)| {
        begun.atomics()[number].fetch_add(1, SeqCst);
        pass(Duration::from_micros(number as u64 % 50));
        number
    };
    let (answers, kills) = thread::scope(|scope| {
        let killer = scope.spawn(|| kill_workers(&pool, kills() / 2, &ended));
        let items = (0..SHORT_TASKS).map(|number| (begun.clone(), number));
        let answers: Vec<_> = pool.imap(short, items).collect();
        ended.store(true, SeqCst);
        let kills = killer.join().map_err(|_| "it panicked")??;
        Ok::<_, Box<dyn StdError>>((answers, kills))
    })?;
    check((answers, kills), &begun.to_vec())
}

/// Kills children of this process, one at a time, until this many were killed or the work has
/// ended. Returns how many were.
fn kill_workers(pool: &Pool, most: u64, ended: &AtomicBool) -> io::Result<u64> {
    let mut killed = 0;
    while killed < most && !ended.load(SeqCst) {
        pass(Duration::from_micros(killed * 997 % 8_000));
        while pool.stats().running == 0 && !ended.load(SeqCst) {
            thread::yield_now(); // a worker that is just starting runs nothing
        }
        let children = children()?;
        if let Some(pid) = children.get(killed as usize % children.len().max(1)) {
            killed += u64::from(kill_child(*pid)?);
        }
    }
    Ok(killed)
}

/// Kills the process if it still is a child of this one: its id may be another's by now.
fn kill_child(pid: i32) -> io::Result<bool> {
    // SAFETY: it takes two numbers.
    let pidfd = unsafe { libc::syscall(libc::SYS_pidfd_open, pid, 0) };
    if pidfd < 0 {
        return Ok(false);
    }
    // SAFETY: it was just opened, and nothing else owns it.
    let pidfd = unsafe { OwnedFd::from_raw_fd(pidfd as i32) };
    if !children()?.contains(&pid) {
        return Ok(false);
    }
    let (signal, info) = (libc::SIGKILL, std::ptr::null::<libc::siginfo_t>());
    // SAFETY: the descriptor is open, and null stands for the usual information.
    let sent =
        unsafe { libc::syscall(libc::SYS_pidfd_send_signal, pidfd.as_raw_fd(), signal, info, 0) };
    Ok(sent == 0)
}
