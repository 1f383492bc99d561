//! Where the result of a task in a thread arrives.

use crate::pool::{Callback, Pending, call};
use crate::sys::deadline::{Deadline, time_left};
use crate::{Error, sys};
use std::mem;
use std::sync::{Condvar, Mutex};
use std::task::Waker;

pub struct Slot<R> {
    inner: Mutex<Inner<R>>,
    changed: Condvar,
}

struct Inner<R> {
    state: State<R>,
    callback: Option<Callback>,
    wakers: Vec<Waker>,
}

enum State<R> {
    Waiting,
    Running,
    Done(Result<R, Error>),
    /// The result was taken.
    Taken,
}

impl<R> Slot<R> {
    pub fn new() -> Self {
        let inner = Inner { state: State::Waiting, callback: None, wakers: Vec::new() };
        Self { inner: Mutex::new(inner), changed: Condvar::new() }
    }

    /// A thread begins the task. Returns `false` if it was cancelled.
    pub fn begin(&self) -> bool {
        let mut inner = sys::lock(&self.inner);
        let is_waiting = matches!(inner.state, State::Waiting);
        if is_waiting {
            inner.state = State::Running;
        }
        is_waiting
    }

    /// The result is here, unless there was one before.
    pub fn end(&self, result: Result<R, Error>) {
        let mut inner = sys::lock(&self.inner);
        if matches!(inner.state, State::Done(_) | State::Taken) {
            return;
        }
        inner.state = State::Done(result);
        let (wakers, callback) = (mem::take(&mut inner.wakers), inner.callback.take());
        drop(inner);
        self.changed.notify_all();
        wakers.into_iter().for_each(Waker::wake);
        if let Some(callback) = callback {
            call(callback);
        }
    }

    /// Cancels the task if it has not begun.
    pub fn cancel(&self) {
        if self.begin() {
            self.end(Err(Error::Cancelled));
        }
    }
}

impl<R> Inner<R> {
    fn is_done(&self) -> bool {
        matches!(self.state, State::Done(_) | State::Taken)
    }
}

impl<R: Send> Pending<R> for Slot<R> {
    fn wait(&self, deadline: Deadline) -> bool {
        let mut inner = sys::lock(&self.inner);
        while !inner.is_done() {
            let left = time_left(deadline);
            if left.is_some_and(|left| left.is_zero()) {
                return false;
            }
            inner = sys::wait_on(&self.changed, inner, left);
        }
        true
    }

    fn take(&self) -> Result<R, Error> {
        match mem::replace(&mut sys::lock(&self.inner).state, State::Taken) {
            State::Done(result) => result,
            _ => Err(Error::Cancelled),
        }
    }

    fn has_failed(&self) -> bool {
        matches!(sys::lock(&self.inner).state, State::Done(Err(_)))
    }

    fn is_running(&self) -> bool {
        matches!(sys::lock(&self.inner).state, State::Running)
    }

    /// Nothing can end a thread.
    fn cancel(&self, _also_running: bool) {
        Slot::cancel(self);
    }

    fn set_callback(&self, callback: Callback) -> Option<Callback> {
        let mut inner = sys::lock(&self.inner);
        if inner.is_done() {
            return Some(callback);
        }
        inner.callback = Some(callback);
        None
    }

    fn set_waker(&self, waker: &Waker) -> bool {
        let mut inner = sys::lock(&self.inner);
        if !inner.wakers.iter().any(|other| other.will_wake(waker)) {
            inner.wakers.push(waker.clone());
        }
        inner.is_done()
    }
}
