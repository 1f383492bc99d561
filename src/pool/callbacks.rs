//! The thread that calls callbacks, so that one that takes long holds up other callbacks alone.

use super::results::{Callback, call};
use std::sync::OnceLock;
use std::sync::mpsc::{Sender, channel};
use std::thread::{self, JoinHandle, ThreadId};

/// It starts with the first callback, and is waited for when this is dropped.
pub struct Callbacks<'a> {
    /// Where the thread's id is noted before it calls anything.
    id: &'a OnceLock<ThreadId>,
    thread: Option<(Sender<Callback>, JoinHandle<()>)>,
}

impl<'a> Callbacks<'a> {
    pub fn new(id: &'a OnceLock<ThreadId>) -> Self {
        Self { id, thread: None }
    }

    /// Has a callback called: here, if the system has no thread left.
    pub fn call(&mut self, callback: Callback) {
        if self.thread.is_none() {
            self.thread = self.start();
        }
        match &self.thread {
            Some((sender, _)) => drop(sender.send(callback)), // the thread ends after the sender
            None => call(callback),
        }
    }

    fn start(&self) -> Option<(Sender<Callback>, JoinHandle<()>)> {
        let (sender, receiver) = channel();
        let work = move || receiver.into_iter().for_each(call);
        let thread = thread::Builder::new().name("pool-callbacks".into()).spawn(work).ok()?;
        let _ = self.id.set(thread.thread().id());
        Some((sender, thread))
    }
}

impl Drop for Callbacks<'_> {
    fn drop(&mut self) {
        if let Some((sender, thread)) = self.thread.take() {
            drop(sender);
            let _ = thread.join(); // it does not panic
        }
    }
}
