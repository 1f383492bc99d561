//! Executors: how they end, with what they have not begun.

use multiprocessing::{
    Error, Event, Executor, ProcessPoolExecutor, RawArray, Task, ThreadPoolExecutor,
};
use std::error::Error as StdError;
use std::process::{self, ExitCode};
use std::sync::atomic::Ordering::SeqCst;
use std::{fs, thread};
use tests::helper::{self, LONG, until};
use tests::tasks::{Go, square};
use tests::{Outcome, helpers, trials};

fn main() -> ExitCode {
    let trials = trials![
        a_dropped_map_cancels_what_has_not_begun,
        an_executor_ends_without_what_was_cancelled,
        a_task_that_was_just_cancelled_holds_up_no_end,
        a_closed_executor_lets_its_processes_end,
        threads_have_processes_of_their_own,
    ];
    helper::main(trials, helpers![a_closed_executor_lets_its_threads_end], &[])
}

type Begun = RawArray<u32>;

/// Notes that it was begun, and waits if it is to.
fn begin((begun, number, go): (Begun, usize, Event)) -> u32 {
    begun.atomics()[number].store(process::id(), SeqCst);
    if number > 0 {
        go.wait();
    }
    process::id()
}

/// How many of the tasks were begun.
fn count(begun: &Begun) -> usize {
    begun.to_vec().iter().filter(|pid| **pid != 0).count()
}

/// It has one worker.
fn check_map(executor: impl Executor) -> Outcome {
    let (begun, go) = (Begun::new(50)?, Go::new()?);
    let items = (0..50).map(|number| (begun.clone(), number, go.clone()));
    let mut results = executor.map(begin, items);
    assert_eq!(results.next().ok_or("it ended")??, begun.get(0)?);
    until(|| Ok(count(&begun) == 2))?;
    drop(results);
    go.set();
    executor.shutdown();
    assert_eq!(count(&begun), 2);
    Ok(())
}

fn a_dropped_map_cancels_what_has_not_begun() -> Outcome {
    check_map(ThreadPoolExecutor::new(1)?)?;
    check_map(ProcessPoolExecutor::new(1)?)
}

/// It has two workers.
fn check_shutdown(executor: impl Executor) -> Outcome {
    let (begun, go) = (Begun::new(51)?, Go::new()?);
    let give = |number| executor.submit(begin, (begun.clone(), number, go.clone()));
    let tasks: Vec<_> = (1..51).map(give).collect();
    until(|| Ok(count(&begun) == 2))?;
    executor.cancel_waiting();
    executor.close();
    go.set();
    executor.shutdown();
    assert!(tasks.iter().all(Task::is_done));
    for (number, task) in (1..).zip(tasks) {
        match begun.get(number)? {
            0 => assert!(matches!(task.get(), Err(Error::Cancelled))),
            pid => assert_eq!(task.get()?, pid),
        }
    }
    assert_eq!(count(&begun), 2);
    Ok(())
}

fn an_executor_ends_without_what_was_cancelled() -> Outcome {
    check_shutdown(ThreadPoolExecutor::new(2)?)?;
    check_shutdown(ProcessPoolExecutor::new(2)?)
}

fn check_last(executor: impl Executor) -> Outcome {
    executor.submit(square, 2).get()?;
    let last = executor.submit(square, 3);
    last.cancel();
    executor.shutdown();
    assert!(last.is_done());
    assert!(matches!(last.get(), Ok(9) | Err(Error::Cancelled)));
    Ok(())
}

/// Whether it was begun or not.
fn a_task_that_was_just_cancelled_holds_up_no_end() -> Outcome {
    for _ in 0..20 {
        check_last(ThreadPoolExecutor::new(1)?)?;
        check_last(ProcessPoolExecutor::new(1)?)?;
    }
    Ok(())
}

/// Although nobody waits for that.
fn a_closed_executor_lets_its_processes_end() -> Outcome {
    let executor = ProcessPoolExecutor::new(2)?;
    let pids: Vec<_> = executor.map(|_: u32| process::id(), 0..20).collect::<Result<_, _>>()?;
    let last = executor.submit(square, 3);
    executor.close();
    until(|| Ok(executor.pool().stats().workers == 0))?;
    for pid in pids {
        assert!(!fs::exists(format!("/proc/{pid}"))?);
    }
    assert_eq!(last.get_timeout(LONG)?, 9);
    assert!(matches!(executor.submit(square, 1).get(), Err(Error::Closed)));
    Ok(())
}

fn a_closed_executor_lets_its_threads_end() -> Result<(), Box<dyn StdError>> {
    let threads = || fs::read_dir("/proc/self/task").map_or(0, Iterator::count);
    let (executor, go) = (ThreadPoolExecutor::new(3)?, Go::new()?);
    let tasks: Vec<_> =
        (0..10).map(|_| executor.submit(|go: Event| go.wait(), go.clone())).collect();
    executor.close();
    assert_eq!(threads(), 4);
    go.set();
    until(|| Ok(threads() == 1))?;
    assert!(tasks.iter().all(|task| task.is_done() && !task.has_failed()));
    assert!(matches!(executor.submit(square, 1).get(), Err(Error::Closed)));
    Ok(())
}

/// While another thread gives its own executor tasks.
fn threads_have_processes_of_their_own() -> Outcome {
    let ask_child = |number: u64| -> Result<(u64, u32), Error> {
        let executor = ProcessPoolExecutor::new(1)?;
        executor.submit(|number| (square(number), process::id()), number).get()
    };
    let executor = ThreadPoolExecutor::new(3)?;
    let go = Go::new()?;
    thread::scope(|scope| {
        scope.spawn(|| {
            while !go.is_set() {
                executor.submit(|()| (), ()).wait();
            }
        });
        let answers: Result<Vec<_>, Error> = executor.map(ask_child, 0..10).flatten().collect();
        go.set();
        let (squares, mut pids): (Vec<_>, Vec<_>) = answers?.into_iter().unzip();
        assert_eq!(squares, (0..10).map(square).collect::<Vec<_>>());
        pids.push(process::id());
        pids.sort();
        pids.dedup();
        assert_eq!(pids.len(), 11);
        Ok(())
    })
}
