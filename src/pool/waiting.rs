//! The tasks that wait, in the order in which they were given to the pool.

use super::job::Job;
use super::results::Results;
use std::collections::BTreeMap;
use std::mem;
use std::sync::Arc;

/// Each task has a number. By it, a task that is cancelled is found without a search, and one that
/// was taken back from a worker comes to its old place.
#[derive(Default)]
pub struct Waiting {
    jobs: BTreeMap<u64, Job>,
    /// How many tasks were ever given.
    given: u64,
}

impl Waiting {
    pub fn give(&mut self, jobs: Vec<Job>) {
        for mut job in jobs {
            self.given += 1;
            job.number = self.given;
            job.results.is_given(job.number);
            self.put_back(job);
        }
    }

    pub fn put_back(&mut self, job: Job) {
        self.jobs.insert(job.number, job);
    }

    pub fn first(&self) -> Option<&Job> {
        self.jobs.first_key_value().map(|(_, job)| job)
    }

    pub fn take_first(&mut self) -> Option<Job> {
        self.jobs.pop_first().map(|(_, job)| job)
    }

    pub fn take_all(&mut self) -> impl Iterator<Item = Job> + use<> {
        mem::take(&mut self.jobs).into_values()
    }

    /// Takes the tasks of one call.
    pub fn take_of(&mut self, results: &Arc<Results>) -> Vec<Job> {
        let Some(numbers) = results.numbers() else { return vec![] };
        let is_meant = |_: &u64, job: &mut Job| Arc::ptr_eq(&job.results, results);
        self.jobs.extract_if(numbers, is_meant).map(|(_, job)| job).collect()
    }

    pub fn len(&self) -> usize {
        self.jobs.len()
    }

    pub fn is_empty(&self) -> bool {
        self.jobs.is_empty()
    }
}
