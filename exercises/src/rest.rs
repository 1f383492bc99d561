//! A time in which nothing happens to a program. A process that waits for an event sleeps through
//! it; one that looks again and again does not, whether it sleeps in between or not.

use crate::exercise::Verdict;
use crate::hang;
use crate::see::{capital, expect};
use crate::watch::{Live, Process};
use std::time::{Duration, Instant};

/// So long all processes have to sleep before it begins, ...
const BEFORE: Duration = Duration::from_millis(100);
/// ... unless one of them never does.
const MOST_BEFORE: Duration = Duration::from_secs(2);
const LENGTH: Duration = Duration::from_millis(500);
/// The crate's own waits look again once a second.
const MOST_WAITS: u64 = 3;
const MOST_TIME: Duration = Duration::from_millis(100);

/// A check asks at each event whether it is over, from when all processes have to wait.
#[derive(Default)]
pub struct Rest {
    asked: Option<Instant>,
    /// Since when all have slept.
    asleep: Option<Instant>,
    begun: Option<Begun>,
    fault: Option<String>,
    is_over: bool,
}

struct Begun {
    at: Instant,
    /// For each process how often it had waited, and how long it was on a processor.
    work: Vec<(u64, Duration)>,
}

impl Rest {
    pub fn is_over(&mut self, live: &Live) -> bool {
        match &self.begun {
            None => self.begun = self.is_begun(live).then(|| Begun::new(live)),
            Some(begun) if !self.is_over && begun.at.elapsed() > LENGTH => {
                self.is_over = true;
                self.fault = begun.fault(live);
            }
            Some(_) => (),
        }
        self.is_over
    }

    fn is_begun(&mut self, live: &Live) -> bool {
        let asked = self.asked.get_or_insert_with(Instant::now).elapsed();
        if live.processes.iter().any(|process| hang::is_running(process.pid)) {
            self.asleep = None;
        } else {
            self.asleep.get_or_insert_with(Instant::now);
        }
        asked > MOST_BEFORE || self.asleep.is_some_and(|since| since.elapsed() > BEFORE)
    }

    /// Whether the program lived long enough.
    pub fn was_seen(&self) -> bool {
        self.is_over
    }

    /// No process did anything meanwhile.
    pub fn was_quiet(&self) -> Verdict {
        expect(self.fault.is_none(), || self.fault.clone().unwrap_or_default())
    }
}

impl Begun {
    fn new(live: &Live) -> Self {
        Self { at: Instant::now(), work: live.processes.iter().map(work).collect() }
    }

    fn fault(&self, live: &Live) -> Option<String> {
        let processes = live.processes.iter().zip(&self.work).enumerate();
        processes.filter_map(|(place, (p, before))| fault(live, place, p, *before)).next()
    }
}

fn work(process: &Process) -> (u64, Duration) {
    (hang::waits(process.pid), hang::processor_time(process.pid))
}

fn fault(
    live: &Live,
    place: usize,
    process: &Process,
    (waits, time): (u64, Duration),
) -> Option<String> {
    let (waits_after, time_after) = work(process);
    let (waits, time) = (waits_after.saturating_sub(waits), time_after.saturating_sub(time));
    let what = match () {
        () if time > MOST_TIME => format!("used the processor for {} ms", time.as_millis()),
        () if waits > MOST_WAITS => format!("woke up {waits} times"),
        () => return None,
    };
    Some(format!(
        "{} {what} in {} ms in which there was nothing to do. Wait for an event, and do not look \
         again and again.",
        capital(&hang::name(place, &live.processes)),
        LENGTH.as_millis()
    ))
}
