//! Events: all who wait are woken, also by one who is killed.

use multiprocessing::{Error, Event, ForkServer, Process};
use std::process::ExitCode;
use std::time::Duration;
use tests::helper::{self, LONG, SHORT, doom, join};
use tests::{Outcome, trials};

fn main() -> ExitCode {
    helper::main(trials![an_event_wakes_all, setters_of_an_event_are_killed], &[], &[])
}

fn an_event_wakes_all() -> Outcome {
    let event = Event::new()?;
    assert!(!event.is_set() && !event.wait_timeout(SHORT));
    let wait = |event: Event| event.wait_timeout(LONG);
    let children: Result<Vec<_>, Error> =
        (0..4).map(|_| Process::spawn(wait, event.clone())).collect();
    event.set();
    for child in children? {
        assert!(join(child)?);
    }
    event.wait();
    event.clear();
    assert!(!event.is_set() && !event.wait_timeout(Duration::ZERO));
    Ok(())
}

fn setters_of_an_event_are_killed() -> Outcome {
    let server = ForkServer::start()?;
    let mut set = 0;
    for n in 0..helper::kills() {
        let event = Event::new()?;
        let waiter = server.spawn(|event: Event| event.wait(), event.clone())?;
        doom(&server, |event: Event| event.set(), event.clone(), n)?;
        match event.is_set() {
            true => set += 1,
            false => event.set(),
        }
        join(waiter)?; // whoever set it, it was woken
    }
    assert!(set > 0, "no child ever set it");
    Ok(())
}
