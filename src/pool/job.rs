//! A task as it travels to a worker.

use super::luggage::{Item, Luggage};
use super::results::{Calls, Outcome, Results};
use super::settings::Settings;
use crate::Error;
use crate::descriptor::Table;
use crate::pipe::{Message, from_parts};
use crate::spawn::{Answer, Function, ReturnValue, TaskArguments, catch};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::Duration;

/// A function, and the `call` for its types.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Call {
    entry: Function,
    function: Function,
}

type Entry = unsafe fn(Function, &[u8], Table) -> Message;

impl Call {
    pub fn new<A, R>(f: fn(A) -> R) -> Result<Self, Error>
    where
        A: TaskArguments,
        R: ReturnValue,
    {
        let entry = Function::new(call::<A, R> as *const ())?;
        Ok(Self { entry, function: Function::new(f as *const ())? })
    }

    /// Calls the function in a worker, and returns its answer.
    pub fn run(self, args: &[u8], descriptors: Table) -> Result<Message, Error> {
        // SAFETY: `new` made it from a `call`.
        let entry: Entry = unsafe { self.entry.as_fn()? };
        // SAFETY: `new` put the two together: the function has the types of this `call`.
        Ok(unsafe { entry(self.function, args, descriptors) })
    }
}

/// Decodes the arguments, calls the function and encodes what it returns.
///
/// # Safety
///
/// `function` was made from an `fn(A) -> R`.
unsafe fn call<A: TaskArguments, R: ReturnValue>(
    function: Function,
    args: &[u8],
    descriptors: Table,
) -> Message {
    let answer = Answer::from_call(|| {
        // SAFETY: it was made from an `fn(A) -> R`, as the caller promises.
        let f: fn(A) -> R = unsafe { function.as_fn()? };
        Ok(f(from_parts(args, descriptors)?))
    });
    answer.into_message()
}

/// How a task is treated.
#[derive(Clone, Copy, Debug, Default)]
pub struct Treatment {
    pub time_limit: Option<Duration>,
    /// How often it runs again if its worker dies.
    pub retries: u32,
    /// How many tasks a packet has; `None`: as many as take a short time.
    pub chunk_size: Option<usize>,
}

/// A task that has no result yet.
pub struct Job {
    pub call: Call,
    pub args: Vec<u8>,
    pub luggage: Vec<Arc<Item>>,
    pub treatment: Treatment,
    pub results: Arc<Results>,
    pub place: usize,
    /// Its number among all tasks of the pool.
    pub number: u64,
}

impl Job {
    /// The first task of a worker.
    pub fn initializer(settings: &Settings, luggage: &Luggage) -> Result<Self, Error> {
        let (call, (args, luggage)) = match &settings.initializer {
            Some((call, encode)) => (*call, catch(|| encode(luggage))?),
            None => (Call::new(|()| ())?, Self::encode(&(), luggage)?),
        };
        let (treatment, results) = (Treatment::default(), Arc::default());
        Ok(Self { call, args, luggage, treatment, results, place: 0, number: 0 })
    }

    /// Encodes the arguments.
    pub fn encode<A: Serialize>(args: &A, luggage: &Luggage) -> Result<Encoded, Error> {
        let mut message = Message::default();
        message.push(args)?;
        message.numbers()?; // not too many
        let luggage = message.descriptors.into_iter().flatten().map(|fd| luggage.item(fd));
        Ok((message.bytes, luggage.collect()))
    }

    /// Whether it goes to an idle worker, in a packet of its own: it has descriptors that no worker
    /// may have while another task runs.
    pub fn travels_alone(&self) -> bool {
        self.luggage.iter().any(|item| !item.is_memory)
    }

    /// What a packet says of it.
    pub fn header(&self, number: u32) -> TaskHeader {
        let descriptors = self.luggage.iter().map(|item| item.number).collect();
        TaskHeader { number, call: self.call, length: self.args.len(), descriptors }
    }

    pub fn end(self, outcome: Outcome) -> Calls {
        self.results.arrive(self.place, outcome)
    }
}

pub type Encoded = (Vec<u8>, Vec<Arc<Item>>);

/// The beginning of a packet of tasks.
#[derive(Debug, Serialize, Deserialize)]
pub struct PacketHeader {
    pub epoch: u32,
    pub tasks: u32,
    /// The numbers of the descriptors beside this packet, in order: those that the worker keeps,
    pub new: Vec<u32>,
    /// and those of the packet's only task.
    pub passing: Vec<u32>,
    /// The numbers of descriptors that no task has any more.
    pub forgotten: Vec<u32>,
}

/// A task in a packet. Its arguments follow.
#[derive(Debug, Serialize, Deserialize)]
pub struct TaskHeader {
    pub number: u32,
    pub call: Call,
    pub length: usize,
    /// The numbers of the descriptors in the arguments.
    pub descriptors: Vec<u32>,
}
