//! Who runs the dispatcher.
//!
//! A thread that waits for a result does the work of the pool meanwhile: it *leads*. It is woken
//! by a worker's answer directly, which saves two changes of thread for each task. While nobody
//! leads, a thread of the pool does the same in the background. When it finds a leader, it tells
//! it what has happened (`wake`) and steps aside. It comes back when the leader stops while there
//! are tasks (`relieve`), or when nobody has led for a millisecond. Wakers are woken by it alone,
//! without a lock. Callbacks are called by one more thread, as one that waits for another task must
//! not keep anybody from doing the pool's work.
//!
//! Others that wait while somebody leads are *followers*. They sleep until their result has
//! arrived. When the leader stops, one of them leads: that is quicker than the background thread.

use super::callbacks::Callbacks;
use super::dispatcher::Dispatcher;
use super::event::Event;
use super::job::Job;
use super::luggage::Luggage;
use super::results::{Calls, Results, Wanted, call};
use super::settings::Settings;
use crate::error::Trying;
use crate::sys::deadline::{Deadline, time_left};
use crate::wait::{wait, wait_until};
use crate::{Error, sys};
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};
use nix::sys::eventfd::{EfdFlags, EventFd};
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock};
use std::thread::{self, JoinHandle, ThreadId};
use std::time::{Duration, Instant};

/// The event of `wake`. No worker has it.
const WAKE: u64 = u64::MAX;

const ASIDE: Duration = Duration::from_millis(1);

pub struct Core {
    dispatcher: Mutex<Dispatcher>,
    pub luggage: Arc<Luggage>,
    epoll: Arc<Epoll>,
    /// Wakes whoever polls.
    wake: EventFd,
    /// Wakes the background thread.
    relieve: EventFd,
    is_led: AtomicBool,
    /// How often somebody began to lead.
    leads: AtomicU64,
    /// Whether the background thread is to be called when the leader stops.
    is_to_call: AtomicBool,
    /// What the followers wait for.
    followers: Mutex<Vec<Arc<Results>>>,
    /// Something arrives here when all workers have ended.
    ended: Arc<Results>,
    /// The thread of the callbacks.
    caller: OnceLock<ThreadId>,
}

impl Core {
    pub fn new(mut settings: Settings) -> Result<Self, Error> {
        let what = "make a pool";
        let epoll = Arc::new(Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC).trying_to(what)?);
        let flags = EfdFlags::EFD_CLOEXEC | EfdFlags::EFD_NONBLOCK;
        let wake = EventFd::from_flags(flags).trying_to(what)?;
        let relieve = EventFd::from_flags(flags).trying_to(what)?;
        epoll.add(&wake, EpollEvent::new(EpollFlags::EPOLLIN, WAKE)).trying_to(what)?;
        let (luggage, workers) = (Arc::<Luggage>::default(), settings.workers());
        settings.workers = Some(workers); // to count the cores once
        let mut dispatcher = Dispatcher::new(settings, Arc::clone(&luggage), Arc::clone(&epoll));
        let started = (0..workers).try_for_each(|_| dispatcher.start_worker());
        started.inspect_err(|_| dispatcher.give_up())?;
        Ok(Self {
            dispatcher: Mutex::new(dispatcher),
            luggage,
            epoll,
            wake,
            relieve,
            is_led: AtomicBool::new(false),
            leads: AtomicU64::new(0),
            is_to_call: AtomicBool::new(false),
            followers: Mutex::default(),
            ended: Arc::default(),
            caller: OnceLock::new(),
        })
    }

    pub fn dispatcher(&self) -> MutexGuard<'_, Dispatcher> {
        sys::lock(&self.dispatcher)
    }

    /// Gives tasks to the pool.
    pub fn submit(&self, jobs: Vec<Job>) {
        let mut dispatcher = self.dispatcher();
        let before = dispatcher.next_call();
        dispatcher.submit(jobs);
        let is_earlier = |call| before.is_none_or(|before| call < before);
        if dispatcher.next_call().is_some_and(is_earlier) || dispatcher.announce_calls() {
            self.call_background();
        }
    }

    /// Cancels tasks: also those that run, or only those that have not begun.
    pub fn cancel(&self, results: &Arc<Results>, also_running: bool) {
        self.dispatcher().cancel(results, also_running);
        self.call_background();
    }

    /// Has the background thread, and a leader, look at the dispatcher again.
    pub fn call_background(&self) {
        self.wake();
        let _ = self.relieve.write(1); // it can only be awake already
    }

    fn wake(&self) {
        let _ = self.wake.write(1);
    }

    /// Waits for a result. Returns whether it is there.
    pub fn wait(&self, results: &Arc<Results>, wanted: Wanted, deadline: Deadline) -> bool {
        let is_over = || deadline.is_some_and(|deadline| deadline <= Instant::now());
        while !results.has(wanted) && !is_over() {
            match self.is_led.swap(true, SeqCst) {
                false => self.lead(|| results.has(wanted), deadline),
                true => self.follow(results, wanted, deadline),
            }
        }
        results.has(wanted)
    }

    /// Sleeps until the result has arrived, or until this thread is to lead.
    fn follow(&self, results: &Arc<Results>, wanted: Wanted, deadline: Deadline) {
        sys::lock(&self.followers).push(Arc::clone(results));
        // A leader that stops looks at the followers after that.
        if self.is_led.load(SeqCst) {
            results.sleep(wanted, deadline);
        }
        let mut followers = sys::lock(&self.followers);
        if let Some(place) = followers.iter().position(|other| Arc::ptr_eq(other, results)) {
            followers.swap_remove(place);
        }
        drop(followers);
        self.find_leader(); // if it was this thread's turn, and it has its result
    }

    fn find_leader(&self) {
        if !self.is_led.load(SeqCst)
            && let Some(follower) = sys::lock(&self.followers).first()
        {
            follower.nudge();
        }
    }

    /// Waits until all workers have ended.
    pub fn wait_for_end(&self) {
        self.wait(&self.ended, Wanted::Any, None);
    }

    fn lead(&self, is_done: impl Fn() -> bool, deadline: Deadline) {
        self.leads.fetch_add(1, SeqCst);
        let _leading = Leading(self);
        let mut next = self.dispatcher().next_step();
        while !is_done() && deadline.is_none_or(|deadline| deadline > Instant::now()) {
            let events = self.poll(next.into_iter().chain(deadline).min());
            next = self.step(&events);
        }
    }

    /// What the background thread does.
    pub fn run(&self) {
        let mut callbacks = Callbacks::new(&self.caller);
        let mut next = self.step(&[]);
        while !self.dispatcher().has_ended() {
            // `relieve` is for this thread alone: a leader may read `wake` first.
            let _ = wait(&[self.epoll.0.as_fd(), self.relieve.as_fd()], time_left(next));
            let _ = self.relieve.read();
            next = self.step(&self.poll(Some(Instant::now())));
            self.call_back(&mut callbacks);
            if self.is_led.load(SeqCst) {
                self.wake(); // what the leader waits for may have come in this step
                self.stand_aside();
                next = Some(Instant::now());
            }
        }
        self.call_back(&mut callbacks);
        // Who keeps a task keeps this, too, but nothing of what the initializer was given.
        let initializer = self.dispatcher().take_initializer();
        drop(initializer);
    }

    /// Whether the current thread is this one of the pool, or calls its callbacks.
    pub fn is_own(&self, background: &JoinHandle<()>) -> bool {
        let current = thread::current().id();
        background.thread().id() == current || self.caller.get() == Some(&current)
    }

    /// Waits while somebody leads, again and again or for long. Who leads for long is asked to
    /// call this thread at the end.
    fn stand_aside(&self) {
        let mut lead = None;
        loop {
            let seen = self.leads.load(SeqCst);
            let is_same = lead.replace(seen) == Some(seen);
            self.is_to_call.store(is_same, SeqCst);
            if is_same && !self.is_led.load(SeqCst) {
                return; // nobody has begun to lead for a while
            }
            let until = (!is_same).then(|| Instant::now() + ASIDE);
            if wait_until(&self.relieve, until) {
                let _ = self.relieve.read();
                return;
            }
        }
    }

    /// Has the dispatcher deal with events. Returns when to call it again even if there are none.
    fn step(&self, events: &[EpollEvent]) -> Deadline {
        let mut dispatcher = self.dispatcher();
        let of_workers = events.iter().map(EpollEvent::data).filter(|data| *data != WAKE);
        dispatcher.step(of_workers.map(Event::from));
        if dispatcher.announce_calls() {
            self.call_background();
        }
        if dispatcher.has_ended() {
            drop(self.ended.arrive(0, Err(Error::Closed))); // nobody is to be called
        }
        dispatcher.next_step()
    }

    /// Wakes and calls those who want to hear of results, without the lock.
    fn call_back(&self, thread: &mut Callbacks) {
        let Calls { wakers, callbacks } = self.dispatcher().take_calls();
        wakers.into_iter().for_each(|waker| call(|| waker.wake()));
        callbacks.into_iter().for_each(|callback| thread.call(callback));
    }

    fn poll(&self, deadline: Deadline) -> Vec<EpollEvent> {
        let mut events = [EpollEvent::empty(); 64];
        let timeout = time_left(deadline).map_or(EpollTimeout::NONE, |left| {
            let milliseconds = left.as_nanos().div_ceil(1_000_000).min(60_000) as u16;
            EpollTimeout::from(milliseconds)
        });
        let count = self.epoll.wait(&mut events, timeout).unwrap_or(0);
        if events[..count].iter().any(|event| event.data() == WAKE) {
            let _ = self.wake.read();
        }
        events[..count].to_vec()
    }
}

/// Somebody leads until this is dropped.
struct Leading<'a>(&'a Core);

impl Drop for Leading<'_> {
    fn drop(&mut self) {
        self.0.is_led.store(false, SeqCst);
        self.0.find_leader();
        let is_to_step = {
            let dispatcher = self.0.dispatcher();
            dispatcher.has_tasks() || dispatcher.next_step().is_some()
        };
        if self.0.is_to_call.swap(false, SeqCst) || is_to_step {
            self.0.call_background();
        }
    }
}
