//! A client as the router knows it.

use crate::backlog::Backlog;
use crate::handler::{Event, serve};
use multiprocessing::{Connection, Error, ForkServer};
use multiprocessing::{Process, pipe};
use std::net::TcpStream;
use std::os::fd::{AsFd, BorrowedFd};

pub struct Member {
    /// Not known before the client has sent it.
    pub name: Option<String>,
    /// None when the client has left.
    pub connection: Option<Connection<String, Event>>,
    pub backlog: Backlog,
    pub process: Process<Result<(), Error>>,
}

impl Member {
    // ANCHOR: start
    /// Starts the client's process.
    pub fn start(
        server: &ForkServer,
        client: TcpStream,
    ) -> Result<Self, Error> {
        let (connection, theirs) = pipe()?;
        let handler = Process::builder().daemon(true);
        let ends = (client.into(), theirs);
        Ok(Self {
            name: None,
            connection: Some(connection),
            backlog: Backlog::default(),
            process: handler.spawn_on(server, serve, ends)?,
        })
    }
    // ANCHOR_END: start

    /// Only a member with a name is told anything.
    pub fn tell(&mut self, line: &str) -> Result<(), Error> {
        match (&self.name, &self.connection) {
            (Some(_), Some(connection)) => {
                self.backlog.push(line.to_string(), connection)
            }
            _ => Ok(()),
        }
    }

    pub fn catch_up(&mut self) -> Result<(), Error> {
        match &self.connection {
            Some(connection) => self.backlog.send(connection),
            None => Ok(()),
        }
    }

    // ANCHOR: leave
    /// Ends the talk. Returns what the others are told.
    pub fn leave(&mut self) -> Option<String> {
        self.connection.take()?;
        self.backlog = Backlog::default();
        let name = self.name.as_ref()?;
        Some(format!("{name} left\n"))
    }

    /// Ends the process, too: it may be stopped, or wait for
    /// its client.
    pub fn drop_out(&mut self) -> Option<String> {
        let _ = self.process.kill(); // it may have ended
        self.leave()
    }
    // ANCHOR_END: leave

    pub fn is_here(&self) -> bool {
        self.connection.is_some() || self.process.is_alive()
    }
}

/// Ready when there is an event. When the client has left,
/// that is the end of its process.
impl AsFd for Member {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match &self.connection {
            Some(connection) => connection.as_fd(),
            None => self.process.as_fd(),
        }
    }
}
