//! The worker's side of a pool.

use super::job::{PacketHeader, TaskHeader};
use super::word::Word;
use crate::Error;
use crate::descriptor::Table;
use crate::error::Trying;
use crate::pipe::{Channel, Message};
use crate::spawn::{Answer, Function};
use nix::sys::signal::{SigHandler, Signal, signal};
use nix::unistd::{SysconfVar, sysconf};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};
use std::{fs, mem, thread};

/// If giving way takes longer than this, it was not the pool that had the core.
const LONG: Duration = Duration::from_millis(1);

/// What a worker is given at its start.
#[derive(Debug, Serialize, Deserialize)]
pub struct Work {
    pub channel: Channel,
    pub word: Word,
    /// Called before a worker ends, unless it is killed.
    pub finalizer: Option<Function>,
    /// It ends if it has reached this many bytes of memory when a task is done.
    pub memory_limit: Option<u64>,
}

/// Takes tasks until there are no more. The first one is the initializer.
pub fn work(work: Work) -> Result<(), Error> {
    // Ctrl-C reaches the whole group. It is for the pool's program, whose workers end with it.
    // SAFETY: to ignore a signal installs no function.
    unsafe { signal(Signal::SIGINT, SigHandler::SigIgn) }.trying_to("ignore SIGINT")?;
    let mut worker = Worker::new(work);
    let mut goes_on = true;
    while goes_on {
        goes_on = match worker.next_packet() {
            Err(Error::Closed) => false,
            packet => worker.run_packet(packet?)?,
        };
    }
    if let Some(finalizer) = worker.work.finalizer {
        // SAFETY: the pool made it from an `fn()`.
        let finalizer: fn() = unsafe { finalizer.as_fn()? };
        finalizer();
    }
    Ok(())
}

type Files = HashMap<u32, OwnedFd>;

struct Worker {
    work: Work,
    /// The descriptors that it keeps, by their numbers.
    files: Files,
    /// What the pool wanted the last call for.
    called_at: u32,
    /// It does not give way before this moment.
    keeps_core_until: Instant,
    /// How long it last kept the core.
    kept: Duration,
}

impl Worker {
    fn new(work: Work) -> Self {
        let (keeps_core_until, kept) = (Instant::now(), Duration::ZERO);
        Self { work, files: HashMap::new(), called_at: 0, keeps_core_until, kept }
    }

    /// After short tasks, a worker looks twice before it sleeps. If it slept at once, the next task
    /// would wake it, and on a core that the two share, it would interrupt the pool for this task
    /// alone.
    fn next_packet(&mut self) -> Result<Message, Error> {
        if !self.work.word.answers().is_empty() {
            if let Some(packet) = self.work.channel.try_receive()? {
                return Ok(packet);
            }
            self.give_way();
            if let Some(packet) = self.work.channel.try_receive()? {
                return Ok(packet);
            }
            self.call_pool()?;
        }
        self.work.channel.receive()
    }

    /// Lets others have the core. If that takes long, another program may have taken it, and the
    /// worker keeps the core for a while: twice as long each time.
    fn give_way(&mut self) {
        let start = Instant::now();
        if start < self.keeps_core_until {
            return;
        }
        thread::yield_now();
        let now = Instant::now();
        if now - start < LONG {
            self.kept = Duration::ZERO;
        } else {
            self.kept = (2 * self.kept).clamp(LONG, 1000 * LONG);
            self.keeps_core_until = now + self.kept;
        }
    }

    /// Has the pool look at the answers.
    fn call_pool(&self) -> Result<(), Error> {
        self.work.channel.post(Message::default())
    }

    /// Returns whether the worker goes on after these tasks.
    fn run_packet(&mut self, mut packet: Message) -> Result<bool, Error> {
        let header: PacketHeader = packet.take()?;
        let mut files = mem::take(&mut packet.descriptors).into_iter().flatten();
        header.forgotten.iter().for_each(|number| drop(self.files.remove(number)));
        self.files.extend(header.new.into_iter().zip(&mut files));
        let mut passing: Files = header.passing.into_iter().zip(files).collect();
        for _ in 0..header.tasks {
            let task: TaskHeader = packet.take()?;
            let args = packet.take_bytes(task.length)?;
            if self.work.word.start(header.epoch, task.number) {
                let answer = self.run(&task, args, mem::take(&mut passing));
                self.send(answer, task.number)?;
                let is_initializer = task.number == 1;
                if !self.work.word.finish() || !is_initializer && self.has_grown() {
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }

    fn run(&self, task: &TaskHeader, args: &[u8], passing: Files) -> Message {
        let files = self.copies(&task.descriptors, passing);
        let answer = files.and_then(|files| task.call.run(args, files));
        answer.unwrap_or_else(|error| Answer::from_error(&error).into_message())
    }

    /// The descriptors for a task. Of what is not kept, no other copy is left when the task begins.
    fn copies(&self, numbers: &[u32], passing: Files) -> Result<Table, Error> {
        let find = |number| self.files.get(number).or_else(|| passing.get(number));
        let copy = |number| find(number).map(OwnedFd::try_clone).transpose();
        numbers.iter().map(copy).collect::<Result<_, _>>().trying_to("duplicate a descriptor")
    }

    /// Answers in shared memory if the pool wants that and it is possible.
    fn send(&mut self, answer: Message, task: u32) -> Result<(), Error> {
        let answers = self.work.word.answers();
        let call_at = answers.call_at();
        let is_plain = answer.descriptors.is_empty();
        if call_at == 0 || !is_plain || !answers.put(task, &answer.bytes) {
            return self.post(answer, task);
        }
        let is_time = task >= call_at && self.called_at != call_at;
        if is_time || answers.call_at() == 0 {
            self.called_at = call_at;
            self.call_pool()?;
        }
        Ok(())
    }

    /// Sends an answer. If that fails, as for lack of memory, it sends the error.
    fn post(&self, answer: Message, task: u32) -> Result<(), Error> {
        let post = |mut answer: Message| {
            answer.bytes.extend(task.to_le_bytes());
            self.work.channel.post(answer)
        };
        match post(answer) {
            Err(Error::Closed) => Err(Error::Closed),
            Err(error) => post(Answer::from_error(&error).into_message()),
            Ok(()) => Ok(()),
        }
    }

    /// A worker that cannot tell, for example because tasks have left it no descriptor, has grown.
    fn has_grown(&self) -> bool {
        let is_over = |limit| resident_memory().map_or(true, |memory| memory >= limit);
        self.work.memory_limit.is_some_and(is_over)
    }
}

/// How much memory this process has, in bytes (proc_pid_statm(5)).
fn resident_memory() -> Result<u64, Error> {
    let statm = fs::read_to_string("/proc/self/statm").trying_to("ask for the memory in use")?;
    let pages = statm.split(' ').nth(1).and_then(|pages| pages.parse::<u64>().ok());
    let page = sysconf(SysconfVar::PAGE_SIZE).ok().flatten().unwrap_or(4096);
    Ok(pages.unwrap_or(0) * page as u64)
}
