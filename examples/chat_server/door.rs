//! Where clients come in.

use crate::handler::prepare;
use crate::member::Member;
use multiprocessing::{Error, ForkServer};
use std::io::ErrorKind;
use std::net::TcpListener;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::{Duration, Instant};

pub struct Door {
    listener: TcpListener,
    server: ForkServer,
    seats: usize,
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
        let pause = Instant::now();
        Ok(Self {
            listener,
            server,
            seats,
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
    /// for a second: the client still waits in front of it,
    /// so it would be ready at once, and fail again.
    pub fn admit(&mut self) -> Option<Member> {
        match self.try_to_admit() {
            Ok(member) => Some(member),
            Err(error) if is_usual(&error) => None,
            Err(error) => {
                eprintln!("nobody is let in: {error}");
                let second = Duration::from_secs(1);
                self.pause = Instant::now() + second;
                None
            }
        }
    }

    fn try_to_admit(&mut self) -> Result<Member, Error> {
        let (client, _) = self.listener.accept()?;
        let again = client.try_clone()?;
        match Member::start(&self.server, client) {
            Err(Error::ForkServerGone) => {
                let prepared =
                    ForkServer::start_with(prepare, ());
                self.server = prepared?;
                Member::start(&self.server, again)
            }
            started => started,
        }
    }
    // ANCHOR_END: door
}

/// The client has gone before it was let in.
fn is_usual(error: &Error) -> bool {
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
