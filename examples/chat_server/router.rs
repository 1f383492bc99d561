//! The parent: it waits for everything, and for nobody.

use crate::door::Door;
use crate::member::Member;
use crate::room::Room;
use multiprocessing::{Error, wait};
use nix::sys::signalfd::SignalFd;
use std::os::fd::AsFd;

pub struct Router {
    pub ctrl_c: SignalFd,
    pub door: Door,
    pub room: Room,
}

/// What may be ready. A member is named by its place.
#[derive(Clone, Copy)]
enum Source {
    CtrlC,
    Door,
    /// It says something.
    Member(usize),
    /// It has room for what waits.
    Backlog(usize),
}

impl Router {
    // ANCHOR: run
    pub fn run(mut self) -> Result<(), Error> {
        loop {
            for source in self.wait()? {
                match source {
                    Source::CtrlC => return self.room.close(),
                    Source::Door => {
                        self.room.0.extend(self.door.admit());
                    }
                    Source::Member(n) => self.room.hear(n),
                    Source::Backlog(n) => self.room.catch_up(n),
                }
            }
            self.room.0.retain(Member::is_here);
        }
    }

    /// Waits for the first of all, and says what is ready.
    fn wait(&self) -> Result<Vec<Source>, Error> {
        let members = &self.room.0;
        let is_open = self.door.is_open(members.len());
        if is_open && self.door.waiting.is_some() {
            return Ok(vec![Source::Door]);
        }
        let mut all: Vec<(_, &dyn AsFd)> =
            vec![(Source::CtrlC, &self.ctrl_c)];
        if is_open {
            all.push((Source::Door, &self.door));
        }
        for (n, member) in members.iter().enumerate() {
            all.push((Source::Member(n), member));
            if let Some(room) = &member.backlog.room {
                all.push((Source::Backlog(n), room));
            }
        }
        let (sources, objects): (Vec<_>, Vec<_>) =
            all.into_iter().unzip();
        let ready = wait(&objects, self.door.opens_in())?;
        Ok(ready.into_iter().map(|n| sources[n]).collect())
    }
    // ANCHOR_END: run
}
