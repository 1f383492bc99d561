//! Pools: workers that cannot start, beside others that can.

use multiprocessing::{Error, Pool, RawArray};
use std::fs::File;
use std::mem;
use std::process::{self, ExitCode};
use std::sync::atomic::Ordering::SeqCst;
use std::thread;
use tests::helper::{self, LONG, SHORT, until};
use tests::tasks::{park, send, square};
use tests::{Outcome, trials};

fn main() -> ExitCode {
    let trials = trials![
        workers_that_fail_beside_a_good_one_are_few,
        a_good_worker_may_retire_beside_those_that_fail,
        a_worker_that_does_not_end_is_no_good_one,
    ];
    helper::main(trials, &[], &[])
}

/// An initializer that lets the first worker alone pass.
fn first(taken: RawArray<u32>) {
    if taken.atomics()[0].swap(1, SeqCst) == 1 {
        process::exit(3);
    }
}

fn workers_that_fail_beside_a_good_one_are_few() -> Outcome {
    let pool = Pool::builder().workers(2).initializer(first, RawArray::new(1)?).build()?;
    let pid = pool.apply(|()| process::id(), ())?;
    thread::sleep(50 * SHORT);
    assert_eq!(pool.apply(square, 3)?, 9);
    let restarts = pool.stats().restarts;
    assert!(restarts < 20, "{restarts}");
    until(|| Ok(pool.stats().restarts >= 2))?;
    send(pid, libc::SIGKILL);
    while !matches!(pool.apply(square, 3), Err(Error::PoolBroken { .. })) {}
    Ok(())
}

/// An initializer that lets one worker at a time pass, with a lock of a file.
fn alone(_: ()) {
    let program = File::open("/proc/self/exe").expect("it is there");
    if program.try_lock().is_err() {
        thread::sleep(4 * SHORT);
        process::exit(3);
    }
    thread::sleep(6 * SHORT);
    mem::forget(program); // the lock ends with the worker
}

fn a_good_worker_may_retire_beside_those_that_fail() -> Outcome {
    let pool = Pool::builder().workers(2).tasks_per_worker(20).initializer(alone, ()).build()?;
    for _ in 0..100 {
        pool.apply(thread::sleep, SHORT)?; // the others fail meanwhile
    }
    Ok(())
}

/// It has done all tasks of its life, and its finalizer never ends.
fn a_worker_that_does_not_end_is_no_good_one() -> Outcome {
    let builder = Pool::builder().workers(2).tasks_per_worker(1).finalizer(|| park(0));
    let pool = builder.initializer(first, RawArray::new(1)?).build()?;
    assert_eq!(pool.apply(square, 3)?, 9);
    let second = pool.apply_async(square, 4).get_timeout(LONG);
    assert!(matches!(second, Err(Error::PoolBroken { .. })), "{second:?}");
    Ok(())
}
