//! A time in which nothing happens to a program. A process that waits for an event sleeps through
//! it; one that looks again and again does not, whether it sleeps in between or not.

use crate::exercise::Verdict;
use crate::hang::{self, Doing};
use crate::see::{Program, capital, expect, said};
use crate::seen::{Live, Process};
use crate::watch::Act;
use std::time::{Duration, Instant};

/// So long all processes have to sleep before it begins, ...
const BEFORE: Duration = Duration::from_millis(100);
/// ... unless one of them never does.
const MOST_BEFORE: Duration = Duration::from_millis(400);
const LENGTH: Duration = Duration::from_millis(400);
/// It takes longer if somebody runs, and has had too little time on a core to say what it is at.
const LONGEST: Duration = Duration::from_millis(1_600);
/// The crate's own waits look again once a second.
const MOST_WAITS: u64 = 3;
/// Who runs whenever one looks and has used this much time is in a loop, ...
const MOST_TIME: Duration = Duration::from_millis(30);
/// ... and so is who has used this much. It may have other threads.
const MUCH_TIME: Duration = Duration::from_millis(60);

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
    /// How often the processes were looked at since.
    looks: u32,
    before: Vec<Work>,
    /// Whether the program itself was seen waiting for the time to pass.
    has_slept: bool,
}

/// What a process has done.
struct Work {
    waits: u64,
    time: Duration,
    /// How often it was seen to run.
    runs: u32,
}

impl Rest {
    pub fn is_over(&mut self, live: &Live) -> bool {
        match &mut self.begun {
            None => self.begun = self.begin(live),
            Some(begun) if !self.is_over => {
                begun.look(live);
                let time = begun.at.elapsed();
                self.is_over = time > LENGTH && (time > LONGEST || !begun.is_undecided(live));
                self.fault = begun.fault(live);
            }
            Some(_) => (),
        }
        self.is_over
    }

    fn begin(&mut self, live: &Live) -> Option<Begun> {
        let asked = self.asked.get_or_insert_with(Instant::now).elapsed();
        if live.processes.iter().any(|process| hang::is_running(process.pid)) {
            self.asleep = None;
        } else {
            self.asleep.get_or_insert_with(Instant::now);
        }
        let are_asleep = self.asleep.is_some_and(|since| since.elapsed() > BEFORE);
        (are_asleep || asked > MOST_BEFORE).then(|| Begun::new(live))
    }

    /// Runs a program that has nothing to wait for but its children, of which none ever ends. Ends
    /// all when it was seen to rest.
    pub fn of(program: &Program, arguments: &[&str], children: usize) -> Verdict {
        let mut rest = Self::default();
        let seen = program.watch(arguments, |live| {
            if live.processes.len() <= children || !rest.is_over(live) {
                return Act::Nothing;
            }
            let living = live.processes.iter().position(|process| process.end.is_none());
            living.map_or(Act::Nothing, Act::Kill)
        })?;
        expect(rest.was_seen(), || {
            format!(
                "No child had ended, and so it should wait, but it ended.{}",
                said(&seen.stderr)
            )
        })?;
        expect(seen.stderr.is_empty(), || {
            format!("No child had ended, and so it should wait.{}", said(&seen.stderr))
        })?;
        rest.was_quiet()?;
        rest.was_no_sleep()
    }

    /// Whether the program lived long enough.
    pub fn was_seen(&self) -> bool {
        self.is_over
    }

    /// The program itself did not wait for the time to pass.
    pub fn was_no_sleep(&self) -> Verdict {
        expect(!self.begun.as_ref().is_some_and(|begun| begun.has_slept), || {
            "While nothing happened, your program slept, and so it learns too late of what happens \
             then. Wait for the event, and not for the time."
                .into()
        })
    }

    /// No process did anything meanwhile.
    pub fn was_quiet(&self) -> Verdict {
        let fault = self.fault.as_ref().filter(|_| self.is_over);
        expect(fault.is_none(), || fault.cloned().unwrap_or_default())
    }
}

impl Begun {
    fn new(live: &Live) -> Self {
        let before = live.processes.iter().map(Work::of).collect();
        Self { at: Instant::now(), looks: 0, before, has_slept: false }
    }

    fn look(&mut self, live: &Live) {
        self.looks += 1;
        self.has_slept |= hang::doing(live.processes[0].pid) == Doing::Sleeping;
        for (process, work) in live.processes.iter().zip(&mut self.before) {
            work.runs += u32::from(hang::is_running(process.pid));
        }
    }

    fn is_undecided(&self, live: &Live) -> bool {
        let mut processes = live.processes.iter().zip(&self.before);
        processes.any(|(process, before)| {
            let time = hang::processor_time(process.pid).saturating_sub(before.time);
            before.runs > self.looks / 2 && time < MOST_TIME
        })
    }

    fn fault(&self, live: &Live) -> Option<String> {
        let mut processes = live.processes.iter().zip(&self.before).enumerate();
        processes.find_map(|(place, (process, before))| {
            let after = Work::of(process);
            let waits = after.waits.saturating_sub(before.waits);
            let time = after.time.saturating_sub(before.time);
            let is_seen_running = before.runs > self.looks / 2;
            let what = match () {
                () if time >= MUCH_TIME || (time >= MOST_TIME && is_seen_running) => {
                    "ran all the time".into()
                }
                () if waits > MOST_WAITS => format!("woke up {waits} times"),
                () => return None,
            };
            Some(format!(
                "{} {what}, in {} ms in which there was nothing to do. Wait for an event, and do \
                 not look again and again.",
                capital(&hang::name(place, &live.processes)),
                self.at.elapsed().as_millis()
            ))
        })
    }
}

impl Work {
    fn of(process: &Process) -> Self {
        Self {
            waits: hang::waits_of_threads(process.pid),
            time: hang::processor_time(process.pid),
            runs: 0,
        }
    }
}
