//! The server, for the process that has started it.

use super::builder::ManagerBuilder;
use super::line::value;
use super::proxy::gone;
use super::server::{Order, Start, serve};
use crate::network::Address;
use crate::pipe::{Channel, Message};
use crate::sys::deadline::deadline;
use crate::wait::wait_until;
use crate::{Error, Process};
use nix::unistd::{Pid, getpid};
use std::time::Duration;

#[derive(Debug)]
pub struct Owner {
    process: Process<Result<(), Error>>,
    orders: Channel,
    /// A forked child has a copy of this.
    pid: Pid,
    address: Option<Address>,
}

/// How long dropping it waits for an answer of the server, which could be stopped: long enough for
/// a busy machine.
const PATIENCE: Duration = Duration::from_secs(5);

impl Owner {
    /// Starts a server.
    pub fn start(
        anchor: Channel,
        number: u64,
        ManagerBuilder { name, listen }: ManagerBuilder,
    ) -> Result<Self, Error> {
        let (orders, owner) = Channel::pair()?;
        let listens = listen.is_some();
        let start = Start { owner, anchor, number, listen };
        let process = Process::builder().name(name).spawn(serve, start)?;
        let mut this = Self { process, orders, pid: getpid(), address: None };
        if listens {
            let answer = this.orders.receive().map_err(gone)?;
            this.address = Some(value(answer)?);
        }
        Ok(this)
    }

    pub fn pid(&self) -> u32 {
        self.process.pid()
    }

    pub fn address(&self) -> Option<&Address> {
        self.address.as_ref()
    }

    pub fn shutdown(&self) -> Result<(), Error> {
        self.order(&Order::Shutdown)?;
        self.process.wait();
        Ok(())
    }

    fn order(&self, order: &Order) -> Result<(), Error> {
        let mut message = Message::default();
        message.push(order)?;
        self.orders.post(message).map_err(gone)
    }
}

impl Drop for Owner {
    /// Waits for the end of the server if no proxies are left, so that a program leaves nothing
    /// behind.
    fn drop(&mut self) {
        if self.pid != getpid() {
            return;
        }
        let answer = match self.order(&Order::Leave) {
            Ok(()) if wait_until(&self.orders, deadline(PATIENCE)) => self.orders.try_receive(),
            Ok(()) => return, // it is stopped
            Err(gone) => Err(gone),
        };
        // A server without objects ends when it sees that, perhaps before it reads the order.
        if answer.is_err() {
            let _ = self.process.wait_timeout(PATIENCE);
        }
    }
}
