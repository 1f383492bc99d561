//! An object in the server: a value, and the calls that wait for it.
//!
//! A call that cannot be answered yet leaves its [`Work`] here, and its thread goes back to its
//! connection. Whoever changes the value next looks at the work that waits ([`State::settle`]),
//! and sends the answer of what is done now. So no thread waits for a value, and a thread sees at
//! once when its client ends.
//!
//! Work with the same key would have the same answer, so it waits in one line, of which only the
//! first is looked at: a thousand puts for a thousand waiting gets are a thousand looks.

use super::line::{Ask, Kind, Line, failure};
use super::server::{Origin, Server};
use crate::pipe::Message;
use crate::spawn::catch;
use crate::{Error, sys};
use serde::de::DeserializeOwned;
use std::any::Any;
use std::cell::Cell;
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};

/// The number of a connection. Each client's call has a connection of its own for as long as it
/// lasts, and so has what a client holds, such as a lock.
pub type Caller = u64;

/// An answer, or `None`: the call has to wait.
pub type Reply = Option<Result<Message, Error>>;

/// A value that an object can have.
pub trait Kept: Any + Send {
    /// The caller waits no more and holds nothing any more.
    fn forget(&mut self, _: Caller) {}
}

/// A value of the built-in types, which is asked by an enum of its own.
pub trait BuiltIn: Kept {
    const KIND: Kind;
    type Request: DeserializeOwned + Send + 'static;

    fn answer(&mut self, request: &mut Self::Request, caller: Caller) -> Reply;
}

/// A call, as it is tried until it has an answer.
pub struct Work {
    pub key: Vec<u8>,
    /// Whether it may find what a call that panicked has left.
    pub repairs: bool,
    pub run: Run,
}

/// Tries to get an answer from the object's value.
pub type Run = Box<dyn FnMut(&mut dyn Any, Caller) -> Reply + Send>;

/// Makes work of a request.
pub type Prepare = fn(&Server, Message, Origin) -> Result<Work, Error>;

pub struct Object {
    /// No other object has it, not even in another server.
    pub number: u64,
    pub kind: Kind,
    prepare: Prepare,
    state: Mutex<State>,
}

struct State {
    number: u64,
    value: Box<dyn Kept>,
    poisoned: bool,
    waiting: HashMap<Vec<u8>, VecDeque<Waiter>>,
}

struct Waiter {
    work: Work,
    caller: Caller,
    line: Arc<Line>,
}

thread_local! {
    /// The object whose function this thread runs.
    static RUNNING: Cell<Option<u64>> = const { Cell::new(None) };
}

/// While it lives, this thread must not call the object.
struct Running(Option<u64>);

impl Running {
    fn new(object: u64) -> Self {
        Self(RUNNING.replace(Some(object)))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        RUNNING.set(self.0);
    }
}

/// Whether this thread runs a function of the object, and would wait for itself.
pub fn is_running(object: u64) -> bool {
    RUNNING.get() == Some(object)
}

impl Object {
    pub fn new(number: u64, kind: Kind, value: impl Kept, prepare: Prepare) -> Self {
        let (value, waiting) = (Box::new(value), HashMap::new());
        let state = State { number, value, poisoned: false, waiting };
        Self { number, kind, prepare, state: Mutex::new(state) }
    }

    pub fn built_in<T: BuiltIn>(number: u64, value: T) -> Self {
        Self::new(number, T::KIND, value, prepare::<T>)
    }

    /// Does what a message asks. `None` if the answer comes later.
    pub fn handle(
        &self,
        mut message: Message,
        server: &Server,
        caller: Caller,
        line: &Arc<Line>,
        origin: Origin,
    ) -> Option<Message> {
        let work = match message.take() {
            Ok(Ask::Call(kind)) if kind == self.kind => {
                catch(|| (self.prepare)(server, message, origin))
            }
            Ok(Ask::Call(kind)) => Err(self.is_not(kind)),
            Ok(Ask::Cancel) => return self.cancel(caller),
            Err(error) => Err(error),
        };
        work.map_or_else(|error| Some(failure(&error)), |work| self.call(work, caller, line))
    }

    fn is_not(&self, kind: Kind) -> Error {
        let reason = format!("the object is a {:?}", self.kind);
        Error::Decode { what: format!("a call of a {kind:?}").into(), reason }
    }

    fn call(&self, mut work: Work, caller: Caller, line: &Arc<Line>) -> Option<Message> {
        let mut state = sys::lock(&self.state);
        let answer = state.run(&mut work, caller);
        if answer.is_none() {
            let waiter = Waiter { caller, line: Arc::clone(line), work };
            state.waiting.entry(waiter.work.key.clone()).or_default().push_back(waiter);
        }
        state.settle();
        answer
    }

    /// The caller waits no more. If it was answered just now, it does not matter.
    fn cancel(&self, caller: Caller) -> Option<Message> {
        let mut state = sys::lock(&self.state);
        let was_waiting = state.remove(caller);
        if was_waiting {
            state.forget(caller);
        }
        was_waiting.then(|| failure(&Error::TimedOut))
    }

    /// The caller is gone.
    pub fn forget(&self, caller: Caller) {
        let mut state = sys::lock(&self.state);
        state.remove(caller);
        state.forget(caller);
    }
}

impl State {
    /// Tries to get an answer. A panic is the answer of this call, and poisons the object.
    fn run(&mut self, work: &mut Work, caller: Caller) -> Option<Message> {
        if self.poisoned && !work.repairs {
            return Some(failure(&Error::Poisoned));
        }
        let value: &mut dyn Any = &mut *self.value;
        let _running = Running::new(self.number);
        let answer = catch(|| (work.run)(value, caller).transpose());
        self.poisoned = match &answer {
            Err(Error::Panicked { .. }) => true,
            Ok(Some(_)) => false,
            _ => self.poisoned,
        };
        answer.unwrap_or_else(|error| Some(failure(&error)))
    }

    // ANCHOR: settle
    /// Answers what can be answered now, until nothing more can be.
    fn settle(&mut self) {
        let mut waiting = std::mem::take(&mut self.waiting);
        while waiting.values_mut().any(|line| self.answer_first(line)) {}
        waiting.retain(|_, line| !line.is_empty());
        self.waiting = waiting;
    }

    /// Answers those in front of a line. Returns whether there were any.
    fn answer_first(&mut self, line: &mut VecDeque<Waiter>) -> bool {
        let mut any = false;
        while let Some(waiter) = line.front_mut() {
            // What a client waits for is not given to one that has ended.
            if !waiter.line.is_gone() {
                let Some(answer) = self.run(&mut waiter.work, waiter.caller) else { break };
                waiter.line.answer_waiting(answer);
                any = true;
            }
            line.pop_front();
        }
        any
    }
    // ANCHOR_END: settle

    fn forget(&mut self, caller: Caller) {
        self.value.forget(caller);
        self.settle();
    }

    /// Returns whether it was waiting.
    fn remove(&mut self, caller: Caller) -> bool {
        let mut removed = false;
        for line in self.waiting.values_mut() {
            let before = line.len();
            line.retain(|waiter| waiter.caller != caller);
            removed |= line.len() < before;
        }
        removed
    }
}

/// The key is the request's kind: those that ask the same are answered in the order in which they
/// came.
fn prepare<T: BuiltIn>(_: &Server, request: Message, _: Origin) -> Result<Work, Error> {
    let key = request.rest().first().copied().into_iter().collect();
    let mut request: T::Request = request.take_last()?;
    let run = move |value: &mut dyn Any, caller| {
        value.downcast_mut::<T>().and_then(|value| value.answer(&mut request, caller))
    };
    Ok(Work { key, repairs: false, run: Box::new(run) })
}
