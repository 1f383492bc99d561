//! Conditions: waiting, with a limit and without, for what a lock protects.

use multiprocessing::{Array, Condition, Error, Event, ForkServer, Lock, Process, RLock, Value};
use std::process::{ExitCode, abort};
use std::time::{Duration, Instant};
use tests::helper::{self, LONG, SHORT, doom, elsewhere, join, kills};
use tests::{Outcome, helpers, trials};

fn main() -> ExitCode {
    let trials = trials![
        a_condition_waits_for_what_a_lock_protects,
        a_wait_says_whether_it_timed_out,
        a_wait_while_ends_with_its_time_or_with_what_it_waits_for,
        every_lock_can_be_waited_with,
        an_rlock_is_given_back_as_often_as_it_is_held,
        a_death_during_a_wait_leaves_the_other_guards,
        waiters_for_a_condition_are_killed,
    ];
    helper::main(trials, helpers![two_handles_of_one_rlock_are_one_lock], &[])
}

type Level = (Value<u64>, Condition);

fn new_level() -> Result<Level, Error> {
    Ok((Value::new(0)?, Condition::new()?))
}

/// Raises the level by one.
fn raise((level, changed): Level) -> Result<(), Error> {
    *level.lock_or_repair(|_| ())? += 1;
    changed.notify_all();
    Ok(())
}

/// Waits for a level, and lowers it by one.
fn lower((level, changed): Level) -> Result<(), Error> {
    *changed.wait_while(level.lock_or_repair(|_| ())?, |level| *level == 0)? -= 1;
    Ok(())
}

fn a_condition_waits_for_what_a_lock_protects() -> Outcome {
    let level = new_level()?;
    let children: Result<Vec<_>, Error> =
        (0..3).map(|_| Process::spawn(lower, level.clone())).collect();
    (0..3).try_for_each(|_| raise(level.clone()))?;
    for child in children? {
        join(child)??;
    }
    assert_eq!(*level.0.lock()?, 0);
    Ok(())
}

fn a_wait_says_whether_it_timed_out() -> Outcome {
    let (level, changed) = new_level()?;
    let start = Instant::now();
    let (guard, result) = changed.wait_timeout(level.lock()?, SHORT)?;
    assert!(result.timed_out() && start.elapsed() >= SHORT);
    // The child cannot raise it before this process waits.
    let child = Process::spawn(raise, (level.clone(), changed.clone()))?;
    let (guard, result) = changed.wait_timeout(guard, LONG)?;
    assert!(!result.timed_out() && *guard == 1);
    drop(guard);
    join(child)??;
    Ok(())
}

fn a_wait_while_ends_with_its_time_or_with_what_it_waits_for() -> Outcome {
    let (level, changed) = new_level()?;
    let (start, mut asked) = (Instant::now(), 0);
    let stays = |level: &mut u64| {
        asked += 1;
        *level == 0
    };
    let (guard, result) = changed.wait_timeout_while(level.lock()?, SHORT, stays)?;
    assert!(result.timed_out() && start.elapsed() >= SHORT && asked >= 2);
    let (guard, result) = changed.wait_timeout_while(guard, SHORT, |level| *level == 1)?;
    assert!(!result.timed_out(), "there was nothing to wait for");
    let child = Process::spawn(raise, (level.clone(), changed.clone()))?;
    let (guard, result) = changed.wait_timeout_while(guard, LONG, |level| *level == 0)?;
    assert!(!result.timed_out() && *guard == 1);
    drop(guard);
    join(child)??;
    Ok(())
}

fn every_lock_can_be_waited_with() -> Outcome {
    let (array, lock, changed) = (Array::from_slice(&[1, 7])?, Lock::new()?, Condition::new()?);
    let change = |numbers: &mut [i32]| {
        numbers[0] += 1;
        true
    };
    let (guard, result) = changed.wait_timeout_while(array.lock()?, SHORT, change)?;
    assert!(result.timed_out() && guard[0] > 2 && guard[1] == 7);
    let (_guard, result) = changed.wait_timeout_while(lock.acquire()?, SHORT, |()| true)?;
    assert!(result.timed_out() && lock.is_locked()?);
    Ok(())
}

/// Whether another process could take it.
fn is_free(lock: &RLock) -> Result<bool, Error> {
    let is_free = |lock: RLock| lock.try_acquire().is_ok();
    elsewhere(is_free, lock.clone())
}

fn an_rlock_is_given_back_as_often_as_it_is_held() -> Outcome {
    let (lock, changed, done) = (RLock::new()?, Condition::new()?, Event::new()?);
    let (outer, inner) = (lock.acquire()?, lock.acquire()?);
    let notify = |(lock, changed, done): (RLock, Condition, Event)| {
        let _guard = lock.acquire().expect("the parent waits");
        done.set();
        changed.notify_all();
    };
    let child = Process::spawn(notify, (lock.clone(), changed.clone(), done.clone()))?;
    let inner = changed.wait_while(inner, |()| !done.is_set())?;
    join(child)?;
    drop(outer);
    assert!(!is_free(&lock)?, "the inner guard holds it");
    drop(inner);
    assert!(is_free(&lock)?);
    Ok(())
}

fn a_death_during_a_wait_leaves_the_other_guards() -> Outcome {
    let (lock, changed) = (RLock::new()?, Condition::new()?);
    let (outer, inner) = (lock.acquire()?, lock.acquire()?);
    let notify_and_die = |(lock, changed): (RLock, Condition)| {
        let _guard = lock.acquire().expect("the parent waits");
        changed.notify_all();
        abort()
    };
    let child = Process::<()>::spawn(notify_and_die, (lock.clone(), changed.clone()))?;
    assert!(matches!(changed.wait_while(inner, |()| true), Err(Error::OwnerDied)));
    assert!(join(child).is_err());
    assert!(!is_free(&lock)?, "the outer guard holds it");
    drop(outer);
    drop(lock.acquire_or_repair(|| ())?);
    assert!(is_free(&lock)?);
    Ok(())
}

fn two_handles_of_one_rlock_are_one_lock() -> Result<(), Box<dyn std::error::Error>> {
    let (one, changed) = (RLock::new()?, Condition::new()?);
    let (other, third) = (one.clone(), one.clone());
    let (first, second) = (one.acquire()?, other.acquire()?);
    drop(first);
    drop(one); // its memory stays: the thread's list of locks points into it
    drop(Lock::new()?.acquire()?);
    assert!(!is_free(&third)?);
    let third_guard = third.acquire()?;
    let (second, _) = changed.wait_timeout(second, SHORT)?;
    drop((second, third_guard));
    assert!(is_free(&third)?);
    Ok(())
}

fn waiters_for_a_condition_are_killed() -> Outcome {
    let (server, level) = (ForkServer::start()?, new_level()?);
    let lower_often = |(level, times): (Level, u64)| {
        (0..times).for_each(|_| match lower(level.clone()) {
            Ok(()) | Err(Error::OwnerDied) => (), // told when it took the lock again
            Err(other) => panic!("{other}"),
        });
    };
    let survivor = server.spawn(lower_often, (level.clone(), kills()))?;
    for n in 0..kills() {
        raise(level.clone())?;
        doom(&server, lower_often, (level.clone(), u64::MAX), n)?;
    }
    let start = Instant::now();
    while multiprocessing::wait(&[&survivor], Some(Duration::from_millis(1)))?.is_empty() {
        assert!(start.elapsed() < LONG, "a waiter is lost");
        let is_low = *level.0.lock_or_repair(|_| ())? == 0;
        if is_low {
            raise(level.clone())?;
        }
    }
    join(survivor)?;
    Ok(())
}
