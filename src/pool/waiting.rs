//! The tasks that wait, in the order in which they were given to the pool.

use super::job::Job;
use super::results::Results;
use std::collections::{BTreeMap, VecDeque};
use std::iter;
use std::sync::Arc;

/// Each task has a number. By it, one that is cancelled is found without a search, and one that was
/// taken back from a worker comes to its old place.
#[derive(Default)]
pub struct Waiting {
    /// Those that were taken back. Their numbers are the lowest.
    taken_back: BTreeMap<u64, Job>,
    /// The others, from number `first` on, without those that were cancelled. The first is there.
    given: VecDeque<Option<Job>>,
    first: u64,
    len: usize,
}

impl Waiting {
    pub fn give(&mut self, jobs: Vec<Job>) {
        self.len += jobs.len();
        for mut job in jobs {
            job.number = self.first + self.given.len() as u64;
            job.results.note_number(job.number);
            self.given.push_back(Some(job));
        }
    }

    pub fn put_back(&mut self, job: Job) {
        self.len += 1;
        self.taken_back.insert(job.number, job);
    }

    pub fn first(&self) -> Option<&Job> {
        let taken_back = self.taken_back.first_key_value().map(|(_, job)| job);
        taken_back.or_else(|| self.given.front()?.as_ref())
    }

    pub fn take_first(&mut self) -> Option<Job> {
        let taken_back = self.taken_back.pop_first().map(|(_, job)| job);
        let job = taken_back.or_else(|| self.given.front_mut()?.take())?;
        self.len -= 1;
        self.forget_front();
        Some(job)
    }

    pub fn take_all(&mut self) -> Vec<Job> {
        iter::from_fn(|| self.take_first()).collect()
    }

    /// Takes the tasks of one call.
    pub fn take_of(&mut self, results: &Arc<Results>) -> Vec<Job> {
        let Some((first, last)) = results.numbers() else { return vec![] };
        let is_meant = |job: &mut Job| Arc::ptr_eq(&job.results, results);
        let taken_back = self.taken_back.extract_if(first..=last, |_, job| is_meant(job));
        let mut jobs: Vec<_> = taken_back.map(|(_, job)| job).collect();
        let place =
            |number: u64| (number.saturating_sub(self.first) as usize).min(self.given.len());
        let given = place(first)..place(last + 1);
        jobs.extend(self.given.range_mut(given).filter_map(|job| job.take_if(is_meant)));
        self.len -= jobs.len();
        self.forget_front();
        jobs
    }

    fn forget_front(&mut self) {
        while self.given.pop_front_if(|job| job.is_none()).is_some() {
            self.first += 1;
        }
    }

    pub fn len(&self) -> usize {
        self.len
    }

    pub fn is_empty(&self) -> bool {
        self.len == 0
    }
}
