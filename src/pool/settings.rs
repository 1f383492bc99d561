//! What all workers of a pool have in common.

use super::job::{Call, Encoded, Job};
use super::luggage::Luggage;
use crate::spawn::Function;
use crate::{Error, ForkServer};
use serde::Serialize;
use std::ffi::OsString;
use std::num::NonZero;
use std::thread;

/// Encodes the arguments of the initializer, once for each worker.
type EncodeArgs = Box<dyn Fn(&Luggage) -> Result<Encoded, Error> + Send>;

pub type Initializer = (Call, EncodeArgs);

pub struct Settings {
    pub name: String,
    pub workers: Option<usize>,
    pub initializer: Option<Initializer>,
    pub finalizer: Option<Function>,
    pub tasks_per_worker: u32,
    pub memory_limit: Option<u64>,
    pub environment: Vec<(OsString, OsString)>,
    pub server: Option<ForkServer>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            name: "Worker".into(),
            workers: None,
            initializer: None,
            finalizer: None,
            tasks_per_worker: super::MOST_TASKS,
            memory_limit: None,
            environment: Vec::new(),
            server: None,
        }
    }
}

impl Settings {
    pub fn initialize_with<A>(&mut self, call: Call, args: A)
    where
        A: Serialize + Send + 'static,
    {
        self.initializer = Some((call, Box::new(move |luggage| Job::encode(&args, luggage))));
    }

    pub fn workers(&self) -> usize {
        let cores = || thread::available_parallelism().map_or(1, NonZero::get);
        self.workers.unwrap_or_else(cores)
    }
}
