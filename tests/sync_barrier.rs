//! Barriers: all pass or none does, also when one is killed.

use multiprocessing::{Barrier, Error, ForkServer, Process, Value};
use std::process::ExitCode;
use tests::helper::{self, LONG, SHORT, doom, join};
use tests::{Outcome, trials};

fn main() -> ExitCode {
    let trials = trials![
        all_pass_at_once,
        a_timeout_breaks_a_barrier_until_it_is_reset,
        a_barrier_is_aborted,
        nobody_waits_alone,
        parties_of_a_barrier_are_killed,
    ];
    helper::main(trials, &[], &[])
}

const ROUNDS: u32 = 100;

/// The places at which a party arrived, and whether it was the leader.
fn pass((barrier, come): (Barrier, Value<u32>)) -> Vec<(u32, bool)> {
    let round = |round| {
        *come.lock().expect("no holder dies") += 1;
        let result = barrier.wait().expect("all come");
        let seen = *come.lock().expect("no holder dies");
        assert!((round * 3..=round * 3 + 2).contains(&seen), "{seen} in {round}");
        barrier.wait().expect("all come");
        (result.index(), result.is_leader())
    };
    (1..=ROUNDS).map(round).collect()
}

fn all_pass_at_once() -> Outcome {
    let (barrier, come) = (Barrier::new(3)?, Value::new(0u32)?);
    assert_eq!(barrier.parties(), 3);
    let start = || Process::spawn(pass, (barrier.clone(), come.clone()));
    let (one, other) = (start()?, start()?);
    let ours = pass((barrier.clone(), come.clone()));
    let all = [ours, join(one)?, join(other)?];
    for round in 0..ROUNDS as usize {
        let mut places: Vec<_> = all.iter().map(|places| places[round]).collect();
        places.sort();
        assert_eq!(places, [(0, false), (1, false), (2, true)], "each place once, one leads");
    }
    Ok(())
}

fn waits_and_breaks(barrier: Barrier) -> bool {
    matches!(barrier.wait(), Err(Error::BrokenBarrier))
}

/// Starts a party, and waits until it waits.
fn start_waiting(barrier: &Barrier) -> Result<Process<bool>, Error> {
    let child = Process::spawn(waits_and_breaks, barrier.clone())?;
    while barrier.waiting() == 0 {
        std::thread::yield_now();
    }
    assert_eq!(barrier.waiting(), 1);
    Ok(child)
}

fn a_timeout_breaks_a_barrier_until_it_is_reset() -> Outcome {
    let barrier = Barrier::new(3)?;
    let child = start_waiting(&barrier)?;
    assert!(matches!(barrier.wait_timeout(SHORT), Err(Error::BrokenBarrier)));
    assert!(join(child)?, "it is broken for all");
    assert!(barrier.is_broken() && barrier.wait().is_err() && barrier.waiting() == 0);
    barrier.reset()?;
    assert!(!barrier.is_broken());
    let pass = |barrier: Barrier| barrier.wait_timeout(LONG).is_ok();
    let start = || Process::spawn(pass, barrier.clone());
    let children = [start()?, start()?];
    barrier.wait_timeout(LONG)?;
    for child in children {
        assert!(join(child)?);
    }
    Ok(())
}

fn a_barrier_is_aborted() -> Outcome {
    let barrier = Barrier::new(2)?;
    let child = start_waiting(&barrier)?;
    barrier.abort()?;
    assert!(join(child)? && barrier.is_broken());
    Ok(())
}

fn nobody_waits_alone() -> Outcome {
    for parties in [0, 1] {
        let result = Barrier::new(parties)?.wait()?;
        assert!(result.index() == 0 && result.is_leader());
    }
    Ok(())
}

fn parties_of_a_barrier_are_killed() -> Outcome {
    let server = ForkServer::start()?;
    let wait = |barrier: Barrier| barrier.wait_timeout(SHORT).is_ok();
    for n in 0..helper::kills() {
        let barrier = Barrier::new(3)?;
        let survivor = server.spawn(wait, barrier.clone())?;
        doom(&server, wait, barrier.clone(), n * 3)?;
        let ours = wait(barrier.clone());
        assert_eq!(ours, join(survivor)?, "passed for one and broken for the other");
        assert_eq!(barrier.is_broken(), !ours);
        barrier.reset()?;
        assert!(!barrier.is_broken());
    }
    Ok(())
}
