//! The end that receives.

use super::Channel;
use crate::Error;
use crate::descriptor::descriptor_of_field;
use crate::sys::deadline::deadline;
use crate::wait::{wait, wait_until};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::iter;
use std::marker::PhantomData;
use std::time::Duration;

/// The end of a [`pipe_one_way`](crate::pipe_one_way), or the half of a
/// [`Connection`](crate::Connection), that receives values of the type `T`.
///
/// It is to processes what `std::sync::mpsc::Receiver` is to threads. It has one owner. It
/// travels to a child in the arguments of a [`Process`](crate::Process), or to a running process
/// through another pipe, and the process that sent it no longer has it. Once it is gone, sending
/// is an error. Python's first `Connection` of `Pipe(duplex=False)`.
///
/// A message is received whole or not at all. Threads may share a receiver, and each message
/// goes to one of them. (The same is true of processes after a `fork`, which copies every
/// receiver.)
///
/// It is ready for [`wait`](crate::wait()), and its descriptor is readable, when a message has
/// begun to arrive, or when nothing more comes.
///
/// The bytes are not trusted: whatever arrives, the result is a value or an error. But a hostile
/// process can keep its receiver waiting in the middle of a message, or send a value of a
/// recursive type so deep that the stack overflows.
///
/// ```
/// use multiprocessing::{Error, Process, Receiver, pipe_one_way};
///
/// fn main() -> Result<(), Error> {
///     multiprocessing::init();
///     let (receiver, sender) = pipe_one_way()?;
///     let child = Process::spawn(sum, receiver)?;
///     for number in 1..=4 {
///         sender.send(number)?;
///     }
///     drop(sender); // nothing more comes
///     assert_eq!(child.join()?, 10);
///     Ok(())
/// }
///
/// fn sum(receiver: Receiver<u32>) -> u32 {
///     receiver.iter().map(|number| number.expect("a number")).sum()
/// }
/// ```
#[derive(Serialize, Deserialize)]
#[serde(bound = "")]
pub struct Receiver<T: ?Sized> {
    channel: Channel,
    values: PhantomData<fn() -> Box<T>>,
}

impl<T: ?Sized> Receiver<T> {
    pub(super) fn new(channel: Channel) -> Self {
        Self { channel, values: PhantomData }
    }

    /// Waits until a message has begun to arrive or nothing more comes, but no longer than
    /// `timeout` (of the monotonic clock). Returns whether [`recv`](Receiver::recv) would find
    /// something. [`Duration::ZERO`] does not wait. Python's `poll`.
    ///
    /// # Errors
    ///
    /// [`Error::System`] if the system lacks memory.
    pub fn poll(&self, timeout: Duration) -> Result<bool, Error> {
        Ok(!wait(&[self], Some(timeout))?.is_empty())
    }

    /// Closes this end, as dropping it does. Python's `close`.
    pub fn close(self) {}
}

impl<T: DeserializeOwned> Receiver<T> {
    /// Waits for the next value.
    ///
    /// `T` and serde decode the value and allocate what it needs. If there is not enough memory for
    /// that, the process is aborted, as by any allocation in Rust.
    ///
    /// # Errors
    ///
    /// - [`Error::Closed`]: every sender is gone, and everything sent was received. Python's
    ///   `EOFError`.
    /// - [`Error::Unfinished`]: the sender was killed in the middle of a value of 96 KiB or more.
    /// - [`Error::Decode`]: the message is not a `T`, `T` needs a format that describes itself
    ///   (such as `serde_json::Value`), or there is not enough memory for the message.
    /// - [`Error::System`]: the value holds descriptors, or has 96 KiB or more, and this process
    ///   has too many descriptors open.
    ///
    /// In the last three cases the value is lost, and the next one can be received.
    pub fn recv(&self) -> Result<T, Error> {
        self.channel.receive()?.take_last()
    }

    /// The next value, without waiting for one: as [`std::sync::mpsc::Receiver::try_recv`], it
    /// returns an error if there is none.
    ///
    /// If a value has begun to arrive, this waits for its end. That matters for values of 96 KiB or
    /// more: if the sender of one is stopped (`SIGSTOP`) in the middle, `try_recv` waits until the
    /// sender is continued or killed.
    ///
    /// # Errors
    ///
    /// [`Error::WouldBlock`] if none has begun to arrive; those of [`recv`](Receiver::recv).
    pub fn try_recv(&self) -> Result<T, Error> {
        self.channel.try_receive()?.ok_or(Error::WouldBlock)?.take_last()
    }

    /// Waits for the next value, but no longer than `timeout` (of the monotonic clock) for it to
    /// begin.
    ///
    /// If a value has begun, this waits for its end, as [`try_recv`](Receiver::try_recv) does.
    ///
    /// # Errors
    ///
    /// [`Error::TimedOut`] if none has begun to arrive by then; those of
    /// [`recv`](Receiver::recv).
    pub fn recv_timeout(&self, timeout: Duration) -> Result<T, Error> {
        let deadline = deadline(timeout);
        while wait_until(self, deadline) {
            match self.try_recv() {
                Err(Error::WouldBlock) => continue, // another thread took it
                received => return received,
            }
        }
        Err(Error::TimedOut)
    }

    /// The values until nothing more comes ([`Error::Closed`]). Any other error of
    /// [`recv`](Receiver::recv) is an item, and does not end the iteration.
    pub fn iter(&self) -> impl Iterator<Item = Result<T, Error>> {
        iter::from_fn(|| match self.recv() {
            Err(Error::Closed) => None,
            received => Some(received),
        })
    }
}

impl Receiver<[u8]> {
    /// Waits for the next message and returns its bytes. Python's `recv_bytes`.
    ///
    /// # Errors
    ///
    /// Those of [`recv`](Receiver::recv), but [`Error::Decode`] only for what is not a message of
    /// this crate, and for a lack of memory.
    pub fn recv_bytes(&self) -> Result<Vec<u8>, Error> {
        Ok(self.channel.receive()?.bytes)
    }

    /// Waits for the next message, copies its bytes to the start of `buffer`, and returns their
    /// number. Python's `recv_bytes_into`.
    ///
    /// # Errors
    ///
    /// [`Error::BufferTooShort`], with the length of the message, if it does not fit. The message
    /// is kept, and the next receive gets it. (It is lost if, after a `fork`, another process
    /// receives from the same end at the same moment.) All others are as in
    /// [`recv_bytes`](Receiver::recv_bytes).
    ///
    /// ```
    /// use multiprocessing::{Error, pipe_one_way};
    ///
    /// let (mut receiver, sender) = pipe_one_way::<[u8]>()?;
    /// sender.send_bytes(b"five!")?;
    /// let too_short = receiver.recv_bytes_into(&mut [0; 4]);
    /// assert!(matches!(too_short, Err(Error::BufferTooShort { length: 5 })));
    ///
    /// let mut buffer = [0; 10];
    /// let length = receiver.recv_bytes_into(&mut buffer)?;
    /// assert_eq!(&buffer[..length], b"five!");
    /// # Ok::<(), Error>(())
    /// ```
    pub fn recv_bytes_into(&mut self, buffer: &mut [u8]) -> Result<usize, Error> {
        start(buffer, self.channel.next_length()?)?;
        let bytes = self.recv_bytes()?;
        start(buffer, bytes.len())?.copy_from_slice(&bytes);
        Ok(bytes.len())
    }
}

fn start(buffer: &mut [u8], length: usize) -> Result<&mut [u8], Error> {
    buffer.get_mut(..length).ok_or(Error::BufferTooShort { length })
}

descriptor_of_field!([T: ?Sized] Receiver<T>, channel,
    /// Readable when a message has begun to arrive, or when nothing more comes.
);

impl<T: ?Sized> fmt::Debug for Receiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.debug_tuple("Receiver").field(&self.channel).finish()
    }
}
