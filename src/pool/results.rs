//! Where the results of tasks arrive, and who waits for them.

use crate::Error;
use crate::pipe::Message;
use crate::spawn::ReturnValue;
use crate::sys;
use crate::sys::deadline::{Deadline, time_left};
use std::collections::BTreeMap;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Condvar, Mutex};
use std::task::Waker;

/// What a worker has sent for a task, not decoded yet, or why there is no such thing.
pub type Outcome = Result<Message, Error>;

pub type Callback = Box<dyn FnOnce() + Send>;

/// Calls a callback. A panic was printed by then, and must not end the thread that calls.
pub fn call(callback: impl FnOnce()) {
    if let Err(payload) = catch_unwind(AssertUnwindSafe(callback)) {
        mem::forget(payload); // its destructor could panic
    }
}

/// Who wants to hear of results that have arrived.
#[must_use]
#[derive(Default)]
pub struct Calls {
    pub wakers: Vec<Waker>,
    pub callbacks: Vec<Callback>,
}

impl Calls {
    pub fn extend(&mut self, more: Calls) {
        self.wakers.extend(more.wakers);
        self.callbacks.extend(more.callbacks);
    }

    pub fn is_empty(&self) -> bool {
        self.wakers.is_empty() && self.callbacks.is_empty()
    }
}

/// The results of one call of `map`, `imap` or `apply_async`, by their places in it.
#[derive(Default)]
pub struct Results {
    inner: Mutex<Inner>,
    changed: Condvar,
}

#[derive(Default)]
struct Inner {
    arrived: BTreeMap<usize, Outcome>,
    /// How many arrived, also those that were taken.
    count: usize,
    /// What threads wait for in `sleep`.
    sleepers: Vec<Wanted>,
    /// Whether one of them is to wake up without a result.
    is_nudged: bool,
    /// Woken, or called, when as many as this have arrived.
    wakers: Vec<(usize, Waker)>,
    callback: Option<(usize, Callback)>,
    is_abandoned: bool,
    /// The first and the last number that the pool has given to a task.
    numbers: Option<(u64, u64)>,
}

/// What is waited for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Wanted {
    Place(usize),
    Any,
    /// This many in all.
    Count(usize),
}

impl Inner {
    fn has(&self, wanted: Wanted) -> bool {
        match wanted {
            Wanted::Place(place) => self.arrived.contains_key(&place),
            Wanted::Any => !self.arrived.is_empty(),
            Wanted::Count(count) => self.count >= count,
        }
    }
}

impl Results {
    /// Returns who is to be called once the caller holds no lock.
    pub fn arrive(&self, place: usize, outcome: Outcome) -> Calls {
        let mut inner = sys::lock(&self.inner);
        inner.arrived.insert(place, outcome);
        inner.count += 1;
        let count = inner.count;
        if inner.sleepers.iter().any(|wanted| inner.has(*wanted)) {
            self.changed.notify_all();
        }
        let callback = inner.callback.take_if(|(wanted, _)| *wanted <= count);
        let wakers = inner.wakers.extract_if(.., |(wanted, _)| *wanted <= count);
        Calls {
            wakers: wakers.map(|(_, waker)| waker).collect(),
            callbacks: callback.map(|(_, callback)| callback).into_iter().collect(),
        }
    }

    /// Whether an error has arrived.
    pub fn has_error(&self) -> bool {
        sys::lock(&self.inner).arrived.values().any(is_error)
    }

    pub fn has(&self, wanted: Wanted) -> bool {
        sys::lock(&self.inner).has(wanted)
    }

    /// Sleeps until what is wanted is here, until [`nudge`](Self::nudge), or for the deadline.
    pub fn sleep(&self, wanted: Wanted, deadline: Deadline) {
        let mut inner = sys::lock(&self.inner);
        inner.sleepers.push(wanted);
        while !inner.has(wanted) && !mem::take(&mut inner.is_nudged) {
            let left = time_left(deadline);
            if left.is_some_and(|left| left.is_zero()) {
                break;
            }
            inner = sys::wait_on(&self.changed, inner, left);
        }
        let own = inner.sleepers.iter().position(|other| *other == wanted);
        own.map(|place| inner.sleepers.swap_remove(place));
    }

    /// Wakes a thread that sleeps, or the next one that wants to.
    pub fn nudge(&self) {
        sys::lock(&self.inner).is_nudged = true;
        self.changed.notify_all();
    }

    pub fn take(&self, place: usize) -> Option<Outcome> {
        sys::lock(&self.inner).arrived.remove(&place)
    }

    /// Takes the first that is here.
    pub fn take_any(&self) -> Option<Outcome> {
        sys::lock(&self.inner).arrived.pop_first().map(|(_, outcome)| outcome)
    }

    pub fn take_all(&self) -> impl Iterator<Item = Outcome> + use<> {
        mem::take(&mut sys::lock(&self.inner).arrived).into_values()
    }

    /// Has a callback called when as many have arrived. If they have, it comes back.
    pub fn set_callback(&self, count: usize, callback: Callback) -> Option<Callback> {
        let mut inner = sys::lock(&self.inner);
        if inner.count >= count {
            return Some(callback);
        }
        inner.callback = Some((count, callback));
        None
    }

    /// Wakes a task of an async runtime when as many have arrived. Returns whether they have.
    pub fn set_waker(&self, count: usize, waker: &Waker) -> bool {
        let mut inner = sys::lock(&self.inner);
        if !inner.wakers.iter().any(|(_, other)| other.will_wake(waker)) {
            inner.wakers.push((count, waker.clone()));
        }
        inner.count >= count
    }

    /// The pool has given this number to one of the tasks. The next one is greater.
    pub fn note_number(&self, number: u64) {
        let numbers = &mut sys::lock(&self.inner).numbers;
        *numbers = Some((numbers.map_or(number, |(first, _)| first), number));
    }

    /// The first and the last of them.
    pub fn numbers(&self) -> Option<(u64, u64)> {
        sys::lock(&self.inner).numbers
    }

    /// Nobody wants what has not begun.
    pub fn abandon(&self) {
        sys::lock(&self.inner).is_abandoned = true;
    }

    pub fn is_abandoned(&self) -> bool {
        sys::lock(&self.inner).is_abandoned
    }
}

/// What the task's function has returned.
pub fn decode<R: ReturnValue>(outcome: Outcome) -> Result<R, Error> {
    let mut answer = outcome?;
    answer.take::<Result<(), Error>>()??;
    answer.take_last()
}

/// An answer begins with a `Result<(), Error>`, whose first byte is 0 for `Ok`.
fn is_error(outcome: &Outcome) -> bool {
    outcome.as_ref().map_or(true, |answer| answer.bytes.first() != Some(&0))
}
