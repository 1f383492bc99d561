//! Lets processes meet, so that no answer is right by luck.
//!
//! A process is held where others could come in between: before it prints, before it sleeps, and when
//! it has released a lock that it took or held in its sleep. It goes on when nobody else has anything
//! to do. Then who came last goes on first. So all look before one acts, unless a lock keeps them
//! from it.
//!
//! No system call tells that a lock was released if nobody waited for it. But the kernel is told of
//! robust locks, in a list of each thread (get_robust_list(2)). After a sleep, the thread is followed
//! instruction by instruction, and its list is read after each.
//!
//! The program's first process is never held.

use super::{Next, Running};
use crate::hang;
use nix::errno::Errno;
use nix::libc;
use nix::sys::ptrace;
use nix::sys::signal::Signal;
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;
use std::thread::yield_now;
use std::time::{Duration, Instant};

/// For so many instructions a thread is followed.
const LONGEST_WALK: u32 = 40_000;
/// So often a process is followed up to a lock's release, or for so long.
const MOST_WALKS: usize = 2;

#[derive(Default)]
pub struct Meeting {
    /// The threads that are held, in the order in which they came.
    held: Vec<Held>,
    followed: Vec<Followed>,
    /// The processes that were followed, to the end of the walk.
    walked: Vec<i32>,
    /// The most that were held when nobody else had anything to do.
    pub most: usize,
}

struct Held {
    pid: i32,
    thread: Pid,
    is_before_sleep: bool,
}

struct Followed {
    pid: i32,
    thread: Pid,
    locks: Locks,
    steps: u32,
    has_held_one: bool,
}

impl Running {
    /// A process stands before a system call.
    pub(super) fn comes_to_meeting(
        &mut self,
        pid: i32,
        thread: Pid,
        is_before_sleep: bool,
    ) -> Next {
        let is_first = pid == self.live.processes[0].pid;
        let Some(meeting) = self.meeting.as_mut().filter(|_| !is_first) else {
            return Next::With(None);
        };
        meeting.followed.retain(|followed| followed.thread != thread);
        meeting.held.push(Held { pid, thread, is_before_sleep });
        Next::Wait
    }

    pub(super) fn forget(&mut self, thread: Pid) {
        if let Some(meeting) = &mut self.meeting {
            meeting.held.retain(|held| held.thread != thread);
            meeting.followed.retain(|followed| followed.thread != thread);
        }
    }

    /// Lets the last one go on, if nobody else has anything to do.
    pub(super) fn release(&mut self) {
        let held = self.meeting.as_ref().map_or(&[][..], |meeting| &meeting.held);
        let is_held = |thread: &i32| held.iter().any(|held| held.thread.as_raw() == *thread);
        let threads = self.living().flat_map(|process| hang::threads(process.pid));
        if held.is_empty() || threads.filter(|thread| !is_held(thread)).any(hang::is_running) {
            return;
        }
        if let Some(meeting) = &mut self.meeting {
            meeting.most = meeting.most.max(meeting.held.len());
            meeting.release_last();
        }
    }

    /// A thread has stopped by a trap, as it does after a step.
    pub(super) fn follow(&mut self, thread: Pid) -> Next {
        let Some(meeting) = &mut self.meeting else {
            return Next::With(Some(Signal::SIGTRAP));
        };
        loop {
            if let Some(next) = meeting.look(thread) {
                return next;
            }
            if ptrace::step(thread, None).is_err() {
                return Next::With(None);
            }
            match soon(thread) {
                Some(WaitStatus::Stopped(_, Signal::SIGTRAP)) => (),
                Some(other) => return self.hear(other),
                None => return Next::Wait,
            }
        }
    }

    /// Nobody tells when a process has nothing to do any more.
    pub(super) fn longest_wait(&self) -> Duration {
        let is_held = self.meeting.as_ref().is_some_and(|meeting| !meeting.held.is_empty());
        Duration::from_millis(if is_held { 1 } else { 20 })
    }
}

impl Meeting {
    fn release_last(&mut self) {
        let Some(Held { pid, thread, is_before_sleep }) = self.held.pop() else { return };
        let walks = self.walked.iter().filter(|walked| **walked == pid).count();
        let is_followed = is_before_sleep && walks < MOST_WALKS;
        let locks = is_followed.then(|| Locks::of(thread)).flatten();
        let _ = match locks {
            Some(locks) => {
                self.followed.push(Followed { pid, thread, locks, steps: 0, has_held_one: false });
                ptrace::step(thread, None).or_else(|_| ptrace::cont(thread, None))
            }
            None => ptrace::cont(thread, None),
        };
    }

    /// Reads the locks of a thread that is followed. Returns how it goes on, if not by a step.
    fn look(&mut self, thread: Pid) -> Option<Next> {
        let is_this = |followed: &Followed| followed.thread == thread;
        let Some(place) = self.followed.iter().position(is_this) else {
            return Some(Next::With(Some(Signal::SIGTRAP)));
        };
        let followed = &mut self.followed[place];
        let has_released = followed.has_released().unwrap_or(false);
        if !has_released && followed.steps < LONGEST_WALK {
            return None;
        }
        let pid = self.followed.swap_remove(place).pid;
        self.walked.push(pid);
        if !has_released {
            return Some(Next::With(None));
        }
        self.held.push(Held { pid, thread, is_before_sleep: false });
        Some(Next::Wait)
    }
}

/// What a thread that makes a step has to tell, if that is soon. It may also sleep in a call.
fn soon(thread: Pid) -> Option<WaitStatus> {
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_millis(1) {
        match waitpid(thread, Some(WaitPidFlag::__WALL | WaitPidFlag::WNOHANG)) {
            Ok(WaitStatus::StillAlive) => yield_now(),
            status => return status.ok(),
        }
    }
    None
}

impl Followed {
    /// Whether it held a lock, and holds none any more.
    fn has_released(&mut self) -> Result<bool, Errno> {
        self.steps += 1;
        if self.locks.has_any()? {
            self.has_held_one = true;
            return Ok(false);
        }
        Ok(self.has_held_one && !self.locks.is_changing()?)
    }
}

/// The list of the robust locks that a thread holds.
struct Locks {
    thread: Pid,
    head: *mut libc::c_void,
}

impl Locks {
    fn of(thread: Pid) -> Option<Self> {
        let (mut head, mut length) = (std::ptr::null_mut(), 0usize);
        // SAFETY: the kernel writes an address and a length to the two variables.
        let result = unsafe {
            libc::syscall(libc::SYS_get_robust_list, thread.as_raw(), &mut head, &mut length)
        };
        (result == 0).then_some(Self { thread, head })
    }

    /// Whether it holds one. The list begins with the address of its first lock, or with its own.
    fn has_any(&self) -> Result<bool, Errno> {
        Ok(self.word(0)? != self.head as i64)
    }

    /// Whether it is about to take or to release one. The third word is the address of that lock.
    fn is_changing(&self) -> Result<bool, Errno> {
        Ok(self.word(2)? != 0)
    }

    fn word(&self, place: usize) -> Result<i64, Errno> {
        ptrace::read(self.thread, self.head.wrapping_byte_add(8 * place))
    }
}
