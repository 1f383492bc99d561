//! Semaphores: how many permits there are, and who gives them back.

use multiprocessing::{BoundedSemaphore, Error, ForkServer, Process, Semaphore};
use std::error::Error as StdError;
use std::process::ExitCode;
use std::time::{Duration, Instant};
use tests::helper::{self, LONG, SHORT, doom, elsewhere, join, kills};
use tests::{Outcome, helpers, trials};

fn main() -> ExitCode {
    let trials = trials![
        a_semaphore_counts,
        a_bounded_semaphore_has_a_limit,
        a_permit_that_is_forgotten_stays_away,
        waiters_for_a_semaphore_are_killed,
        holders_of_a_bounded_semaphore_are_killed,
    ];
    let alone = helpers![
        a_forked_child_gives_no_permit_back,
        a_forked_child_gives_back_what_it_took_itself,
    ];
    helper::main(trials, alone, &[])
}

fn a_semaphore_counts() -> Outcome {
    let semaphore = Semaphore::new(2)?;
    let permits = (semaphore.acquire(), semaphore.try_acquire());
    assert!(permits.1.is_some() && semaphore.try_acquire().is_none());
    let start = Instant::now();
    assert!(semaphore.acquire_timeout(SHORT).is_none() && start.elapsed() >= SHORT);
    let take = |semaphore: Semaphore| {
        let _permit = semaphore.acquire();
        semaphore.available()
    };
    let child = Process::spawn(take, semaphore.clone())?;
    drop(permits.0);
    assert_eq!(join(child)?, 0);
    assert_eq!(semaphore.available(), 1);
    semaphore.release();
    semaphore.release();
    assert_eq!(semaphore.available(), 3);
    assert!(Semaphore::new(u32::MAX).is_err());
    Ok(())
}

fn a_bounded_semaphore_has_a_limit() -> Outcome {
    let semaphore = BoundedSemaphore::new(2)?;
    assert!(matches!(semaphore.release(), Err(Error::TooManyPermits { limit: 2 })));
    let permits = [semaphore.acquire(), semaphore.acquire()];
    assert!(semaphore.try_acquire().is_none() && semaphore.acquire_timeout(SHORT).is_none());
    elsewhere(|semaphore: BoundedSemaphore| semaphore.release(), semaphore.clone())??;
    drop(permits); // one of them was given back already
    assert_eq!(semaphore.available(), 2);
    assert!(semaphore.release().is_err());
    Ok(())
}

fn a_permit_that_is_forgotten_stays_away() -> Outcome {
    let (semaphore, bounded) = (Semaphore::new(1)?, BoundedSemaphore::new(1)?);
    semaphore.acquire().forget();
    bounded.acquire().forget();
    assert_eq!((semaphore.available(), bounded.available()), (0, 0));
    semaphore.release();
    bounded.release()?;
    assert!(bounded.release().is_err());
    assert_eq!((semaphore.available(), bounded.available()), (1, 1));
    Ok(())
}

fn a_forked_child_gives_no_permit_back() -> Result<(), Box<dyn StdError>> {
    let (semaphore, bounded) = (Semaphore::new(2)?, BoundedSemaphore::new(2)?);
    let mut permits = Some([semaphore.acquire(), semaphore.acquire()]);
    let mut bounded_permits = Some([bounded.acquire(), bounded.acquire()]);
    let drop_all = || drop((permits.take(), bounded_permits.take()));
    // SAFETY: this program has no other thread.
    unsafe { Process::fork(drop_all) }?.join()?;
    assert_eq!((semaphore.available(), bounded.available()), (0, 0));
    drop((permits, bounded_permits));
    assert_eq!((semaphore.available(), bounded.available()), (2, 2));
    Ok(())
}

fn a_forked_child_gives_back_what_it_took_itself() -> Result<(), Box<dyn StdError>> {
    let (semaphore, bounded) = (Semaphore::new(2)?, BoundedSemaphore::new(2)?);
    let mut copies = Some((semaphore.acquire(), bounded.acquire()));
    let available = || (semaphore.available(), bounded.available());
    let take_and_drop = || {
        let own = (semaphore.acquire(), bounded.acquire());
        drop(copies.take());
        let with_own = available();
        drop(own);
        (with_own, available())
    };
    // SAFETY: this program has no other thread.
    let child = unsafe { Process::fork(take_and_drop) }?;
    assert_eq!(child.join()?, ((0, 0), (1, 1)));
    drop(copies);
    assert_eq!(available(), (2, 2));
    Ok(())
}

/// Takes permits for good.
fn take((semaphore, times): (Semaphore, u64)) {
    (0..times).for_each(|_| semaphore.acquire().forget());
}

fn waiters_for_a_semaphore_are_killed() -> Outcome {
    let (server, semaphore) = (ForkServer::start()?, Semaphore::new(0)?);
    let survivor = server.spawn(take, (semaphore.clone(), kills()))?;
    for n in 0..kills() {
        let doomed = server.spawn(take, (semaphore.clone(), 1))?;
        helper::pass(Duration::from_micros(n * 37 % 300));
        semaphore.release();
        helper::pass(Duration::from_micros(n * 11 % 30));
        let _ = doomed.kill(); // it may have ended
        let _ = doomed.join();
    }
    // Each that was killed took one at most.
    (0..kills()).for_each(|_| semaphore.release());
    join(survivor)?;
    Ok(())
}

fn holders_of_a_bounded_semaphore_are_killed() -> Outcome {
    let server = ForkServer::start()?;
    let mut kept = 0;
    for n in 0..kills() {
        let semaphore = BoundedSemaphore::new(1)?;
        let hold = |semaphore: BoundedSemaphore| loop {
            drop(semaphore.acquire_timeout(LONG).expect("nobody else takes it"));
        };
        let hold: fn(BoundedSemaphore) = hold;
        doom(&server, hold, semaphore.clone(), n)?;
        // Its permit is back, or went with the one that was killed.
        kept += semaphore.available();
        if let Some(_permit) = semaphore.try_acquire() {
            assert_eq!(semaphore.available(), 0);
        }
        assert!(semaphore.available() <= 1);
    }
    assert!(kept > 0, "no permit ever came back");
    Ok(())
}
