//! Waiting for the first of many things.

use crate::Error;
use crate::error::Trying;
use crate::sys::deadline::{Deadline, deadline, time_left};
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, ppoll};
use nix::sys::time::TimeSpec;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

/// Waits until at least one of `objects` is ready, but no longer than `timeout` (of the monotonic
/// clock; `None` means no limit). Returns the indices of those that are ready, in order, and none
/// after a timeout.
///
/// A [`Process`](crate::Process) is ready when it has ended, a [`Receiver`](crate::Receiver) or
/// a [`Connection`](crate::Connection) when there is something to receive or the other end is
/// closed, a [`Writable`](crate::Writable) when its sender can send, and anything else with a
/// descriptor when it can be read without waiting (poll(2)).
/// Pass objects of different types as `&dyn AsFd`. If you remove those that are ready from a
/// `Vec`, begin with the last index, so that the others stay right. Python's
/// `multiprocessing.connection.wait`, which returns the objects.
///
/// # Errors
///
/// [`Error::System`] if there are more objects than a process may have descriptors
/// (`RLIMIT_NOFILE`, poll(2)).
///
/// # Example
///
/// ```
/// use multiprocessing::{Descriptor, Process};
/// use std::io::{Read, pipe};
///
/// fn main() -> Result<(), Box<dyn std::error::Error>> {
///     multiprocessing::init();
///     let (reader, hold) = pipe()?;
///     let waits = Process::spawn(
///         |reader: Descriptor| {
///             let _ = std::fs::File::from(reader.into_fd()).read(&mut [0]);
///         },
///         reader.into(),
///     )?;
///     let ends = Process::spawn(|()| (), ())?;
///     assert_eq!(multiprocessing::wait(&[&waits, &ends], None)?, [1]);
///     drop(hold);
///     waits.join()?;
///     ends.join()?;
///     Ok(())
/// }
/// ```
pub fn wait<T: AsFd>(objects: &[T], timeout: Option<Duration>) -> Result<Vec<usize>, Error> {
    let mut polled: Vec<_> = objects.iter().map(to_read).collect();
    poll_until(&mut polled, timeout.and_then(deadline)).trying_to("wait for the first of many")?;
    let ready = polled.iter().enumerate().filter(|(_, object)| object.any() == Some(true));
    Ok(ready.map(|(place, _)| place).collect())
}

/// Waits until an object is ready, or for the deadline. Returns whether it is ready. For one valid
/// descriptor, poll(2) fails only if the system lacks memory; the object then counts as not ready.
pub(crate) fn wait_until(object: impl AsFd, deadline: Deadline) -> bool {
    poll_until(&mut [to_read(&object)], deadline).is_ok_and(|ready| ready > 0)
}

/// Waits until a socket has room for more.
pub(crate) fn wait_for_room(socket: BorrowedFd) {
    let _ = poll_until(&mut [PollFd::new(socket, PollFlags::POLLOUT)], None);
}

fn to_read<T: AsFd>(object: &T) -> PollFd<'_> {
    PollFd::new(object.as_fd(), PollFlags::POLLIN)
}

/// Returns how many are ready.
fn poll_until(polled: &mut [PollFd], deadline: Deadline) -> nix::Result<i32> {
    loop {
        match ppoll(polled, time_left(deadline).map(TimeSpec::from), None) {
            Err(Errno::EINTR) => continue,
            ready => return ready,
        }
    }
}
