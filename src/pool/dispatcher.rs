//! Who does which task: the state of a pool in the program that has it.
//!
//! A task waits, is assigned to a worker, and gets its outcome. It is assigned in a packet with
//! others, so that a worker has work while the pool does something else, and may be taken back
//! before it begins. Everything that can happen to a worker leads here to one of four calls:
//!
//! | event | call | its tasks |
//! |---|---|---|
//! | a result arrives | `receive` | this one has its outcome |
//! | a worker has ended | `bury` | the one that ran has its outcome, all others wait again |
//! | a time limit passes, or a task is cancelled | `condemn` | the same, once the worker has ended |
//! | a worker is idle, another has tasks ahead | `share` | those that have not begun wait again |

mod ending;
mod hiring;

use super::event::Event;
use super::job::Job;
use super::luggage::Luggage;
use super::member::{MOST_BYTES, Member};
use super::results::{Calls, Outcome, Results, decode};
use super::settings::Settings;
use super::stats::PoolStats;
use super::waiting::Waiting;
use crate::Error;
use crate::sys::deadline::Deadline;
use nix::sys::epoll::Epoll;
use std::mem;
use std::sync::Arc;
use std::time::Duration;

/// The descriptors of a packet with several tasks.
const MOST_FILES: usize = 200;

/// How long a task runs before those behind it go to an idle worker.
const SHARE_AFTER: Duration = Duration::from_millis(1);

/// Whether the pool takes tasks.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd, Ord, Eq)]
pub enum Stage {
    Open,
    /// The tasks that it has are done.
    Closed,
    /// Nothing more is done.
    Terminated,
}

pub struct Dispatcher {
    settings: Settings,
    luggage: Arc<Luggage>,
    /// Tells when a worker has sent something or has ended.
    epoll: Arc<Epoll>,
    members: Vec<Member>,
    waiting: Waiting,
    stage: Stage,
    started: u64,
    /// How many workers in a row have ended before they were ready, and while another one was.
    failures: u32,
    failures_beside: u32,
    /// None is started before this moment.
    hire_at: Deadline,
    broken: Option<String>,
    /// For the background thread, and whether it was told of them.
    calls: Calls,
    is_announced: bool,
    done: u64,
    busy: Duration,
}

impl Dispatcher {
    pub fn new(settings: Settings, luggage: Arc<Luggage>, epoll: Arc<Epoll>) -> Self {
        Self {
            settings,
            luggage,
            epoll,
            members: Vec::new(),
            waiting: Waiting::default(),
            stage: Stage::Open,
            started: 0,
            failures: 0,
            failures_beside: 0,
            hire_at: None,
            broken: None,
            calls: Calls::default(),
            is_announced: false,
            done: 0,
            busy: Duration::ZERO,
        }
    }

    /// Takes tasks. If the pool takes none, that is their outcome.
    pub fn submit(&mut self, jobs: Vec<Job>) {
        if self.broken.is_some() || self.stage != Stage::Open {
            return self.refuse(jobs);
        }
        self.waiting.give(jobs);
        self.dispatch();
    }

    /// Ends tasks that the pool does not take.
    fn refuse(&mut self, jobs: impl IntoIterator<Item = Job>) {
        let broken = self.broken.clone();
        self.end_with(jobs, || match &broken {
            Some(reason) => Error::PoolBroken { reason: reason.clone() },
            None => Error::Closed,
        });
    }

    fn end_with(&mut self, jobs: impl IntoIterator<Item = Job>, error: impl Fn() -> Error) {
        self.end_all(jobs.into_iter().map(|job| (job, Err(error()))));
    }

    /// Deals with what has happened, and gives out tasks.
    pub fn step(&mut self, events: impl IntoIterator<Item = Event>) {
        for event in events {
            match event {
                Event::Result(id) => self.receive(id),
                Event::End(id) => self.bury(id),
            }
        }
        self.look();
        self.members.iter_mut().for_each(Member::end_silence);
        self.enforce();
        self.hire();
        self.dispatch();
        self.share();
        self.dismiss();
    }

    /// Takes the results that workers have left in shared memory.
    fn look(&mut self) {
        let results: Vec<_> = self.members.iter_mut().flat_map(Member::look).collect();
        self.end_all(results);
    }

    fn receive(&mut self, id: u64) {
        let Some(member) = self.members.iter_mut().find(|member| member.id == id) else { return };
        let mut results = member.receive();
        if member.has_hung_up {
            member.hang_up(&self.epoll);
        }
        if member.has_started {
            return self.end_all(results);
        }
        // The first answer is that of the initializer.
        match results.pop().map(|(_, outcome)| decode::<()>(outcome)) {
            Some(Ok(())) => {
                member.begin();
                (self.failures, self.failures_beside) = (0, 0);
            }
            Some(Err(error)) => member.fail(error),
            None => {}
        }
    }

    fn end_all(&mut self, results: impl IntoIterator<Item = (Job, Outcome)>) {
        for (job, outcome) in results {
            self.done += 1;
            self.calls.extend(job.end(outcome));
        }
    }

    /// Deals with the tasks of a worker that has ended.
    fn bury(&mut self, id: u64) {
        let Some(place) = self.members.iter().position(|member| member.id == id) else { return };
        let mut member = self.members.swap_remove(place);
        let _ = self.epoll.delete(&member.process);
        let (results, unstarted) = member.take_back();
        member.close(&self.epoll);
        self.busy += member.busy;
        let running = member.assigned.pop_back().map(|(_, job)| job);
        if member.has_started {
            self.end_all(results);
            let begun = member.assigned.drain(..).map(|(_, job)| job);
            self.end_with(begun, || Error::EndUnknown); // there was no memory for their answers
            let unstarted = self.blame(running.is_none(), unstarted, &mut member);
            self.wait_again(unstarted);
            self.end_running(running, member);
        } else {
            self.has_failed(member);
        }
    }

    /// If a worker ended by itself although it ran nothing, it could not begin its first task, for
    /// example because it had no descriptor left for it. No other worker should try that task.
    fn blame(&mut self, is_idle: bool, mut jobs: Vec<Job>, member: &mut Member) -> Vec<Job> {
        if let Some(Ok(Err(error))) = member.result_of_exit().filter(|_| is_idle)
            && !jobs.is_empty()
        {
            self.end_all([(jobs.remove(0), Err(error))]);
        }
        jobs
    }

    /// The task that a dead worker was running.
    fn end_running(&mut self, job: Option<Job>, mut member: Member) {
        let Some(mut job) = job else { return };
        let exit_code = member.process.exit_code();
        let died = Error::WorkerDied { pid: member.process.pid(), exit_code };
        match member.verdict.take() {
            None if job.treatment.retries > 0 && self.is_wanted(&job) => {
                job.treatment.retries -= 1;
                self.waiting.put_back(job);
            }
            verdict => self.end_all([(job, Err(verdict.unwrap_or(died)))]),
        }
    }

    fn is_wanted(&self, job: &Job) -> bool {
        self.stage != Stage::Terminated && !job.results.is_abandoned()
    }

    fn wait_again(&mut self, jobs: Vec<Job>) {
        jobs.into_iter().for_each(|job| self.waiting.put_back(job));
    }

    /// Ends workers whose task has run too long, and kills those that did not end when asked.
    fn enforce(&mut self) {
        for member in &mut self.members {
            if let Some(limit) = member.time_limit()
                && member.running_for().is_some_and(|time| time >= limit)
            {
                member.condemn(Error::TimeLimit { limit });
            }
            member.enforce_end();
        }
    }

    /// Gives out tasks, to idle workers first, and to each of them before one gets more.
    fn dispatch(&mut self) {
        let (idle, busy): (Vec<_>, Vec<_>) =
            (0..self.members.len()).partition(|at| self.members[*at].is_idle());
        for at in &idle {
            self.feed(*at);
        }
        for at in idle.into_iter().chain(busy) {
            while self.feed(at) {}
        }
    }

    /// Gives a worker a packet of tasks. Returns whether it may want another one.
    fn feed(&mut self, at: usize) -> bool {
        let Some(first) = self.waiting.first() else { return false };
        let share = self.waiting.len() / self.settings.workers();
        let count = self.members[at].appetite(share, first, &self.settings);
        let jobs = self.next_jobs(count);
        if jobs.is_empty() {
            return false;
        }
        match self.members[at].send(jobs) {
            Ok(()) => return true,
            Err((jobs, Error::WouldBlock)) => self.wait_again(jobs),
            Err((jobs, error)) => {
                let reason = error.to_string();
                self.end_with(jobs, || Error::Failed { reason: reason.clone() });
            }
        }
        false
    }

    /// The next tasks, at most `count`, that fit into one packet.
    fn next_jobs(&mut self, count: usize) -> Vec<Job> {
        let (mut jobs, mut bytes, mut files) = (Vec::new(), 0, 0);
        while jobs.len() < count
            && let Some(job) = self.waiting.first()
        {
            let is_alone = job.travels_alone();
            bytes += job.args.len();
            files += job.luggage.len();
            let is_full = bytes > MOST_BYTES || files > MOST_FILES || is_alone;
            if is_full && !jobs.is_empty() {
                break;
            }
            jobs.extend(self.waiting.take_first());
            if is_alone {
                break;
            }
        }
        jobs
    }

    /// Lets an idle worker have what another one has not begun.
    fn share(&mut self) {
        let late = |member: &Member| member.is_late(SHARE_AFTER);
        if self.waiting.is_empty()
            && self.members.iter().any(Member::is_free)
            && let Some(at) = self.members.iter().position(late)
        {
            let has_answered = self.take_back(at);
            if !has_answered && self.members[at].running().is_none() {
                self.members[at].pause();
            }
            self.dispatch();
        }
    }

    /// Takes back what a worker has not begun. Returns whether it has answered meanwhile.
    fn take_back(&mut self, at: usize) -> bool {
        let (results, unstarted) = self.members[at].take_back();
        let has_answered = !results.is_empty();
        self.end_all(results);
        self.wait_again(unstarted);
        has_answered
    }

    /// Lets workers end that have no more to do.
    fn dismiss(&mut self) {
        let is_spare = |member: &Member| member.assigned.len() <= 1;
        let nothing_waits = self.waiting.is_empty() && self.members.iter().all(is_spare);
        let is_last = self.stage != Stage::Open && nothing_waits;
        for member in self.members.iter_mut().filter(|member| member.is_idle()) {
            if is_last || member.left(&self.settings) == 0 {
                member.dismiss(&self.epoll);
            }
        }
        let forgotten = self.luggage.take_forgotten();
        self.members.iter_mut().for_each(|member| member.forget(&forgotten));
        for member in self.members.iter_mut().filter(|member| member.must_forget()) {
            let _ = member.send(vec![]); // if that fails, the next packet says it
        }
    }

    /// Whether a worker is at a task of this call.
    pub fn is_running(&self, results: &Arc<Results>) -> bool {
        let mut running = self.members.iter().filter_map(Member::running);
        running.any(|job| Arc::ptr_eq(&job.results, results))
    }

    pub fn has_tasks(&self) -> bool {
        !self.waiting.is_empty() || self.members.iter().any(|member| !member.assigned.is_empty())
    }

    /// When to step again even if nothing happens.
    pub fn next_step(&self) -> Deadline {
        self.next_step_if(|_| true)
    }

    /// The same for a thread that sleeps and would have to be called. That costs more than a short
    /// task, so nobody is called to see that a worker begins the only task that it has.
    pub fn next_call(&self) -> Deadline {
        self.next_step_if(|member| member.assigned.len() > 1)
    }

    /// `may_share`: whether what a worker has not begun is a reason.
    fn next_step_if(&self, may_share: impl Fn(&Member) -> bool) -> Deadline {
        let can_share = self.members.iter().any(Member::is_free);
        let next = |member: &Member| member.next_step(can_share && may_share(member));
        self.members.iter().filter_map(next).chain(self.next_hire()).min()
    }

    /// Whether the background thread is to be told of calls. It is told once.
    pub fn announce_calls(&mut self) -> bool {
        let is_new = !self.calls.is_empty() && !self.is_announced;
        self.is_announced |= is_new;
        is_new
    }

    pub fn take_calls(&mut self) -> Calls {
        self.is_announced = false;
        mem::take(&mut self.calls)
    }

    pub fn stats(&self) -> PoolStats {
        let started = self.members.iter().filter(|member| member.has_started);
        let assigned: usize = started.map(|member| member.assigned.len()).sum();
        let running = self.members.iter().filter_map(Member::running).count();
        PoolStats {
            workers: self.members.len(),
            restarts: self.started.saturating_sub(self.settings.workers() as u64),
            waiting: (self.waiting.len() + assigned).saturating_sub(running),
            running,
            done: self.done,
            busy: self.busy + self.members.iter().map(|member| member.busy).sum::<Duration>(),
        }
    }
}
