//! How a worker's answers come in.

use super::{Member, PACKET_TIME, SILENCE};
use crate::Error;
use crate::pipe::Message;
use crate::pool::job::Job;
use crate::pool::results::Outcome;
use std::io::ErrorKind;
use std::time::{Duration, Instant};

/// Tasks that take less than this are answered in shared memory.
const SHORT: Duration = Duration::from_micros(500);

impl Member {
    /// Several short tasks are answered in shared memory. The worker calls when a third of its tasks
    /// are left, in time for the next ones.
    pub(super) fn want_answers_in_memory(&mut self) {
        let count = self.assigned.len();
        if count > 1 && self.usual.is_some_and(|usual| usual < SHORT) {
            self.word.answers().set_call_at(self.last_number - count as u32 / 3);
            self.look_at = Some(Instant::now() + PACKET_TIME);
        }
    }

    /// The worker has no task, and gets a single one.
    pub(super) fn want_answer_by_message(&mut self) {
        if self.look_at.take().is_some() {
            self.word.answers().set_call_at(0);
        }
    }

    /// The results in shared memory. If none has come for a while, the next ones come through the
    /// channel.
    pub fn look(&mut self) -> Vec<(Job, Outcome)> {
        let Some(end) = self.look_at else { return vec![] };
        let mut results = self.take_answers();
        if results.is_empty() && end <= Instant::now() {
            self.look_at = None;
            self.word.answers().set_call_at(0);
            results = self.take_answers();
        }
        self.note(&results);
        results
    }

    fn take_answers(&mut self) -> Vec<(Job, Outcome)> {
        let mut results = Vec::new();
        while let Some((number, bytes)) = self.word.answers().take() {
            results.extend(self.outcome(number, Message::new(bytes, vec![])));
        }
        results
    }

    /// The results that have arrived, with their tasks.
    pub fn receive(&mut self) -> Vec<(Job, Outcome)> {
        let mut results = Vec::new();
        while let Some(channel) = &self.channel {
            match channel.try_receive() {
                Ok(Some(answer)) => results.extend(self.answered(answer)),
                Ok(None) => break,
                Err(Error::Closed) => {
                    self.has_hung_up = true;
                    break;
                }
                Err(error) => {
                    let may_still_be_there = is_lack_of_memory(&error);
                    results.extend(self.answer_is_lost(error));
                    if may_still_be_there {
                        break;
                    }
                }
            }
            if self.assigned.is_empty() {
                break; // no other answer can be there
            }
        }
        results.extend(self.take_answers()); // after the calls: who calls has answered before
        self.note(&results);
        results
    }

    /// The worker has answered, but there is no descriptor left for the answer, for example.
    fn answer_is_lost(&mut self, error: Error) -> Vec<(Job, Outcome)> {
        let mut results = self.take_answers(); // to the tasks before this one
        let first = self.assigned.pop_front();
        results.extend(first.map(|(_, job)| (job, Err(error))));
        results
    }

    fn note(&mut self, results: &[(Job, Outcome)]) {
        self.measure(results.len() as u32);
        if !results.is_empty() {
            (self.silent_until, self.pause) = (None, SILENCE);
            self.look_at = self.look_at.map(|_| Instant::now() + PACKET_TIME);
        }
    }

    /// The task of an answer, whose last four bytes are the task's number. (A call has none.)
    fn answered(&mut self, mut answer: Message) -> Option<(Job, Outcome)> {
        let start = answer.bytes.len().checked_sub(4)?;
        let number = u32::from_le_bytes(answer.bytes.split_off(start).try_into().ok()?);
        self.outcome(number, answer)
    }

    fn outcome(&mut self, number: u32, answer: Message) -> Option<(Job, Outcome)> {
        let place = self.assigned.iter().position(|(assigned, _)| *assigned == number)?;
        let (_, job) = self.assigned.remove(place)?;
        Some((job, Ok(answer)))
    }

    fn measure(&mut self, results: u32) {
        self.results += results;
        let passed = self.since.elapsed();
        if self.results > 0 && (passed > PACKET_TIME || self.assigned.is_empty()) {
            let now = passed / self.results;
            self.usual = Some(self.usual.map_or(now, |usual| (usual + now) / 2));
            self.busy += passed;
            (self.since, self.results) = (Instant::now(), 0);
        }
    }
}

fn is_lack_of_memory(error: &Error) -> bool {
    matches!(error, Error::System { source, .. } if source.kind() == ErrorKind::OutOfMemory)
}
