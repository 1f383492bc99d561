//! The lines that wait for one client.

use crate::handler::Event;
use multiprocessing::{Connection, Error, SendError, Writable};
use std::collections::VecDeque;

/// How many lines may wait. None is longer than 1,100 bytes.
const MOST: usize = 1000;

#[derive(Default)]
pub struct Backlog {
    lines: VecDeque<String>,
    /// Ready when the connection has room. It is there only
    /// while lines wait.
    pub room: Option<Writable>,
}

// ANCHOR: backlog
impl Backlog {
    /// Passes a line on, or keeps it.
    pub fn push(
        &mut self,
        line: String,
        to: &Connection<String, Event>,
    ) -> Result<(), Error> {
        self.lines.push_back(line);
        match self.room {
            None => self.send(to),
            Some(_) if self.lines.len() <= MOST => Ok(()),
            Some(_) => Err(Error::WouldBlock),
        }
    }

    /// Sends the lines that there is room for. Never waits.
    pub fn send(
        &mut self,
        to: &Connection<String, Event>,
    ) -> Result<(), Error> {
        self.room = None;
        while let Some(line) = self.lines.pop_front() {
            let Err(SendError { value, error }) =
                to.try_send(line)
            else {
                continue;
            };
            let Error::WouldBlock = error else {
                return Err(error);
            };
            self.lines.push_front(value);
            self.room = Some(to.writable()?);
            break;
        }
        Ok(())
    }
}
// ANCHOR_END: backlog
