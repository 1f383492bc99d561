//! A barrier in the server.

use super::line::{Kind, success};
use super::object::{BuiltIn, Caller, Kept, Reply};
use super::proxy::proxy_type;
use crate::sys::deadline::{Deadline, deadline};
use crate::{BarrierWaitResult, Error};
use serde::{Deserialize, Serialize};
use std::mem;
use std::time::Duration;

proxy_type! { Barrier:
    /// A barrier that a [`Manager`](crate::Manager) keeps: Python's `manager.Barrier()`. It has the
    /// methods of [`Barrier`](crate::Barrier), and can be used over a network. If a process is
    /// killed while it waits, the barrier breaks, and the others are told.
    ///
    /// ```
    /// use multiprocessing::{BarrierProxy, Error, Manager, Process};
    ///
    /// fn main() -> Result<(), Error> {
    ///     multiprocessing::init();
    ///     let manager = Manager::start()?;
    ///     let barrier = manager.barrier(2)?;
    ///     let child = Process::spawn(meet, barrier.clone())?;
    ///     let leader = barrier.wait()?.is_leader();
    ///     assert!(child.join()?? != leader);
    ///     Ok(())
    /// }
    ///
    /// fn meet(barrier: BarrierProxy) -> Result<bool, Error> {
    ///     Ok(barrier.wait()?.is_leader())
    /// }
    /// ```
    BarrierProxy
}

/// In the server.
pub struct Barrier {
    parties: u32,
    /// How often it has opened or was broken.
    round: u64,
    /// The last round that was broken.
    broken: Option<u64>,
    is_broken: bool,
    /// The connections that wait in this round.
    waiting: Vec<Caller>,
}

#[derive(Debug, Serialize, Deserialize)]
pub enum Request {
    /// With the round and the index, once it has arrived.
    Wait(Option<(u64, u32)>),
    Abort,
    Reset,
    IsBroken,
    Parties,
    Waiting,
}

impl BarrierProxy {
    /// Waits until all have arrived.
    ///
    /// # Errors
    ///
    /// [`Error::ManagerGone`]; [`Error::BrokenBarrier`] if it is broken, or breaks before all have
    /// arrived.
    pub fn wait(&self) -> Result<BarrierWaitResult, Error> {
        self.wait_until(None)
    }

    /// Waits until all have arrived. If that takes longer than `timeout` (of the monotonic clock), the
    /// barrier breaks.
    ///
    /// # Errors
    ///
    /// [`Error::ManagerGone`]; [`Error::BrokenBarrier`], also after the time-out.
    pub fn wait_timeout(&self, timeout: Duration) -> Result<BarrierWaitResult, Error> {
        self.wait_until(deadline(timeout))
    }

    fn wait_until(&self, deadline: Deadline) -> Result<BarrierWaitResult, Error> {
        match self.proxy.call_until(&Request::Wait(None), deadline) {
            Err(Error::TimedOut) => Err(Error::BrokenBarrier),
            arrival => arrival.map(|(index, leader)| BarrierWaitResult::new(index, leader)),
        }
    }

    /// Breaks the barrier, for present and later waits, until it is reset.
    ///
    /// # Errors
    ///
    /// [`Error::ManagerGone`].
    pub fn abort(&self) -> Result<(), Error> {
        self.proxy.call(&Request::Abort)
    }

    /// Mends the barrier. Present waits end with [`Error::BrokenBarrier`].
    ///
    /// # Errors
    ///
    /// [`Error::ManagerGone`].
    pub fn reset(&self) -> Result<(), Error> {
        self.proxy.call(&Request::Reset)
    }

    /// Whether it is broken. Python's `broken`.
    ///
    /// # Errors
    ///
    /// [`Error::ManagerGone`].
    pub fn is_broken(&self) -> Result<bool, Error> {
        self.proxy.call(&Request::IsBroken)
    }

    /// How many have to arrive.
    ///
    /// # Errors
    ///
    /// [`Error::ManagerGone`].
    pub fn parties(&self) -> Result<u32, Error> {
        self.proxy.call(&Request::Parties)
    }

    /// How many wait at this moment. Python's `n_waiting`.
    ///
    /// # Errors
    ///
    /// [`Error::ManagerGone`].
    pub fn waiting(&self) -> Result<usize, Error> {
        self.proxy.call(&Request::Waiting)
    }
}

impl Barrier {
    pub fn new(parties: u32) -> Self {
        Self { parties, round: 0, broken: None, is_broken: false, waiting: Vec::new() }
    }

    fn wait(&mut self, arrival: &mut Option<(u64, u32)>, caller: Caller) -> Reply {
        let (round, index) = match arrival {
            Some(arrival) => *arrival,
            None if self.is_broken => return Some(Err(Error::BrokenBarrier)),
            None => *arrival.insert(self.arrive(caller)),
        };
        match self.broken {
            _ if round == self.round => None,
            Some(broken) if broken == round => Some(Err(Error::BrokenBarrier)),
            _ => Some(success(&(index, index + 1 >= self.parties))),
        }
    }

    /// Returns the round and the index. The last to arrive begins the next round.
    fn arrive(&mut self, caller: Caller) -> (u64, u32) {
        let arrival = (self.round, self.waiting.len() as u32);
        self.waiting.push(caller);
        if self.waiting.len() as u32 >= self.parties {
            self.round += 1;
            self.waiting.clear();
        }
        arrival
    }

    /// Those who wait find this round broken. (All of them look before another call begins.)
    fn break_round(&mut self) {
        if !mem::take(&mut self.waiting).is_empty() {
            self.broken = Some(self.round);
            self.round += 1;
        }
    }
}

impl Kept for Barrier {
    fn forget(&mut self, caller: Caller) {
        if self.waiting.contains(&caller) {
            self.break_round();
            self.is_broken = true;
        }
    }
}

impl BuiltIn for Barrier {
    const KIND: Kind = Kind::Barrier;
    type Request = Request;

    fn answer(&mut self, request: &mut Request, caller: Caller) -> Reply {
        match request {
            Request::Wait(arrival) => return self.wait(arrival, caller),
            Request::IsBroken => return Some(success(&self.is_broken)),
            Request::Parties => return Some(success(&self.parties)),
            Request::Waiting => return Some(success(&self.waiting.len())),
            Request::Abort => {
                self.break_round();
                self.is_broken = true;
            }
            Request::Reset => {
                self.break_round();
                self.is_broken = false;
            }
        }
        Some(success(&()))
    }
}
