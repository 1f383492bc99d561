//! A queue of values in shared memory.

mod bell;
mod buffer;
mod end;
mod large;
mod patience;
mod position;
mod record;
mod ring;

use crate::Error;
use crate::memory::Kind;
use crate::pipe::{SendError, from_bytes, to_bytes};
use buffer::{keep_buffer, take_buffer};
use patience::Patience;
use ring::Ring;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::iter;
use std::marker::PhantomData;
use std::time::Duration;

/// A queue that any number of processes put values into and get values from. Each value goes to
/// one of them. Python's `Queue` and `SimpleQueue`.
///
/// A clone is another handle to the same queue. To share the queue, send a clone in the arguments
/// of a [`Process`](crate::Process) or through a [`Connection`](crate::Connection). Threads can
/// share it, too. When the last handle is gone, so are the queue and the values in it.
///
/// When [`put`](Queue::put) has returned, the value is in the queue. In Python, a thread sends it
/// later. Here a process can exit at once after its last `put`.
///
/// **Order.** Values are got in the order in which the calls of `put` took effect. So the values
/// of one thread stay in order, and a value whose `put` began after another `put` had returned
/// comes after that one.
///
/// **Size.** A queue holds at most `maxsize` values, as in Python. They share a ring of 1 MiB, or
/// of the size given to [`with_bytes`](Queue::with_bytes), in which each takes its encoded length
/// and 8 to 71 bytes more. `put` also waits while the ring is full. A value longer than a quarter
/// of the ring gets memory of its own, up to 4 GiB. No queue is unlimited, so begin to get before
/// you join the producers.
///
/// **Killed processes** harm no others. A value whose `put` has returned is got once and whole. A
/// value whose producer is killed in `put` is got whole or not at all. A killed consumer loses at
/// most what its current call was getting. The others may pause for up to a second.
///
/// **Stopped processes** (`SIGSTOP`) hold up others. One process at a time puts, and one gets; a
/// process that waits for room or for a value counts, too. If it is stopped, the others that put
/// (or get) wait until it is continued or killed. Meanwhile their limits in time hold: they get
/// [`Error::WouldBlock`] or [`Error::TimedOut`].
///
/// **The end.** The queue does not notice that its last producer has ended. Whoever knows, usually
/// the parent that has joined the producers, calls [`close`](Queue::close). Dropping a handle
/// closes nothing.
///
/// [`wait`](crate::wait()) cannot wait for a queue: its descriptors do not say whether there is a value.
///
/// # Example
///
/// ```
/// use multiprocessing::{Error, Process, Queue};
///
/// fn main() -> Result<(), Error> {
///     multiprocessing::init();
///     let (tasks, results) = (Queue::new(10)?, Queue::new(10)?);
///     let child = Process::spawn(square_all, (tasks.clone(), results.clone()))?;
///     for number in 1..=3 {
///         tasks.put(number)?;
///     }
///     tasks.close();
///     child.join()??;
///     results.close();
///     assert_eq!(results.iter().collect::<Result<Vec<u32>, _>>()?, [1, 4, 9]);
///     Ok(())
/// }
///
/// fn square_all((tasks, results): (Queue<u32>, Queue<u32>)) -> Result<(), Error> {
///     for number in tasks.iter() {
///         results.put(number?.pow(2))?;
///     }
///     Ok(())
/// }
/// ```
#[derive(Serialize, Deserialize)]
#[serde(bound(serialize = "", deserialize = "T: 'static"), try_from = "Ring")]
pub struct Queue<T> {
    ring: Ring,
    #[serde(skip)]
    values: PhantomData<fn(T) -> T>,
}

/// The bytes of the ring, unless the program says otherwise: few enough to stay in the caches of
/// a processor.
const BYTES: usize = 1024 * 1024;

impl<T: 'static> Queue<T> {
    /// A queue that holds at most `maxsize` values.
    ///
    /// # Errors
    ///
    /// [`Error::System`] if `maxsize` is 0 (in Python: no limit) or more than 536,870,911, or if
    /// there is not enough memory or no descriptor left. A queue has two descriptors.
    pub fn new(maxsize: usize) -> Result<Self, Error> {
        Self::with_bytes(maxsize, BYTES)
    }

    /// A queue whose ring has `bytes` bytes, rounded up to a power of two, and at least 64 KiB. All
    /// of the ring is reserved at once. See "Size" above.
    ///
    /// # Errors
    ///
    /// Those of [`new`](Queue::new), and [`Error::System`] if `bytes` is more than 8 GiB.
    pub fn with_bytes(maxsize: usize, bytes: usize) -> Result<Self, Error> {
        let limit = u32::try_from(maxsize).ok().filter(|size| (1..1 << 29).contains(size));
        let limit = limit.ok_or_else(|| {
            let what = format!("make a queue for {maxsize} values (1 to 536,870,911)");
            Error::refused(what, libc::EINVAL)
        })?;
        Ok(Self { ring: Ring::new(Kind::queue_of::<T>(), limit, bytes)?, values: PhantomData })
    }
}

impl<T: Serialize> Queue<T> {
    /// Puts a value, and waits while there is no room for it.
    ///
    /// A type that needs a format that describes itself, such as `serde_json::Value`, can be put
    /// but not got: send it as text.
    ///
    /// # Errors
    ///
    /// The value comes back in the error.
    ///
    /// - [`Error::Closed`]: the queue was closed. Python's `ShutDown`.
    /// - [`Error::Encode`]: the value cannot be serialised, or leaves a field out
    ///   (`skip_serializing_if`). Or it holds a descriptor, as a [`Connection`](crate::Connection),
    ///   a lock and a `Queue` do: that goes through a `Connection` or in the arguments of a
    ///   [`Process`](crate::Process).
    /// - [`Error::System`]: there is not enough memory for a large value, it has more than 4 GiB,
    ///   or files may not be so long (`ulimit -f`); or this thread already holds 2,048 locks.
    pub fn put(&self, value: T) -> Result<(), SendError<T>> {
        self.put_within(value, Patience::FOREVER)
    }

    /// Puts a value if there is room for it: Python's `put_nowait`.
    ///
    /// While another producer puts a value, it waits, but at most a millisecond.
    ///
    /// # Errors
    ///
    /// [`Error::WouldBlock`] if there is no room (Python's `Full`), or if the other producer takes
    /// longer; those of [`put`](Queue::put).
    #[doc(alias = "put_nowait")]
    pub fn try_put(&self, value: T) -> Result<(), SendError<T>> {
        self.put_within(value, Patience::none())
            .map_err(|SendError { value, error }| SendError { value, error: would_block(error) })
    }

    /// Puts a value, but waits no longer than `timeout` (of the monotonic clock) for room.
    ///
    /// # Errors
    ///
    /// [`Error::TimedOut`] if within that time there was no room (Python's `Full`), or other
    /// producers were before this one; those of [`put`](Queue::put).
    pub fn put_timeout(&self, value: T, timeout: Duration) -> Result<(), SendError<T>> {
        self.put_within(value, Patience::timeout(timeout))
    }

    fn put_within(&self, value: T, patience: Patience) -> Result<(), SendError<T>> {
        let put = to_bytes(&value, take_buffer()).and_then(|bytes| {
            let put = self.ring.put(&[&bytes], &mut 0, patience);
            keep_buffer(bytes);
            put
        });
        put.map_err(|error| SendError { value, error })
    }

    /// Puts all values, in order. This is faster than a call of [`put`](Queue::put) for each.
    ///
    /// # Errors
    ///
    /// Those of [`put`](Queue::put). The values before the one that failed are in the queue. That
    /// value and those after it come back.
    pub fn put_many(&self, mut values: Vec<T>) -> Result<(), SendError<Vec<T>>> {
        let mut count = 0;
        self.put_all(&values, &mut count).map_err(|error| {
            values.drain(..count);
            SendError { value: values, error }
        })
    }

    fn put_all(&self, values: &[T], count: &mut usize) -> Result<(), Error> {
        while *count < values.len() {
            let (messages, failed) = encode_some(&values[*count..]);
            let messages: Vec<_> = messages.iter().map(Vec::as_slice).collect();
            let mut put = 0;
            let result = self.ring.put(&messages, &mut put, Patience::FOREVER);
            *count += put;
            result.and(failed)?;
        }
        Ok(())
    }
}

impl<T: DeserializeOwned> Queue<T> {
    /// Takes the first value out of the queue, and waits while there is none.
    ///
    /// # Errors
    ///
    /// - [`Error::Closed`]: the queue was closed and is empty, or was closed by
    ///   [`close_now`](Queue::close_now). Python's `ShutDown`.
    /// - [`Error::Decode`]: the bytes are not a `T`, or `T` needs a format that describes itself
    ///   (such as `serde_json::Value`). That value is lost.
    /// - [`Error::System`]: there is not enough memory to take the value, which stays in the queue,
    ///   or this thread already holds 2,048 locks.
    #[doc(alias = "recv")]
    pub fn get(&self) -> Result<T, Error> {
        self.get_within(Patience::FOREVER)
    }

    /// Takes the first value, if there is one: Python's `get_nowait`.
    ///
    /// While another consumer gets a value, it waits, but at most a millisecond.
    ///
    /// # Errors
    ///
    /// [`Error::WouldBlock`] if there is no value (Python's `Empty`), or if the other consumer
    /// takes longer; those of [`get`](Queue::get).
    #[doc(alias = "get_nowait")]
    pub fn try_get(&self) -> Result<T, Error> {
        match (self.is_closed(), self.is_empty()) {
            (true, true) => Err(Error::Closed), // nothing can come after the close
            (false, true) => Err(Error::WouldBlock),
            (_, false) => self.get_within(Patience::none()).map_err(would_block),
        }
    }

    /// Takes the first value, but waits no longer than `timeout` (of the monotonic clock) for it.
    ///
    /// # Errors
    ///
    /// [`Error::TimedOut`] if within that time there was none (Python's `Empty`), or other
    /// consumers were before this one; those of [`get`](Queue::get).
    pub fn get_timeout(&self, timeout: Duration) -> Result<T, Error> {
        self.get_within(Patience::timeout(timeout))
    }

    fn get_within(&self, patience: Patience) -> Result<T, Error> {
        let mut taken = self.ring.take(1, patience, take_buffer())?;
        let value = from_bytes(taken.next().unwrap_or_default());
        keep_buffer(taken.into_buffer());
        value
    }

    /// Takes the first values, at least one and at most `most` (0 counts as 1), and waits while
    /// there is none. Several have 64 KiB at most. This is faster than a call of
    /// [`get`](Queue::get) for each. When it returns, the values are out of the queue. The iterator
    /// decodes them, and those left in it when it is dropped are lost.
    ///
    /// # Errors
    ///
    /// Those of [`get`](Queue::get), but [`Error::Decode`] only as an item.
    ///
    /// ```
    /// use multiprocessing::{Error, Queue};
    ///
    /// let queue = Queue::new(10)?;
    /// queue.put_many(vec!["a".to_string(), "b".to_string()])?;
    /// let texts: Result<Vec<String>, Error> = queue.get_many(100)?.collect();
    /// assert_eq!(texts?, ["a", "b"]);
    /// # Ok::<(), Error>(())
    /// ```
    pub fn get_many(
        &self,
        most: usize,
    ) -> Result<impl Iterator<Item = Result<T, Error>> + use<T>, Error> {
        let mut taken = self.ring.take(most.max(1), Patience::FOREVER, Vec::new())?;
        Ok(iter::from_fn(move || taken.next().map(from_bytes)))
    }

    /// Gets values, waiting for each, until the queue is closed and empty. Any other error of
    /// [`get`](Queue::get) is an item, and does not end the iteration.
    pub fn iter(&self) -> impl Iterator<Item = Result<T, Error>> {
        iter::from_fn(|| match self.get() {
            Err(Error::Closed) => None,
            got => Some(got),
        })
    }
}

impl<T> Queue<T> {
    /// How many values are in the queue at this moment: Python's `qsize`. Other processes may
    /// change it before you use it.
    #[doc(alias = "qsize")]
    pub fn len(&self) -> usize {
        self.ring.len() as usize
    }

    /// Whether the queue is empty at this moment: Python's `empty`. A value may come in the next.
    /// To get all values, call [`close`](Queue::close) and [`iter`](Queue::iter).
    #[doc(alias = "empty")]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether there are `maxsize` values at this moment: Python's `full`. If not, there may still
    /// be no room in the ring.
    #[doc(alias = "full")]
    pub fn is_full(&self) -> bool {
        self.len() >= self.maxsize()
    }

    /// How many values the queue holds at most.
    pub fn maxsize(&self) -> usize {
        self.ring.maxsize() as usize
    }

    /// Closes the queue to the producers in every process. Consumers get what is left, and then
    /// [`Error::Closed`]. Calls that wait return.
    ///
    /// This is the `shutdown` of Python's `queue.Queue` (3.13), which `multiprocessing` does not
    /// have. Python's `Queue.close` is something else: it ends the puts of one process.
    #[doc(alias = "shutdown")]
    pub fn close(&self) {
        self.ring.close(false);
    }

    /// Closes the queue to producers and consumers, and drops what is in it. Python's
    /// `shutdown(immediate=True)`. (If a process is killed in this call, the memory of large values
    /// may be kept until the queue is gone.)
    pub fn close_now(&self) {
        self.ring.close(true);
    }

    /// Whether the queue was closed.
    pub fn is_closed(&self) -> bool {
        self.ring.is_closed()
    }
}

fn would_block(error: Error) -> Error {
    match error {
        Error::TimedOut => Error::WouldBlock,
        error => error,
    }
}

/// Encodes the first values, about as many bytes as a consumer takes at once.
fn encode_some<T: Serialize>(values: &[T]) -> (Vec<Vec<u8>>, Result<(), Error>) {
    let (mut messages, mut bytes) = (Vec::new(), 0);
    for value in values {
        match to_bytes(value, Vec::new()) {
            Ok(message) => {
                bytes += message.len();
                messages.push(message);
            }
            Err(error) => return (messages, Err(error)),
        }
        if bytes >= BYTES / 16 {
            break;
        }
    }
    (messages, Ok(()))
}

impl<T: 'static> TryFrom<Ring> for Queue<T> {
    type Error = String;

    fn try_from(ring: Ring) -> Result<Self, String> {
        Ok(Self { ring: ring.checked(Kind::queue_of::<T>())?, values: PhantomData })
    }
}

impl<T> Clone for Queue<T> {
    fn clone(&self) -> Self {
        Self { ring: self.ring.clone(), values: PhantomData }
    }
}

impl<T> fmt::Debug for Queue<T> {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let mut debug = f.debug_struct("Queue");
        debug.field("len", &self.len()).field("maxsize", &self.maxsize());
        debug.field("closed", &self.is_closed()).finish()
    }
}
