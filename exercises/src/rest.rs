//! A time in which nothing happens to a program. A process that waits for an event sleeps through
//! it; one that looks again and again does not, whether it sleeps in between or not.

use crate::exercise::Verdict;
use crate::hang;
use crate::see::{capital, expect};
use crate::watch::{Live, Process};
use std::time::{Duration, Instant};

/// Until the processes have come to rest.
const BEFORE: Duration = Duration::from_millis(150);
const LENGTH: Duration = Duration::from_millis(500);
/// The crate's own waits look again once a second.
const MOST_WAITS: u64 = 3;
const MOST_TIME: Duration = Duration::from_millis(100);

/// A check begins it when all processes have to wait, and asks at each event whether it is over.
#[derive(Default)]
pub struct Rest {
    begun: Option<Instant>,
    /// For each process how often it has waited, and how long it was on a processor.
    before: Option<Vec<(u64, Duration)>>,
    fault: Option<String>,
    is_over: bool,
}

impl Rest {
    pub fn is_over(&mut self, live: &Live) -> bool {
        let time = self.begun.get_or_insert_with(Instant::now).elapsed();
        if self.is_over || time < BEFORE {
            return self.is_over;
        }
        let before = self.before.get_or_insert_with(|| live.processes.iter().map(work).collect());
        if time > BEFORE + LENGTH {
            self.is_over = true;
            let busy = live.processes.iter().zip(before).enumerate();
            self.fault =
                busy.filter_map(|(place, (p, before))| fault(live, place, p, *before)).next();
        }
        self.is_over
    }

    /// No process did anything meanwhile.
    pub fn was_quiet(&self) -> Verdict {
        expect(self.fault.is_none(), || self.fault.clone().unwrap_or_default())
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
