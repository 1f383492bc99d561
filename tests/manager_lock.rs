//! A manager's locks: who has one, who is refused, who gives up, and what a kill leaves.

use multiprocessing::{Error, LockProxy, Manager, Process, RLockProxy, ValueProxy};
use std::process::ExitCode;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::thread;
use std::time::Duration;
use tests::helper::{self, LONG, SHORT, elsewhere, join, let_them_wait, until};
use tests::{Outcome, trials};

fn main() -> ExitCode {
    let trials = trials![
        a_lock_excludes_threads_and_processes,
        a_lock_says_why_it_is_not_taken,
        a_killed_holder_is_told_until_a_repair,
        a_panic_under_the_lock_is_told_too,
        an_rlock_belongs_to_a_thread,
        an_rlock_is_free_after_its_last_guard,
        a_time_out_that_comes_with_the_lock_leaves_it_whole,
    ];
    helper::main(trials, &[], &[])
}

fn a_lock_excludes_threads_and_processes() -> Outcome {
    let manager = Manager::start()?;
    let (lock, value) = (manager.lock()?, manager.value(0u32)?);
    let add = |(lock, value): (LockProxy, ValueProxy<u32>)| -> Result<(), Error> {
        for _ in 0..100 {
            let _guard = lock.acquire()?;
            value.set(value.get()? + 1)?;
        }
        Ok(())
    };
    let child = Process::spawn(add, (lock.clone(), value.clone()))?;
    thread::scope(|scope| {
        let threads: Vec<_> =
            (0..2).map(|_| scope.spawn(|| add((lock.clone(), value.clone())))).collect();
        threads.into_iter().try_for_each(|thread| thread.join().expect("no panic"))
    })?;
    join(child)??;
    assert_eq!(value.get()?, 300);
    Ok(())
}

fn try_it(lock: LockProxy) -> String {
    format!("{:?}", lock.try_acquire().map(drop))
}

fn a_lock_says_why_it_is_not_taken() -> Outcome {
    let manager = Manager::start()?;
    let lock = manager.lock()?;
    let guard = lock.acquire()?;
    assert!(lock.is_locked()?);
    assert!(matches!(lock.acquire(), Err(Error::AlreadyHeld)));
    assert!(matches!(lock.clone().try_acquire(), Err(Error::AlreadyHeld)));
    let expected = format!("{:?}", Err::<(), _>(Error::WouldBlock));
    assert_eq!(elsewhere(try_it, lock.clone())?, expected);
    thread::scope(|scope| {
        let timed_out = scope.spawn(|| matches!(lock.acquire_timeout(SHORT), Err(Error::TimedOut)));
        assert!(timed_out.join().expect("no panic"));
    });
    drop(guard);
    assert!(!lock.is_locked()?);
    drop(lock.acquire_timeout(Duration::ZERO)?);
    drop(lock.acquire_timeout(Duration::MAX)?);
    assert_eq!(elsewhere(try_it, lock)?, "Ok(())");
    Ok(())
}

/// Holds the lock for ever.
fn hold(lock: LockProxy) -> Result<(), Error> {
    let _guard = lock.acquire()?;
    loop {
        thread::park();
    }
}

fn a_killed_holder_is_told_until_a_repair() -> Outcome {
    let manager = Manager::start()?;
    let lock = manager.lock()?;
    let child = Process::spawn(hold, lock.clone())?;
    until(|| lock.is_locked())?;
    thread::scope(|scope| -> Outcome {
        let waiting = scope.spawn(|| lock.acquire().map(drop));
        let_them_wait();
        child.kill()?;
        assert!(matches!(waiting.join().expect("no panic"), Err(Error::OwnerDied)));
        Ok(())
    })?;
    assert!(matches!(lock.try_acquire(), Err(Error::OwnerDied)));
    assert!(matches!(lock.acquire_timeout(LONG), Err(Error::OwnerDied)));
    let mut repaired = 0;
    drop(lock.acquire_or_repair(|| repaired += 1)?);
    drop(lock.acquire_or_repair(|| repaired += 1)?);
    drop(lock.acquire()?);
    assert_eq!(repaired, 1);
    Ok(())
}

fn a_panic_under_the_lock_is_told_too() -> Outcome {
    let manager = Manager::start()?;
    let lock = manager.lock()?;
    let panics = |lock: &LockProxy| {
        let _guard = lock.acquire().expect("it is free");
        panic!("under the lock")
    };
    thread::scope(|scope| assert!(scope.spawn(|| panics(&lock)).join().is_err()));
    assert!(matches!(lock.acquire(), Err(Error::OwnerDied)));
    let repair = || panic!("in the repair");
    let failed = thread::scope(|s| s.spawn(|| lock.acquire_or_repair(repair).map(drop)).join());
    assert!(failed.is_err());
    assert!(matches!(lock.acquire(), Err(Error::OwnerDied)), "nothing was repaired");
    drop(lock.acquire_or_repair(|| ())?);
    drop(lock.acquire()?);
    Ok(())
}

fn an_rlock_belongs_to_a_thread() -> Outcome {
    let manager = Manager::start()?;
    let lock = manager.rlock()?;
    let clone = lock.clone();
    let outer = lock.acquire()?;
    let inner = clone.acquire()?; // the same thread through another proxy
    let other = || matches!(lock.try_acquire(), Err(Error::WouldBlock));
    thread::scope(|scope| assert!(scope.spawn(other).join().expect("no panic")));
    let elsewhere_too = |lock: RLockProxy| matches!(lock.try_acquire(), Err(Error::WouldBlock));
    assert!(elsewhere(elsewhere_too, lock.clone())?);
    drop(outer);
    thread::scope(|scope| assert!(scope.spawn(other).join().expect("no panic")));
    drop(inner);
    assert!(!lock.is_locked()?);
    Ok(())
}

fn an_rlock_is_free_after_its_last_guard() -> Outcome {
    let manager = Manager::start()?;
    let lock = manager.rlock()?;
    let guards: Vec<_> = (0..10).map(|_| lock.acquire()).collect::<Result<_, _>>()?;
    thread::scope(|scope| -> Outcome {
        let waiting = scope.spawn(|| lock.acquire().map(drop));
        guards.into_iter().rev().for_each(drop);
        Ok(waiting.join().expect("no panic")?)
    })?;
    drop(lock.acquire()?);
    Ok(())
}

/// The cancellation crosses the answer: who has the guard holds the lock, and nobody died.
fn a_time_out_that_comes_with_the_lock_leaves_it_whole() -> Outcome {
    let manager = Manager::start()?;
    let (lock, inside) = (manager.lock()?, AtomicU32::new(0));
    let (mut taken, mut timed_out) = (0, 0);
    thread::scope(|scope| -> Outcome {
        let other = scope.spawn(|| -> Result<(), Error> {
            for n in 0..4000u64 {
                let guard = lock.acquire()?;
                assert_eq!(inside.fetch_add(1, SeqCst), 0, "somebody else has it, too");
                helper::pass(Duration::from_micros(n % 50));
                inside.fetch_sub(1, SeqCst);
                drop(guard);
            }
            Ok(())
        });
        for n in 0.. {
            match lock.acquire_timeout(Duration::from_micros(n * 7 % 120)) {
                Ok(_guard) => {
                    assert_eq!(inside.fetch_add(1, SeqCst), 0, "somebody else has it, too");
                    assert!(lock.is_locked()?);
                    inside.fetch_sub(1, SeqCst);
                    taken += 1;
                }
                Err(Error::TimedOut) => timed_out += 1,
                Err(other) => return Err(other.into()),
            }
            if other.is_finished() {
                break;
            }
        }
        Ok(other.join().expect("no panic")?)
    })?;
    assert!(taken > 0 && timed_out > 0, "{taken} {timed_out}");
    Ok(())
}
