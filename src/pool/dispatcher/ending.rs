//! How tasks are cancelled, and how a pool ends.

use super::{Dispatcher, Stage};
use crate::Error;
use crate::pool::job::Job;
use crate::pool::results::Results;
use crate::pool::settings::Initializer;
use std::sync::Arc;

impl Dispatcher {
    /// Cancels the tasks of a call: also those that run, or only those that have not begun.
    pub fn cancel(&mut self, results: &Arc<Results>, also_running: bool) {
        let is_meant = |job: &Job| Arc::ptr_eq(&job.results, results);
        for at in 0..self.members.len() {
            if !self.members[at].assigned.iter().any(|(_, job)| is_meant(job)) {
                continue;
            }
            self.take_back(at); // now no other task can begin
            let member = &mut self.members[at];
            if also_running && member.assigned.front().is_some_and(|(_, job)| is_meant(job)) {
                member.condemn(Error::Cancelled);
            }
        }
        let waiting = self.waiting.take_of(results);
        self.end_with(waiting, || Error::Cancelled);
        self.dispatch();
    }

    /// Takes no more tasks.
    pub fn close(&mut self) {
        self.stage = self.stage.max(Stage::Closed);
        self.dismiss();
    }

    /// Ends all workers and all tasks.
    pub fn terminate(&mut self) {
        self.stage = Stage::Terminated;
        self.cancel_waiting(); // now no other task can begin
        for member in &mut self.members {
            member.condemn(Error::Cancelled);
            member.end();
        }
    }

    /// Kills the workers, and waits for them: the pool could not be made.
    pub fn give_up(&mut self) {
        for member in self.members.drain(..) {
            let _ = member.process.kill();
            member.process.wait();
        }
    }

    /// Cancels the tasks that have not begun.
    pub fn cancel_waiting(&mut self) {
        for at in 0..self.members.len() {
            if self.members[at].has_started {
                self.take_back(at); // the first task of any other one is the initializer
            }
        }
        let waiting = self.waiting.take_all();
        self.end_with(waiting, || Error::Cancelled);
    }

    /// The initializer, which no worker needs any more.
    pub fn take_initializer(&mut self) -> Option<Initializer> {
        self.settings.initializer.take()
    }

    pub fn has_ended(&self) -> bool {
        self.stage != Stage::Open && self.waiting.is_empty() && self.members.is_empty()
    }
}
