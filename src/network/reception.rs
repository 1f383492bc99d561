//! The thread of a listener, which lets in those who show the key.

use super::address::Address;
use super::handshake::Side;
use super::key::Key;
use super::session::Session;
use super::socket::Socket;
use super::waiting_room::WaitingRoom;
use crate::sys::deadline::time_left;
use crate::wait;
use nix::sys::resource::{Resource, getrlimit};
use std::collections::VecDeque;
use std::io::ErrorKind;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

/// How long a handshake may take in all.
const LIMIT: Duration = Duration::from_secs(5);

/// How many handshakes go on at once. Then the oldest gives way to the next.
const AT_ONCE: usize = 256;

/// At most a quarter of the process's descriptors is for handshakes.
const SHARE: u64 = 4;

/// How long each has before it gives way: enough for a client to answer on a busy machine. So
/// about a thousand strangers come and go in a second.
const GRACE: Duration = Duration::from_millis(250);

/// How long nobody is let in after the system had no descriptor left.
const PAUSE: Duration = Duration::from_millis(100);

pub struct Reception {
    socket: Socket,
    key: Key,
    room: Arc<WaitingRoom>,
    /// Those whose handshake goes on, in the order in which they came.
    guests: VecDeque<Guest>,
    at_once: usize,
    /// The end of the last pause.
    resumes: Instant,
}

struct Guest {
    session: Session,
    address: Address,
    came: Instant,
}

impl Reception {
    pub fn new(socket: Socket, key: Key, room: Arc<WaitingRoom>) -> Self {
        let descriptors = getrlimit(Resource::RLIMIT_NOFILE).map_or(u64::MAX, |(soft, _)| soft);
        let at_once = AT_ONCE.min((descriptors / SHARE) as usize).max(1);
        Self { socket, key, room, guests: VecDeque::new(), at_once, resumes: Instant::now() }
    }

    pub fn run(mut self) {
        while !self.room.is_closed() {
            let (ready, newcomer) = self.wait();
            let _ = self.room.wake.read();
            for n in ready.into_iter().rev() {
                self.advance(n); // from the last on, so that the numbers stay right
            }
            self.refuse_late();
            if newcomer {
                self.take_in();
            }
        }
    }

    /// Waits until something can be done. Returns the numbers of the guests who have said
    /// something, and whether a newcomer is there.
    fn wait(&self) -> (Vec<usize>, bool) {
        let opens = self.opens();
        let is_open = opens.is_some_and(|opens| opens <= Instant::now());
        let late = self.guests.front().map(|oldest| oldest.came + LIMIT);
        let next = [late, opens.filter(|_| !is_open)].into_iter().flatten().min();
        let mut objects: Vec<_> = self.guests.iter().map(|guest| guest.session.as_fd()).collect();
        objects.push(self.room.wake.as_fd());
        objects.extend(is_open.then(|| self.socket.as_fd()));
        let Ok(mut ready) = wait(&objects, time_left(next)) else {
            thread::sleep(PAUSE); // the system lacks memory
            return (Vec::new(), false);
        };
        let newcomer = ready.pop_if(|n| *n > self.guests.len()).is_some();
        ready.pop_if(|n| *n == self.guests.len());
        (ready, newcomer)
    }

    /// From when on a newcomer is let in. `None`: not before somebody was accepted.
    fn opens(&self) -> Option<Instant> {
        let leaves = self.who_gives_way().map(|n| self.guests[n].came + GRACE);
        (!self.room.is_full()).then(|| leaves.map_or(self.resumes, |at| at.max(self.resumes)))
    }

    fn advance(&mut self, n: usize) {
        match self.guests.get_mut(n).map(|guest| guest.session.advance()) {
            Some(Ok(true)) => {
                if let Some(guest) = self.guests.remove(n) {
                    self.room.put(guest.session.into_socket(), guest.address);
                }
            }
            Some(Err(_)) => self.refuse(n),
            Some(Ok(false)) | None => (),
        }
    }

    fn refuse_late(&mut self) {
        while self.guests.front().is_some_and(|oldest| oldest.came.elapsed() >= LIMIT) {
            self.refuse(0);
        }
    }

    fn refuse(&mut self, n: usize) {
        self.room.count_refused(); // first: whoever sees the end finds it counted
        self.guests.remove(n);
    }

    fn take_in(&mut self) {
        use ErrorKind::{ConnectionAborted, Interrupted, WouldBlock};
        match self.socket.accept() {
            Ok((socket, address)) => self.begin(socket, address),
            // Whoever was there has gone.
            Err(error) if matches!(error.kind(), ConnectionAborted | Interrupted | WouldBlock) => {}
            // The newcomer stays there, and so does the readiness: without a pause, this would be
            // a busy loop.
            Err(_) => self.resumes = Instant::now() + PAUSE,
        }
    }

    fn begin(&mut self, socket: OwnedFd, address: Address) {
        if let Some(n) = self.who_gives_way() {
            self.refuse(n);
        }
        match Session::begin(socket, self.key.clone(), Side::Listener) {
            Ok(session) => self.guests.push_back(Guest { session, address, came: Instant::now() }),
            Err(_) => self.room.count_refused(),
        }
    }

    /// Who makes room for a newcomer, if there is none: the oldest stranger. Strangers keep out
    /// nobody who has shown the key.
    fn who_gives_way(&self) -> Option<usize> {
        let stranger = |guest: &Guest| !guest.session.was_shown_the_key();
        let oldest = || self.guests.iter().position(stranger).unwrap_or(0);
        (self.guests.len() >= self.at_once).then(oldest)
    }
}
