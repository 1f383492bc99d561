//! How workers start, and what happens if they cannot.

use super::{Dispatcher, Stage};
use crate::Error;
use crate::error::Trying;
use crate::pool::event::Event;
use crate::pool::member::Member;
use crate::sys::deadline::Deadline;
use nix::sys::epoll::{EpollEvent, EpollFlags};
use std::time::{Duration, Instant};

/// The pool gives up when this many workers in a row have ended before they were ready, and none is
/// ready. One that was killed, which may be chance, counts 1, and any other 10.
const MOST_FAILURES: u32 = 30;

/// The pause after a worker could not be started. While another one is ready, the pause doubles with
/// each that ends before, up to ten seconds.
const HIRE_AFTER: Duration = Duration::from_millis(10);

impl Dispatcher {
    /// Starts workers in place of those that have ended.
    pub(super) fn hire(&mut self) {
        while self.is_short_of_workers() && self.may_hire() {
            if let Err(error) = self.start_worker() {
                if self.members.is_empty() {
                    self.failed_to_start(error);
                }
                return; // a later step tries again
            }
        }
    }

    fn is_short_of_workers(&self) -> bool {
        let is_needed = match self.stage {
            Stage::Open => true,
            Stage::Closed => !self.waiting.is_empty(),
            Stage::Terminated => false,
        };
        is_needed && self.broken.is_none() && self.members.len() < self.settings.workers()
    }

    /// Whether no pause holds up the start of a worker, or none is ready.
    fn may_hire(&mut self) -> bool {
        self.hire_at = self.hire_at.filter(|at| *at > Instant::now() && self.has_ready());
        self.hire_at.is_none()
    }

    fn has_ready(&self) -> bool {
        self.members.iter().any(Member::is_ready)
    }

    /// When to try again to start workers.
    pub(super) fn next_hire(&self) -> Deadline {
        self.is_short_of_workers().then(|| self.hire_at.unwrap_or(Instant::now() + HIRE_AFTER))
    }

    pub fn start_worker(&mut self) -> Result<(), Error> {
        let member = Member::start(self.started + 1, &self.settings, &self.luggage)?;
        if let Err(error) = self.watch(&member) {
            let _ = self.epoll.delete(&member.process); // the next worker has this one's id
            return Err(error);
        }
        self.members.push(member);
        self.started += 1;
        Ok(())
    }

    fn watch(&self, member: &Member) -> Result<(), Error> {
        let what = "watch a worker";
        let event = |event: Event| EpollEvent::new(EpollFlags::EPOLLIN, event.into());
        self.epoll.add(&member.process, event(Event::End(member.id))).trying_to(what)?;
        let Some(channel) = member.channel() else { return Ok(()) };
        self.epoll.add(channel, event(Event::Result(member.id))).trying_to(what)
    }

    /// A worker has ended before it was ready.
    pub(super) fn has_failed(&mut self, member: Member) {
        let Member { process, verdict, .. } = member;
        let ended = || process.join().and_then(|ended| ended).err();
        self.failed_to_start(verdict.or_else(ended).unwrap_or(Error::EndUnknown));
    }

    fn failed_to_start(&mut self, error: Error) {
        let weight = if let Error::Killed { .. } = error { 1 } else { 10 };
        if self.has_ready() {
            self.failures_beside += weight;
            let pause = HIRE_AFTER * (1 << (self.failures_beside / 10).min(10));
            self.hire_at = Some(Instant::now() + pause);
            return;
        }
        self.failures += weight;
        if self.failures >= MOST_FAILURES && self.stage != Stage::Terminated {
            self.broken = Some(match error {
                Error::Exited { status } => {
                    format!("something in the initializer called exit({status})")
                }
                error => error.to_string(),
            });
            let waiting = self.waiting.take_all();
            self.refuse(waiting);
        }
    }
}
