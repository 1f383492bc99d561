//! The thread of a listener, which lets in those who show the key.

use super::address::Address;
use super::handshake::Side;
use super::key::Key;
use super::session::Session;
use super::socket::Socket;
use super::waiting_room::WaitingRoom;
use crate::sys::deadline::time_left;
use crate::wait;
use std::collections::VecDeque;
use std::io::ErrorKind;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

/// How long a handshake may take in all.
const LIMIT: Duration = Duration::from_secs(5);

/// How many handshakes go on at once. Then the oldest gives way to the next.
const AT_ONCE: usize = 64;

/// How long each has before it gives way: enough for a client near by to answer.
const GRACE: Duration = Duration::from_millis(20);

/// How long nobody is let in after the system had no descriptor left.
const PAUSE: Duration = Duration::from_millis(100);

pub struct Reception {
    socket: Socket,
    key: Key,
    room: Arc<WaitingRoom>,
    /// Those whose handshake goes on, in the order in which they came.
    guests: VecDeque<Guest>,
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
        Self { socket, key, room, guests: VecDeque::new(), resumes: Instant::now() }
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
        if is_open {
            objects.push(self.socket.as_fd());
        }
        let mut ready = wait(&objects, time_left(next)).unwrap_or_else(|_| {
            thread::sleep(PAUSE); // the system lacks memory
            Vec::new()
        });
        let newcomer = ready.last() == Some(&(self.guests.len() + 1));
        ready.retain(|n| *n < self.guests.len());
        (ready, newcomer)
    }

    /// From when on a newcomer is let in. `None`: not before somebody was accepted.
    fn opens(&self) -> Option<Instant> {
        let oldest = self.guests.front().filter(|_| self.guests.len() >= AT_ONCE);
        let room = oldest.map_or(self.resumes, |oldest| self.resumes.max(oldest.came + GRACE));
        (!self.room.is_full()).then_some(room)
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
        self.guests.remove(n);
        self.room.count_refused();
    }

    fn take_in(&mut self) {
        use ErrorKind::{ConnectionAborted, Interrupted, WouldBlock};
        match self.socket.accept() {
            Ok((socket, address)) => {
                if self.guests.len() >= AT_ONCE {
                    self.refuse(self.who_gives_way());
                }
                match Session::begin(socket, self.key.clone(), Side::Listener) {
                    Ok(session) => {
                        self.guests.push_back(Guest { session, address, came: Instant::now() })
                    }
                    Err(_) => self.room.count_refused(),
                }
            }
            // Whoever was there has gone.
            Err(error) if matches!(error.kind(), ConnectionAborted | Interrupted | WouldBlock) => {}
            // The newcomer stays there, and so does the readiness: without a pause, this would be
            // a busy loop.
            Err(_) => self.resumes = Instant::now() + PAUSE,
        }
    }

    /// The oldest of the strangers: they keep out nobody who has shown the key.
    fn who_gives_way(&self) -> usize {
        self.guests.iter().position(|guest| !guest.session.was_shown_the_key()).unwrap_or(0)
    }
}
