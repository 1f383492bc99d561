//! Where clients come in.

use crate::handler::prepare;
use crate::member::Member;
use multiprocessing::{Error, ForkServer};
use std::io::ErrorKind;
use std::net::{TcpListener, TcpStream};
use std::os::fd::{AsFd, BorrowedFd};
use std::time::{Duration, Instant};

pub struct Door {
    listener: TcpListener,
    server: ForkServer,
    seats: usize,
    /// Accepted, but without a process yet.
    pub waiting: Option<TcpStream>,
    /// Closed until then.
    pause: Instant,
}

impl Door {
    pub fn new(
        listener: TcpListener,
        seats: usize,
    ) -> Result<Self, Error> {
        listener.set_nonblocking(true)?; // one may be gone
        let server = ForkServer::start_with(prepare, ())?;
        let (waiting, pause) = (None, Instant::now());
        Ok(Self {
            listener,
            server,
            seats,
            waiting,
            pause,
        })
    }

    // ANCHOR: door
    pub fn is_open(&self, members: usize) -> bool {
        members < self.seats && self.opens_in().is_none()
    }

    pub fn opens_in(&self) -> Option<Duration> {
        self.pause.checked_duration_since(Instant::now())
    }

    /// Lets one client in. If that fails, the door is closed
    /// for a second: the client is still in front of it, so
    /// it would be ready at once, and fail again.
    pub fn admit(&mut self) -> Option<Member> {
        let member = self.try_to_admit();
        if let Err(error) = &member
            && (self.waiting.is_some() || !has_gone(error))
        {
            eprintln!("nobody is let in: {error}");
            self.pause =
                Instant::now() + Duration::from_secs(1);
        }
        member.ok()
    }

    fn try_to_admit(&mut self) -> Result<Member, Error> {
        let client = match self.waiting.take() {
            Some(client) => client,
            None => self.listener.accept()?.0,
        };
        let client = self.waiting.insert(client);
        let mut member =
            Member::start(&self.server, client.try_clone()?);
        if let Err(Error::ForkServerGone) = member {
            self.server = ForkServer::start_with(prepare, ())?;
            let again = client.try_clone()?;
            member = Member::start(&self.server, again);
        }
        let member = member?;
        self.waiting = None; // it has a process
        Ok(member)
    }
    // ANCHOR_END: door
}

/// The client has gone before it was let in.
fn has_gone(error: &Error) -> bool {
    let Error::System { source, .. } = error else {
        return false;
    };
    matches!(
        source.kind(),
        ErrorKind::WouldBlock
            | ErrorKind::ConnectionAborted
            | ErrorKind::Interrupted
    )
}

impl AsFd for Door {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.listener.as_fd()
    }
}
