//! How a program waits.

use crate::exercise::Verdict;
use crate::hang::{self, Doing};
use crate::see::expect;
use crate::seen::Live;

/// How the program waits while its children are at work: what it was doing each time that a check
/// looked, and how often it woke up.
#[derive(Default)]
pub struct Waits {
    looks: u32,
    sleeping: u32,
    waiting: u32,
    /// What [`hang::waits`] said when it was first seen waiting, and later.
    first: Option<i32>,
    last: i32,
}

impl Waits {
    /// Looks at the program, unless it has ended.
    pub fn look(&mut self, live: &Live) {
        let main = &live.processes[0];
        if main.end.is_some() {
            return;
        }
        self.looks += 1;
        match hang::doing(main.pid) {
            Doing::Running => (),
            Doing::Sleeping => self.sleeping += 1,
            Doing::Waiting => {
                self.waiting += 1;
                self.last = hang::waits(main.pid);
                self.first.get_or_insert(self.last);
            }
        }
    }

    /// Whether it was seen waiting, for an event or for the time.
    pub fn has_waited(&self) -> bool {
        self.waiting + self.sleeping > 0
    }

    /// It waited for an event, and did not look again and again. It may wake up a few times, for
    /// reasons of its own.
    pub fn judge(&self, most_wakes: i32) -> Verdict {
        let wakes = self.first.map_or(0, |first| self.last - first);
        expect(self.sleeping == 0, || {
            "While its child was at work, your program slept, and so it learns too late that the \
             child has ended. Wait for the child, and not for the time."
                .into()
        })?;
        let running = self.looks - self.waiting - self.sleeping;
        expect(running <= self.looks / 2 || self.looks < 10, || {
            format!(
                "While its child was at work, your program used the core: it was looked at {} \
                 times, and ran {running} times.",
                self.looks
            )
        })?;
        expect(wakes <= most_wakes, || {
            format!(
                "While its child was at work, your program woke up {wakes} times. It should wait \
                 once, until the child has ended."
            )
        })
    }
}
