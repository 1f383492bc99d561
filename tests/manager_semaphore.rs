//! A manager's semaphores, events and barriers: who waits, who gives up, and what a kill leaves.

use multiprocessing::{BarrierProxy, Error, EventProxy, Manager, Process, SemaphoreProxy};
use std::process::ExitCode;
use std::thread;
use std::time::Duration;
use tests::helper::{self, LONG, SHORT, elsewhere, join, let_them_wait, until};
use tests::{Outcome, trials};

fn main() -> ExitCode {
    let trials = trials![
        a_time_out_that_comes_with_a_permit_loses_none,
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
