//! A worker as the pool sees it.

mod answering;

use super::job::{Job, PacketHeader};
use super::luggage::{Item, Luggage};
use super::results::Outcome;
use super::settings::Settings;
use super::word::Word;
use super::worker::{Work, work};
use crate::pipe::{Channel, Message, to_bytes};
use crate::sys::deadline::Deadline;
use crate::{Error, Process};
use nix::sys::epoll::Epoll;
use std::collections::{BTreeMap, HashSet, VecDeque};
use std::os::fd::AsRawFd;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// About how long the tasks of a packet take together.
const PACKET_TIME: Duration = Duration::from_millis(1);
const MOST_IN_PACKET: usize = 1000;

/// The bytes of a packet with several tasks.
pub const MOST_BYTES: usize = 48 * 1024;

/// The bytes of small packets that are sent ahead. A socket's buffer takes twice as many (212,992
/// by default, socket(7)).
const MOST_AHEAD: usize = 2 * MOST_BYTES;
/// About what a packet takes there beside its bytes.
const PACKET: usize = 1024;

/// How long a worker that does not answer gets no tasks. The time doubles until it answers.
const SILENCE: Duration = Duration::from_millis(10);
const MOST_SILENCE: Duration = Duration::from_secs(1);

/// The time between SIGTERM and SIGKILL.
pub const GRACE: Duration = Duration::from_millis(500);

pub enum Phase {
    /// It runs the initializer, which is its first task.
    Starting,
    Ready,
    /// It was told to end. At this moment it is killed; `None`: it may take its time, or was killed.
    Ending(Deadline),
}

/// What a worker that ends by itself returns.
type Ended = Result<(), Error>;

pub struct Member {
    pub id: u64,
    pub process: Process<Ended>,
    pub phase: Phase,
    /// The tasks that it has and that have no result, by their numbers. The first one may run.
    pub assigned: VecDeque<(u32, Job)>,
    /// Why it is ended: the outcome of the task that it runs.
    pub verdict: Option<Error>,
    /// Whether it has called the initializer.
    pub has_started: bool,
    /// How long it has had tasks.
    pub busy: Duration,
    /// Whether it has closed its end of the channel.
    pub has_hung_up: bool,
    /// It gets no tasks before this moment: it did not begin those that it had, or has not read
    /// what it was sent.
    silent_until: Option<Instant>,
    /// How long that will be the next time.
    pause: Duration,
    /// Closed to let the worker end.
    channel: Option<Channel>,
    word: Word,
    /// Whether it may answer in shared memory, and when to look there even if it does not call.
    look_at: Deadline,
    epoch: u32,
    last_number: u32,
    /// How many tasks it has been given and were not taken back, after the initializer.
    given: u32,
    /// The numbers of the descriptors that it has, and of those to be forgotten.
    known: HashSet<u32>,
    forgotten: Vec<u32>,
    /// How long a task takes, if that is known.
    usual: Option<Duration>,
    /// When the present measurement began, and how many results have come since.
    since: Instant,
    results: u32,
}

impl Member {
    /// Starts a worker, and gives it the initializer.
    pub fn start(id: u64, settings: &Settings, luggage: &Luggage) -> Result<Self, Error> {
        let (ours, theirs) = Channel::pair()?;
        let word = Word::new()?;
        let (finalizer, memory_limit) = (settings.finalizer, settings.memory_limit);
        let args = Work { channel: theirs, word: word.clone(), finalizer, memory_limit };
        let process = start_process(id, settings, args)?;
        let mut member = Self::new(id, process, ours, word);
        let initializer = Job::initializer(settings, luggage)?;
        member.send(vec![initializer]).map_err(|(_, error)| error)?;
        Ok(member)
    }

    fn new(id: u64, process: Process<Ended>, channel: Channel, word: Word) -> Self {
        Self {
            id,
            process,
            phase: Phase::Starting,
            assigned: VecDeque::new(),
            verdict: None,
            has_started: false,
            busy: Duration::ZERO,
            has_hung_up: false,
            silent_until: None,
            pause: SILENCE,
            channel: Some(channel),
            word,
            look_at: None,
            epoch: 0,
            last_number: 0,
            given: 0,
            known: HashSet::new(),
            forgotten: Vec::new(),
            usual: None,
            since: Instant::now(),
            results: 0,
        }
    }

    pub fn channel(&self) -> Option<&Channel> {
        self.channel.as_ref()
    }

    pub fn is_ready(&self) -> bool {
        matches!(self.phase, Phase::Ready)
    }

    pub fn is_idle(&self) -> bool {
        self.is_ready() && self.assigned.is_empty()
    }

    /// It has called the initializer.
    pub fn begin(&mut self) {
        self.has_started = true;
        (self.usual, self.given) = (None, 0); // those of the initializer
        if let Phase::Starting = self.phase {
            self.phase = Phase::Ready;
        }
    }

    /// How many tasks it may still be given in its life.
    pub fn left(&self, settings: &Settings) -> usize {
        let numbers = super::MOST_TASKS.saturating_sub(self.last_number);
        settings.tasks_per_worker.saturating_sub(self.given).min(numbers) as usize
    }

    /// How many tasks to send now, of which this is the first. `share` is how many are waiting for
    /// each worker.
    pub fn appetite(&self, share: usize, first: &Job, settings: &Settings) -> usize {
        let usual = self.usual.map(|usual| usual.as_nanos().max(1));
        let adapted = usual.map_or(1, |usual| PACKET_TIME.as_nanos() / usual) as usize;
        let adapted = adapted.min(share / 2);
        let packet = first.treatment.chunk_size.unwrap_or(adapted).clamp(1, MOST_IN_PACKET);
        let ahead = adapted.min(MOST_AHEAD / (first.args.len() + PACKET)).max(packet);
        // Tasks are sent ahead, but not before it is known how long they take, and not behind a
        // long one.
        let is_short = || self.running_for().is_none_or(|running| running < PACKET_TIME);
        let is_fast = usual.is_some()
            && self.assigned.len() <= ahead.div_ceil(2)
            && is_short()
            && !first.travels_alone();
        let is_hungry =
            self.is_ready() && self.silent_until.is_none() && (self.assigned.is_empty() || is_fast);
        if is_hungry { packet.min(self.left(settings)) } else { 0 }
    }

    /// Sends tasks in one packet. If that fails, they come back with the reason.
    pub fn send(&mut self, jobs: Vec<Job>) -> Result<(), (Vec<Job>, Error)> {
        let count = jobs.len() as u32;
        if self.assigned.is_empty() {
            (self.since, self.results) = (Instant::now(), 0);
            if count <= 1 {
                self.want_answer_by_message();
            }
        }
        let (first, start) = (self.last_number + 1, self.assigned.len());
        self.last_number += count;
        self.assigned.extend((first..).zip(jobs));
        match self.send_from(start) {
            // If it has ended, its tasks are dealt with then.
            Ok(()) | Err(Error::Closed) => {
                self.given += count;
                self.want_answers_in_memory();
                Ok(())
            }
            Err(error) => {
                let jobs = self.assigned.drain(start..).map(|(_, job)| job).collect();
                self.pause();
                Err((jobs, error))
            }
        }
    }

    fn send_from(&mut self, start: usize) -> Result<(), Error> {
        let jobs = || self.assigned.range(start..);
        let items = jobs().flat_map(|(_, job)| &job.luggage).map(|item| (item.number, item));
        let is_new = |(number, _): &(u32, _)| !self.known.contains(number);
        let new: BTreeMap<_, _> = items.filter(is_new).collect(); // each once
        let (new, passing): (Vec<_>, Vec<_>) = new.into_values().partition(|item| item.is_memory);
        let numbers = |items: &[&Arc<Item>]| items.iter().map(|item| item.number).collect();
        let mut packet = Message::default();
        packet.push(&PacketHeader {
            epoch: self.epoch,
            tasks: jobs().len() as u32,
            new: numbers(&new),
            passing: numbers(&passing),
            forgotten: self.forgotten.clone(),
        })?;
        for (number, job) in jobs() {
            packet.bytes = to_bytes(&job.header(*number), packet.bytes)?;
            packet.bytes.extend_from_slice(&job.args);
        }
        let files: Vec<_> = new.iter().chain(&passing).map(|item| item.file.as_raw_fd()).collect();
        let channel = self.channel.as_ref().ok_or(Error::Closed)?;
        channel.try_post_bytes(&packet.bytes, &files)?;
        self.known.extend(new.iter().map(|item| item.number));
        self.forgotten.clear();
        Ok(())
    }

    /// Takes back the tasks that have not begun. Results may arrive meanwhile. The last one that
    /// stays is the one that runs.
    pub fn take_back(&mut self) -> (Vec<(Job, Outcome)>, Vec<Job>) {
        self.epoch = self.word.take_back();
        let running = self.word.task();
        let results = self.receive();
        let kept = self.assigned.partition_point(|(number, _)| Some(*number) <= running);
        let unstarted: Vec<_> = self.assigned.drain(kept..).map(|(_, job)| job).collect();
        self.given -= unstarted.len() as u32;
        (results, unstarted)
    }

    /// The task that it runs. (Answers to earlier ones may not have been looked at.)
    pub fn running(&self) -> Option<&Job> {
        let running = self.word.task()?;
        self.assigned.iter().find(|(number, _)| *number == running).map(|(_, job)| job)
    }

    /// How long the first task has been running.
    pub fn running_for(&self) -> Option<Duration> {
        self.word.running_for(self.assigned.front()?.0)
    }

    /// Ends the worker because of the task that it runs, unless that has just finished.
    pub fn condemn(&mut self, verdict: Error) {
        if self.assigned.front().is_some_and(|(number, _)| self.word.condemn(*number)) {
            self.fail(verdict);
        }
    }

    /// Ends the worker for this reason.
    pub fn fail(&mut self, reason: Error) {
        self.verdict.get_or_insert(reason);
        self.end();
    }

    /// Asks the worker to end, and sees to it that it does.
    pub fn end(&mut self) {
        if !matches!(self.phase, Phase::Ending(Some(_))) {
            let _ = self.process.terminate(); // if it is another user's, nothing can be done
            self.phase = Phase::Ending(Some(Instant::now() + GRACE));
        }
    }

    /// Sees to it that a worker ends which has closed its end of the channel. If it runs no task,
    /// it is about to end by itself, and then tells why.
    pub fn hang_up(&mut self, epoll: &Epoll) {
        self.close(epoll);
        match (self.word.task(), &self.phase) {
            (None, Phase::Starting | Phase::Ready) => {
                self.phase = Phase::Ending(Some(Instant::now() + GRACE))
            }
            _ => self.end(),
        }
    }

    /// Lets the worker end when it has done its tasks.
    pub fn dismiss(&mut self, epoll: &Epoll) {
        self.close(epoll);
        self.phase = Phase::Ending(None);
    }

    pub fn close(&mut self, epoll: &Epoll) {
        if let Some(channel) = self.channel.take_if(|channel| epoll.delete(channel).is_ok()) {
            drop(channel);
        }
    }

    /// Kills it if it has not ended in time, once.
    pub fn enforce_end(&mut self) {
        if matches!(self.phase, Phase::Ending(Some(end)) if end <= Instant::now()) {
            let _ = self.process.kill();
            self.phase = Phase::Ending(None);
        }
    }

    /// The time limit of the first task.
    pub fn time_limit(&self) -> Option<Duration> {
        self.assigned.front().filter(|_| self.is_ready())?.1.treatment.time_limit
    }

    /// Whether it has tasks that it has not begun, and has neither begun nor ended one for this
    /// long.
    pub fn is_late(&self, time: Duration) -> bool {
        let at_it = || self.running_for().unwrap_or(self.since.elapsed());
        self.has_more() && at_it() >= time
    }

    /// Whether it has tasks that it has not begun.
    fn has_more(&self) -> bool {
        let running = usize::from(self.running_for().is_some());
        self.is_ready() && self.assigned.len() > running
    }

    /// Gives it no tasks for a while.
    pub fn pause(&mut self) {
        self.silent_until = Some(Instant::now() + self.pause);
        self.pause = (2 * self.pause).min(MOST_SILENCE);
    }

    /// Whether it may take over what another one has not begun.
    pub fn is_free(&self) -> bool {
        self.is_idle() && self.silent_until.is_none()
    }

    /// Ends its silence if that is over. Once for each step: a silence that held up a task in this
    /// step is also waited for after it.
    pub fn end_silence(&mut self) {
        self.silent_until = self.silent_until.filter(|end| *end > Instant::now());
    }

    /// When to look for answers that it may leave in shared memory without a call.
    fn next_look(&self) -> Deadline {
        self.look_at.filter(|_| !self.assigned.is_empty())
    }

    /// Whether to tell it of descriptors now, as it has nothing to do.
    pub fn must_forget(&self) -> bool {
        self.is_idle() && !self.forgotten.is_empty()
    }

    /// What the process returned, if it has ended by itself.
    pub fn result_of_exit(&self) -> Option<Result<Ended, Error>> {
        self.process.exit_code().filter(|code| *code >= 0)?;
        Some(self.process.take_result())
    }

    /// When to look at it again even if nothing happens.
    pub fn next_step(&self, can_share: bool) -> Deadline {
        let running = || self.running_for().unwrap_or_default();
        let left = self.time_limit().map(|limit| limit.saturating_sub(running()));
        let share = (can_share && self.has_more()).then_some(PACKET_TIME);
        let look =
            left.into_iter().chain(share).min().and_then(|left| Instant::now().checked_add(left));
        let end = if let Phase::Ending(end) = self.phase { end } else { None };
        look.into_iter().chain(end).chain(self.silent_until).chain(self.next_look()).min()
    }

    pub fn forget(&mut self, numbers: &[u32]) {
        self.forgotten.extend(numbers.iter().filter(|number| self.known.remove(number)));
    }
}

fn start_process(id: u64, settings: &Settings, args: Work) -> Result<Process<Ended>, Error> {
    let mut builder = Process::builder().name(format!("{}-{id}", settings.name)).daemon(true);
    for (name, value) in &settings.environment {
        builder = builder.env(name, value);
    }
    match &settings.server {
        Some(server) => builder.spawn_on(server, work, args),
        None => builder.spawn(work, args),
    }
}
