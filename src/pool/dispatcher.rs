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

use super::baggage::Luggage;
use super::job::Job;
use super::member::{Member, Phase};
use super::results::{Callback, Outcome, Results, decode};
use super::settings::Settings;
use crate::Error;
use crate::error::Trying;
use crate::sys::deadline::Deadline;
use nix::sys::epoll::{Epoll, EpollEvent, EpollFlags};
use std::collections::VecDeque;
use std::mem;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The pool gives up when so many workers have ended before they were ready, one after the other.
/// One that was killed, which may be chance, counts 1, and any other 10.
const MOST_FAILURES: u32 = 30;

/// The bytes and the descriptors of a packet with several tasks. Two packets fit into a socket's
/// buffer, so sending never waits.
const MOST_BYTES: usize = 48 * 1024;
const MOST_FILES: usize = 200;

/// How long a task runs before those behind it go to an idle worker.
const SHARE_AFTER: Duration = Duration::from_millis(1);

/// The pause after a worker could not be started.
const HIRE_AFTER: Duration = Duration::from_millis(10);

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
    waiting: VecDeque<Job>,
    stage: Stage,
    started: u64,
    /// How many workers in a row have ended before they were ready.
    failures: u32,
    broken: Option<String>,
    /// Called by the background thread, and whether it was told of them.
    callbacks: Vec<Callback>,
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
            waiting: VecDeque::new(),
            stage: Stage::Open,
            started: 0,
            failures: 0,
            broken: None,
            callbacks: Vec::new(),
            is_announced: false,
            done: 0,
            busy: Duration::ZERO,
        }
    }

    /// Takes tasks. If the pool takes none, that is their outcome.
    pub fn submit(&mut self, jobs: Vec<Job>) {
        match self.check_open() {
            Ok(()) => self.waiting.extend(jobs),
            Err(_) => self.end_with(jobs, |this| this.check_open().err().unwrap_or(Error::Closed)),
        }
        self.dispatch();
    }

    fn end_with(&mut self, jobs: impl IntoIterator<Item = Job>, error: impl Fn(&Self) -> Error) {
        let ended = jobs.into_iter().map(|job| (job, Err(error(self)))).collect();
        self.end_all(ended);
    }

    /// An error if the pool takes no tasks.
    pub fn check_open(&self) -> Result<(), Error> {
        match (&self.broken, self.stage) {
            (Some(reason), _) => Err(Error::PoolBroken { reason: reason.clone() }),
            (None, Stage::Open) => Ok(()),
            (None, _) => Err(Error::Closed),
        }
    }

    /// Deals with what has happened, and gives out tasks.
    pub fn step(&mut self, events: impl IntoIterator<Item = Event>) {
        for event in events {
            match event {
                Event::Result(id) => self.receive(id),
                Event::End(id) => self.bury(id),
            }
        }
        self.enforce();
        self.hire();
        self.dispatch();
        self.share();
        self.dismiss();
    }

    fn receive(&mut self, id: u64) {
        let Some(member) = self.members.iter_mut().find(|member| member.id == id) else { return };
        let results = member.receive();
        if member.has_hung_up {
            member.close(&self.epoll);
            member.end();
        }
        if let Phase::Starting = member.phase {
            let outcome = results.into_iter().next().map(|(_, outcome)| decode::<()>(outcome));
            self.is_ready(id, outcome);
        } else {
            self.end_all(results);
        }
    }

    /// A worker has called the initializer.
    fn is_ready(&mut self, id: u64, outcome: Option<Result<(), Error>>) {
        let Some(member) = self.members.iter_mut().find(|member| member.id == id) else { return };
        match outcome {
            Some(Ok(())) => {
                member.begin();
                self.failures = 0;
            }
            Some(Err(error)) => member.fail(error),
            None => {}
        }
    }

    fn end_all(&mut self, results: Vec<(Job, Outcome)>) {
        self.done += results.len() as u64;
        for (job, outcome) in results {
            self.callbacks.extend(job.end(outcome));
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
        let running = member.assigned.pop_front().map(|(_, job)| job);
        if member.has_started {
            self.end_all(results);
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
        if let Some(Ok(Err(error)) | Err(error)) = member.result_of_exit().filter(|_| is_idle)
            && !jobs.is_empty()
        {
            self.end_all(vec![(jobs.remove(0), Err(error))]);
        }
        jobs
    }

    /// The task that a dead worker was running.
    fn end_running(&mut self, job: Option<Job>, mut member: Member) {
        let Some(mut job) = job else { return };
        let exit_code = member.process.exit_code();
        let died = Error::WorkerDied { pid: member.process.pid(), exit_code };
        match member.verdict.take() {
            None if job.treatment.retries > 0 && self.stage != Stage::Terminated => {
                job.treatment.retries -= 1;
                self.waiting.push_front(job);
            }
            verdict => self.end_all(vec![(job, Err(verdict.unwrap_or(died)))]),
        }
    }

    fn wait_again(&mut self, jobs: Vec<Job>) {
        jobs.into_iter().rev().for_each(|job| self.waiting.push_front(job));
    }

    /// A worker has ended before it was ready.
    fn has_failed(&mut self, member: Member) {
        let Member { process, verdict, .. } = member;
        let ended = || process.join().and_then(|ended| ended).err();
        self.failed_to_start(verdict.or_else(ended).unwrap_or(Error::EndUnknown));
    }

    fn failed_to_start(&mut self, error: Error) {
        self.failures += if let Error::Killed { .. } = error { 1 } else { 10 };
        let is_idle = !self.members.iter().any(|member| member.has_started);
        if self.failures >= MOST_FAILURES && is_idle && self.stage != Stage::Terminated {
            self.broken = Some(match error {
                Error::Exited { status } => {
                    format!("something in the initializer called exit({status})")
                }
                error => error.to_string(),
            });
            let jobs = mem::take(&mut self.waiting);
            self.end_with(jobs, |this| this.check_open().err().unwrap_or(Error::Closed));
        }
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

    /// Starts workers in place of those that have ended.
    fn hire(&mut self) {
        while self.is_short_of_workers() {
            if let Err(error) = self.start_worker() {
                return self.failed_to_start(error); // the next step tries again
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

    pub fn start_worker(&mut self) -> Result<(), Error> {
        self.started += 1;
        let member = Member::start(self.started, &self.settings, &self.luggage)?;
        self.watch(&member)?;
        self.members.push(member);
        Ok(())
    }

    fn watch(&self, member: &Member) -> Result<(), Error> {
        let what = "watch a worker";
        let event = |event: Event| EpollEvent::new(EpollFlags::EPOLLIN, event.into());
        self.epoll.add(&member.process, event(Event::End(member.id))).trying_to(what)?;
        let Some(channel) = member.channel() else { return Ok(()) };
        self.epoll.add(channel, event(Event::Result(member.id))).trying_to(what)
    }

    /// Gives out tasks, to idle workers first.
    fn dispatch(&mut self) {
        let (idle, busy): (Vec<_>, Vec<_>) =
            (0..self.members.len()).partition(|at| self.members[*at].is_idle());
        for at in idle.into_iter().chain(busy) {
            if self.waiting.is_empty() {
                return;
            }
            self.feed(at);
        }
    }

    fn feed(&mut self, at: usize) {
        let chunk_size = self.waiting.front().and_then(|job| job.treatment.chunk_size);
        let share = self.waiting.len() / self.settings.workers();
        let count = self.members[at].appetite(share, chunk_size, &self.settings);
        let jobs = self.next_jobs(count);
        if jobs.is_empty() {
            return;
        }
        match self.members[at].send(jobs) {
            Ok(()) => {}
            Err((jobs, Error::WouldBlock)) => self.wait_again(jobs),
            Err((jobs, error)) => {
                let reason = error.to_string();
                self.end_with(jobs, |_| Error::Failed { reason: reason.clone() });
            }
        }
    }

    /// The next tasks, at most `count`, that fit into one packet.
    fn next_jobs(&mut self, count: usize) -> Vec<Job> {
        let (mut jobs, mut bytes, mut files) = (Vec::new(), 0, 0);
        while jobs.len() < count
            && let Some(job) = self.waiting.front()
        {
            bytes += job.args.len();
            files += job.luggage.len();
            if !jobs.is_empty() && (bytes > MOST_BYTES || files > MOST_FILES) {
                break;
            }
            let Some(job) = self.waiting.pop_front() else { break };
            match job.results.is_abandoned() {
                true => self.end_with([job], |_| Error::Cancelled),
                false => jobs.push(job),
            }
        }
        jobs
    }

    /// Lets an idle worker have what another one has not begun.
    fn share(&mut self) {
        let late = |member: &Member| member.is_late(SHARE_AFTER);
        if self.waiting.is_empty()
            && self.members.iter().any(Member::is_idle)
            && let Some(at) = self.members.iter().position(late)
        {
            self.take_back(at);
            self.dispatch();
        }
    }

    /// Takes back what a worker has not begun.
    fn take_back(&mut self, at: usize) {
        let (results, unstarted) = self.members[at].take_back();
        self.end_all(results);
        self.wait_again(unstarted);
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
        let (meant, others): (VecDeque<_>, _) =
            mem::take(&mut self.waiting).into_iter().partition(is_meant);
        self.waiting = others;
        self.end_with(meant, |_| Error::Cancelled);
        self.dispatch();
    }

    /// Whether a worker is at a task of this call.
    pub fn is_running(&self, results: &Arc<Results>) -> bool {
        let is_meant = |job: &Job| Arc::ptr_eq(&job.results, results);
        self.members.iter().any(|member| {
            member.assigned.front().is_some_and(|(_, job)| is_meant(job))
                && member.running_for().is_some()
        })
    }

    pub fn has_tasks(&self) -> bool {
        !self.waiting.is_empty() || self.members.iter().any(|member| !member.assigned.is_empty())
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

    /// Cancels the tasks that have not begun.
    pub fn cancel_waiting(&mut self) {
        for at in 0..self.members.len() {
            if self.members[at].has_started {
                self.take_back(at); // the first task of any other one is the initializer
            }
        }
        let jobs = mem::take(&mut self.waiting);
        self.end_with(jobs, |_| Error::Cancelled);
    }

    pub fn has_ended(&self) -> bool {
        self.stage != Stage::Open && self.waiting.is_empty() && self.members.is_empty()
    }

    /// When to step again even if nothing happens.
    pub fn next_step(&self) -> Deadline {
        let can_share = self.members.iter().any(Member::is_idle);
        let hire = self.is_short_of_workers().then(|| Instant::now() + HIRE_AFTER);
        let steps = self.members.iter().filter_map(|member| member.next_step(can_share));
        steps.chain(hire).min()
    }

    /// Whether there are callbacks that the background thread was not told of. It is told once:
    /// it may be in a callback that waits.
    pub fn has_new_callbacks(&mut self) -> bool {
        let is_new = !self.callbacks.is_empty() && !self.is_announced;
        self.is_announced |= is_new;
        is_new
    }

    pub fn take_callbacks(&mut self) -> Vec<Callback> {
        self.is_announced = false;
        mem::take(&mut self.callbacks)
    }

    pub fn stats(&self) -> PoolStats {
        let started = self.members.iter().filter(|member| member.has_started);
        let assigned: usize = started.map(|member| member.assigned.len()).sum();
        let running = self.members.iter().filter(|member| member.running_for().is_some()).count();
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

/// How a pool is doing at one moment: see [`Pool::stats`](crate::Pool::stats).
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct PoolStats {
    /// The workers that run, also those that are starting or ending.
    pub workers: usize,
    /// How many workers were started in place of others.
    pub restarts: u64,
    /// The tasks that have not begun.
    pub waiting: usize,
    /// The tasks that run.
    pub running: usize,
    /// The tasks that have a result or an error.
    pub done: u64,
    /// How long workers had tasks, added up.
    pub busy: Duration,
}

/// What the system tells of a worker, by its id.
#[derive(Clone, Copy, Debug)]
pub enum Event {
    Result(u64),
    End(u64),
}

impl From<Event> for u64 {
    fn from(event: Event) -> Self {
        match event {
            Event::Result(id) => id << 1,
            Event::End(id) => id << 1 | 1,
        }
    }
}

impl From<u64> for Event {
    fn from(number: u64) -> Self {
        if number & 1 == 0 { Self::Result(number >> 1) } else { Self::End(number >> 1) }
    }
}
