//! Waiting for the first of many things.

use crate::Error;
use crate::error::Trying;
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll, ppoll};
use nix::sys::time::TimeSpec;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::{Duration, Instant};

/// Waits until at least one of `objects` is ready, or for `timeout`; returns the
/// places of those that are, in order. None are ready when the time is over.
///
/// A [`Process`](crate::Process) is ready when it has ended. Anything with a
/// descriptor will do: a socket or a pipe is ready when it can be read, or its
/// other end is closed. Objects of different types go in as `&dyn AsFd`. The time
/// is measured by the monotonic clock. Python's `multiprocessing.connection.wait`.
///
/// # Errors
///
/// [`Error::System`] if there are more objects than the limit of descriptors
/// (poll(2)).
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
    let mut polled: Vec<_> =
        objects.iter().map(|object| PollFd::new(object.as_fd(), PollFlags::POLLIN)).collect();
    // A time that the clock cannot hold is for ever.
    let deadline = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
    loop {
        let left = deadline.map(|d| TimeSpec::from(d.saturating_duration_since(Instant::now())));
        match ppoll(&mut polled, left, None) {
            Err(Errno::EINTR) => continue,
            result => {
                result.trying_to("wait for the first of many")?;
                break;
            }
        }
    }
    let is_ready = |(_, object): &(usize, &PollFd)| object.any() == Some(true);
    Ok(polled.iter().enumerate().filter(is_ready).map(|(n, _)| n).collect())
}

/// Whether one object is ready in time. poll(2) has no error for a single valid
/// descriptor but a lack of memory; that counts as not ready.
pub(crate) fn wait_until(object: BorrowedFd, deadline: Option<Instant>) -> bool {
    let timeout = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
    wait(&[object], timeout).is_ok_and(|ready| !ready.is_empty())
}

/// Waits until a socket can take more.
pub(crate) fn wait_for_room(socket: BorrowedFd) {
    let _ = poll(&mut [PollFd::new(socket, PollFlags::POLLOUT)], PollTimeout::NONE);
}
