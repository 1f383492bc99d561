//! What a manager's locks, conditions, semaphores, events and barriers promise: to threads and
//! processes, to those that give up, and when somebody is killed.

use multiprocessing::{
    BarrierProxy, ConditionProxy, Error, EventProxy, LockProxy, Manager, Process, RLockProxy,
    SemaphoreProxy, ValueProxy,
};
use std::process::ExitCode;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::thread;
use std::time::{Duration, Instant};
use tests::helper::{self, LONG, SHORT, elsewhere, join};
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
        a_time_out_that_comes_with_a_permit_loses_none,
        a_time_out_that_comes_with_a_notification_leaves_the_lock_whole,
        notifications_wake_in_order,
        wait_while_and_wait_timeout,
        a_killed_waiter_passes_its_notification_on,
        a_notified_waiter_that_is_killed_passes_it_on,
        a_guard_of_another_lock_is_refused,
        permits_come_back_from_the_dead,
        a_forgotten_permit_stays_away,
        a_bounded_semaphore_refuses_one_too_many,
        an_event_wakes_all,
        a_barrier_opens_again_and_again,
        a_barrier_breaks_by_a_time_out_an_abort_and_a_kill,
        barriers_for_nobody_and_for_one,
    ];
    helper::main(trials, &[], &[])
}

/// Waits until the child is in the call that it waits in: the server has a word for it.
fn until(is_so: impl Fn() -> Result<bool, Error>) -> Result<(), Error> {
    let start = Instant::now();
    while !is_so()? {
        assert!(start.elapsed() < LONG);
        thread::yield_now();
    }
    Ok(())
}

/// Lets those that are on their way to a wait arrive. If they are late, the test proves less.
fn let_them_wait() {
    thread::sleep(10 * SHORT);
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

fn a_time_out_that_comes_with_a_permit_loses_none() -> Outcome {
    let manager = Manager::start()?;
    let permits = manager.bounded_semaphore(1)?;
    let work = |timeout: u64| -> Result<(), Error> {
        for n in 0..3000 {
            match permits.acquire_timeout(Duration::from_micros(n * timeout % 120)) {
                Ok(_permit) => assert_eq!(permits.available()?, 0),
                Err(Error::TimedOut) => (),
                Err(other) => return Err(other),
            }
        }
        Ok(())
    };
    thread::scope(|scope| {
        let threads: Vec<_> = [7, 11, 13].map(|n| scope.spawn(move || work(n))).into();
        threads.into_iter().try_for_each(|thread| thread.join().expect("no panic"))
    })?;
    assert_eq!(permits.available()?, 1);
    Ok(())
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

fn permits_come_back_from_the_dead() -> Outcome {
    let manager = Manager::start()?;
    let permits = manager.semaphore(2)?;
    let hold = |permits: SemaphoreProxy| -> Result<(), Error> {
        let _both = (permits.acquire()?, permits.acquire()?);
        loop {
            thread::park();
        }
    };
    let child = Process::spawn(hold, permits.clone())?;
    until(|| Ok(permits.available()? == 0))?;
    assert!(matches!(permits.try_acquire(), Err(Error::WouldBlock)));
    assert!(matches!(permits.acquire_timeout(SHORT), Err(Error::TimedOut)));
    thread::scope(|scope| -> Outcome {
        let waiting = scope.spawn(|| permits.acquire().map(drop));
        let_them_wait();
        child.kill()?;
        Ok(waiting.join().expect("no panic")?)
    })?;
    assert!(child.join().is_err());
    until(|| Ok(permits.available()? == 2))?;
    Ok(())
}

fn a_forgotten_permit_stays_away() -> Outcome {
    let manager = Manager::start()?;
    let permits = manager.semaphore(1)?;
    permits.acquire()?.forget()?;
    assert_eq!(permits.available()?, 0);
    let forget = |permits: SemaphoreProxy| permits.acquire()?.forget();
    permits.release()?;
    elsewhere(forget, permits.clone())??;
    assert_eq!(permits.available()?, 0);
    permits.release()?;
    permits.release()?;
    assert_eq!(permits.available()?, 2);
    Ok(())
}

fn a_bounded_semaphore_refuses_one_too_many() -> Outcome {
    let manager = Manager::start()?;
    let permits = manager.bounded_semaphore(1)?;
    assert!(matches!(permits.release(), Err(Error::TooManyPermits { limit: 1 })));
    drop(permits.acquire()?);
    assert_eq!(permits.available()?, 1);
    let most = manager.semaphore(u32::MAX)?;
    most.release()?;
    assert_eq!(most.available()?, u32::MAX);
    Ok(())
}

fn an_event_wakes_all() -> Outcome {
    let manager = Manager::start()?;
    let event = manager.event()?;
    assert!(!event.is_set()? && !event.wait_timeout(SHORT)?);
    let wait = |event: EventProxy| event.wait();
    let children = [Process::spawn(wait, event.clone())?, Process::spawn(wait, event.clone())?];
    thread::scope(|scope| -> Outcome {
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(|| event.wait())).collect();
        let_them_wait();
        event.set()?;
        Ok(threads.into_iter().try_for_each(|thread| thread.join().expect("no panic"))?)
    })?;
    children.into_iter().try_for_each(|child| join(child)?)?;
    assert!(event.wait_timeout(Duration::ZERO)? && event.is_set()?);
    event.clear()?;
    assert!(!event.is_set()?);
    Ok(())
}

fn a_barrier_opens_again_and_again() -> Outcome {
    let manager = Manager::start()?;
    let barrier = manager.barrier(3)?;
    let meet = |barrier: BarrierProxy| -> Result<usize, Error> {
        let mut leads = 0;
        for _ in 0..50 {
            leads += usize::from(barrier.wait()?.is_leader());
        }
        Ok(leads)
    };
    let child = Process::spawn(meet, barrier.clone())?;
    let thread = thread::spawn({
        let barrier = barrier.clone();
        move || meet(barrier)
    });
    let leads = meet(barrier.clone())? + thread.join().expect("no panic")? + join(child)??;
    assert_eq!((leads, barrier.waiting()?, barrier.parties()?), (50, 0, 3));
    Ok(())
}

fn a_barrier_breaks_by_a_time_out_an_abort_and_a_kill() -> Outcome {
    let manager = Manager::start()?;
    let barrier = manager.barrier(3)?;
    let wait = |barrier: BarrierProxy| barrier.wait().map(|_| ());
    let waits = |barrier: &BarrierProxy| -> Result<Process<Result<(), Error>>, Error> {
        let child = Process::spawn(wait, barrier.clone())?;
        until(|| Ok(barrier.waiting()? == 1))?;
        Ok(child)
    };
    let child = waits(&barrier)?;
    assert!(matches!(barrier.wait_timeout(SHORT), Err(Error::BrokenBarrier)));
    assert!(matches!(join(child)?, Err(Error::BrokenBarrier)));
    assert!(barrier.is_broken()?);
    assert!(matches!(barrier.wait(), Err(Error::BrokenBarrier)));
    barrier.reset()?;

    let child = waits(&barrier)?;
    barrier.abort()?;
    assert!(matches!(join(child)?, Err(Error::BrokenBarrier)));
    barrier.reset()?;

    let child = waits(&barrier)?;
    barrier.reset()?;
    assert!(matches!(join(child)?, Err(Error::BrokenBarrier)));
    assert!(!barrier.is_broken()?);

    let child = waits(&barrier)?;
    thread::scope(|scope| -> Outcome {
        let waiting = scope.spawn(|| barrier.wait().map(|_| ()));
        until(|| Ok(barrier.waiting()? == 2))?;
        child.kill()?;
        assert!(matches!(waiting.join().expect("no panic"), Err(Error::BrokenBarrier)));
        Ok(())
    })?;
    assert!(barrier.is_broken()? && child.join().is_err());
    Ok(())
}

fn barriers_for_nobody_and_for_one() -> Outcome {
    let manager = Manager::start()?;
    for parties in [0, 1] {
        let barrier = manager.barrier(parties)?;
        assert!(barrier.wait()?.is_leader() && barrier.wait_timeout(LONG)?.is_leader());
        assert_eq!((barrier.waiting()?, barrier.is_broken()?), (0, false));
    }
    Ok(())
}
