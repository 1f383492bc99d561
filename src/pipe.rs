//! Messages between processes, with the file descriptors that they carry.

mod channel;
mod connection;
mod long;
mod message;
mod receiver;
mod sender;
mod strict;
mod writable;

pub use connection::Connection;
pub use receiver::Receiver;
pub use sender::{SendError, Sender};
pub use writable::Writable;

pub(crate) use channel::Channel;
pub(crate) use message::{Message, from_bytes, from_parts, to_bytes};

use crate::Error;

/// A pipe with two ends, each of which sends and receives: Python's `Pipe()`.
///
/// The first end sends `A` and receives `B`; the second sends `B` and receives `A`.
///
/// # Errors
///
/// [`Error::System`] if the process has too many descriptors open.
///
/// # Example
///
/// ```
/// use multiprocessing::{Connection, Process, pipe};
///
/// fn main() -> Result<(), Box<dyn std::error::Error>> {
///     multiprocessing::init();
///     let (ours, theirs) = pipe::<String, usize>()?;
///     let child = Process::spawn(measure, theirs)?;
///     ours.send("hello".to_string())?;
///     assert_eq!(ours.recv()?, 5);
///     drop(ours); // tells the child that nothing more comes
///     child.join()?;
///     Ok(())
/// }
///
/// fn measure(connection: Connection<usize, String>) {
///     for text in connection.iter().flatten() {
///         connection.send(text.len()).expect("the parent waits for it");
///     }
/// }
/// ```
#[expect(clippy::type_complexity, reason = "the types say which end does what")]
pub fn pipe<A: ?Sized, B: ?Sized>() -> Result<(Connection<A, B>, Connection<B, A>), Error> {
    let (one, other) = Channel::pair()?;
    Ok((one.into(), other.into()))
}

/// A pipe with an end that receives and one that sends, in this order: Python's
/// `Pipe(duplex=False)`. (`std::sync::mpsc::channel` returns the sender first.)
///
/// # Errors
///
/// Those of [`pipe`].
///
/// # Example
///
/// ```
/// use multiprocessing::{Process, Sender, pipe_one_way};
///
/// fn main() -> Result<(), Box<dyn std::error::Error>> {
///     multiprocessing::init();
///     let (receiver, sender) = pipe_one_way()?;
///     let child = Process::spawn(count, sender)?;
///     let numbers: Result<Vec<u32>, _> = receiver.iter().collect();
///     assert_eq!(numbers?, [1, 2, 3]);
///     child.join()?;
///     Ok(())
/// }
///
/// fn count(sender: Sender<u32>) {
///     for number in 1..=3 {
///         sender.send(number).expect("the parent listens");
///     }
/// }
/// ```
///
/// A receiver cannot send:
///
/// ```compile_fail,E0599
/// let (receiver, _sender) = multiprocessing::pipe_one_way::<u32>()?;
/// receiver.send(1)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn pipe_one_way<T: ?Sized>() -> Result<(Receiver<T>, Sender<T>), Error> {
    let (one, other) = Channel::pair()?;
    Ok((Receiver::new(one), Sender::new(other)))
}
