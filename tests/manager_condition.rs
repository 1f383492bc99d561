//! A manager's conditions: who is woken, who has the lock then, and what a kill leaves.

use multiprocessing::{ConditionProxy, Error, Manager, Process, SemaphoreProxy, ValueProxy};
use std::process::ExitCode;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::thread;
use std::time::{Duration, Instant};
use tests::helper::{self, LONG, SHORT, join};
use tests::{Outcome, trials};

fn main() -> ExitCode {
    let trials = trials![
        a_time_out_that_comes_with_a_notification_leaves_the_lock_whole,
        notifications_wake_in_order,
        wait_while_and_wait_timeout,
        one_who_gave_up_takes_no_notification,
        a_killed_waiter_passes_its_notification_on,
        a_notified_waiter_that_is_killed_passes_it_on,
        a_guard_of_another_lock_is_refused,
    ];
    helper::main(trials, &[], &[])
}

fn a_time_out_that_comes_with_a_notification_leaves_the_lock_whole() -> Outcome {
    let manager = Manager::start()?;
    let (changed, inside) = (manager.condition()?, AtomicU32::new(0));
    thread::scope(|scope| -> Outcome {
        let waiter = scope.spawn(|| -> Result<(), Error> {
            let mut guard = changed.acquire()?;
            for n in 0..2000 {
                let timeout = Duration::from_micros(n * 7 % 200);
                guard = changed.wait_timeout(guard, timeout)?.0;
                assert_eq!(inside.fetch_add(1, SeqCst), 0);
                inside.fetch_sub(1, SeqCst);
            }
            Ok(())
        });
        while !waiter.is_finished() {
            let guard = changed.acquire()?;
            assert_eq!(inside.fetch_add(1, SeqCst), 0);
            changed.notify_one()?;
            inside.fetch_sub(1, SeqCst);
            drop(guard);
        }
        Ok(waiter.join().expect("no panic")?)
    })
}

/// Waits for a notification, and says its number.
fn sleep(
    (changed, ready, woken, n): (ConditionProxy, SemaphoreProxy, ValueProxy<Vec<u32>>, u32),
) -> Result<(), Error> {
    let guard = changed.acquire()?;
    ready.release()?; // under the lock: who takes it next knows that this one waits
    let guard = changed.wait(guard)?;
    woken.update(|woken| woken.push(n))?;
    drop(guard);
    Ok(())
}

type Sleeper = Process<Result<(), Error>>;

/// As many waiters, in order.
fn sleepers(
    manager: &Manager,
    changed: &ConditionProxy,
    count: u32,
) -> Result<(Vec<Sleeper>, ValueProxy<Vec<u32>>), Error> {
    let (ready, woken) = (manager.semaphore(0)?, manager.value(Vec::new())?);
    let mut children = Vec::new();
    for n in 0..count {
        children.push(Process::spawn(sleep, (changed.clone(), ready.clone(), woken.clone(), n))?);
        ready.acquire()?.forget()?;
        drop(changed.acquire()?); // it has released the lock
    }
    Ok((children, woken))
}

fn notifications_wake_in_order() -> Outcome {
    let manager = Manager::start()?;
    let changed = manager.condition()?;
    let (mut children, woken) = sleepers(&manager, &changed, 4)?;
    for n in 0..2 {
        changed.notify_one()?;
        join(children.remove(0))??;
        assert_eq!(woken.get()?, (0..=n).collect::<Vec<_>>());
    }
    changed.notify_all()?;
    changed.notify_all()?;
    children.into_iter().try_for_each(|child| join(child)?)?;
    assert_eq!(woken.get()?, [0, 1, 2, 3]);
    assert!(!changed.is_locked()?);
    Ok(())
}

fn wait_while_and_wait_timeout() -> Outcome {
    let manager = Manager::start()?;
    let (changed, level) = (manager.condition()?, manager.value(0u32)?);
    let fill = |(changed, level): (ConditionProxy, ValueProxy<u32>)| -> Result<(), Error> {
        for n in 1..=3 {
            let _guard = changed.acquire()?;
            level.set(n)?;
            changed.notify_one()?;
        }
        Ok(())
    };
    let guard = changed.acquire()?;
    let start = Instant::now();
    let (guard, result) = changed.wait_timeout(guard, SHORT)?;
    assert!(result.timed_out() && start.elapsed() >= SHORT);
    assert!(changed.is_locked()?);
    let child = Process::spawn(fill, (changed.clone(), level.clone()))?;
    let guard = changed.wait_while(guard, || level.get().is_ok_and(|level| level < 3))?;
    assert_eq!(level.get()?, 3);
    drop(guard);
    join(child)??;
    Ok(())
}

fn one_who_gave_up_takes_no_notification() -> Outcome {
    let manager = Manager::start()?;
    let changed = manager.condition()?;
    let (guard, result) = changed.wait_timeout(changed.acquire()?, SHORT)?;
    assert!(result.timed_out());
    drop(guard);
    let (mut children, _) = sleepers(&manager, &changed, 1)?;
    changed.notify_one()?;
    join(children.remove(0))??;
    Ok(())
}

fn a_killed_waiter_passes_its_notification_on() -> Outcome {
    let manager = Manager::start()?;
    let changed = manager.condition()?;
    let (mut children, woken) = sleepers(&manager, &changed, 3)?;
    let first = children.remove(0);
    first.kill()?;
    assert!(first.join().is_err());
    changed.notify_one()?;
    join(children.remove(0))??;
    assert_eq!(woken.get()?, [1]);
    changed.notify_one()?;
    join(children.remove(0))??;
    drop(changed.acquire()?);
    Ok(())
}

/// It has the notification and waits for the lock when it is killed.
fn a_notified_waiter_that_is_killed_passes_it_on() -> Outcome {
    let manager = Manager::start()?;
    let changed = manager.condition()?;
    let (mut children, woken) = sleepers(&manager, &changed, 2)?;
    let guard = changed.acquire()?;
    changed.notify_one()?;
    let first = children.remove(0);
    first.kill()?;
    assert!(first.join().is_err());
    drop(guard);
    join(children.remove(0))??;
    assert_eq!(woken.get()?, [1]);
    drop(changed.acquire()?);
    Ok(())
}

fn a_guard_of_another_lock_is_refused() -> Outcome {
    let manager = Manager::start()?;
    let (changed, other, lock) = (manager.condition()?, manager.condition()?, manager.lock()?);
    assert!(matches!(changed.wait(other.acquire()?), Err(Error::System { .. })));
    assert!(matches!(changed.wait_timeout(lock.acquire()?, LONG), Err(Error::System { .. })));
    assert!(!other.is_locked()? && !lock.is_locked()?);
    let guard = changed.clone().acquire()?;
    assert!(changed.wait_timeout(guard, SHORT)?.1.timed_out(), "a clone is the same");
    Ok(())
}
