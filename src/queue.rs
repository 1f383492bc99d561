//! A queue of values in shared memory.

mod bell;
mod end;
mod large;
mod position;
mod record;
mod ring;

use crate::Error;
use crate::memory::Kind;
use crate::pipe::{Message, SendError, from_bytes};
use crate::sys::deadline::deadline;
use ring::{Patience, Ring};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::any::type_name;
use std::fmt;
use std::iter;
use std::marker::PhantomData;
use std::time::{Duration, Instant};

/// Values from any number of processes to any number of processes, each to one: Python's
/// `Queue`, `SimpleQueue` and, from 3.13 on, `shutdown`.
///
/// A clone is the same queue, and so is what another process receives in the arguments of a
/// [`Process`](crate::Process) or through a [`Connection`](crate::Connection). Threads can use it
/// like processes. When the last handle is gone, the queue is gone, with the values in it.
///
/// When [`put`](Queue::put) has returned, the value is in the queue. There is no thread that
/// sends it later, as there is in Python, so a process can exit at once after its last `put`.
///
/// **Order.** The values of one thread are got in the order in which it put them. Between
/// threads and processes, the order is that in which their calls of `put` took effect: a `put`
/// that began after another had returned comes after it. The values that one consumer gets are
/// in this order, too.
///
/// **How much it holds.** At most `maxsize` values, as in Python. Encoded, those of up to a
/// quarter of the ring share the ring, which has 1 MiB or what
/// [`with_bytes`](Queue::with_bytes) says, with 8 to 79 bytes more for each; `put` waits for
/// room in it, too. A longer value takes memory of its own, up to 4 GiB. Python's `Queue()`
/// without a limit has no counterpart, because memory has a limit: choose one, and begin to get
/// before you have put more.
///
/// **Killed processes** harm no others. A value whose `put` has returned is got once and whole;
/// a value whose producer is killed before that is got whole or not at all. A consumer that is
/// killed takes along at most what its one call was getting. The others may notice it by a
/// pause of up to one second.
///
/// **Stopped processes** (`SIGSTOP`) do hold up others. Those that wait in `put` or `get` form a
/// line; if the first one is stopped, those behind it wait until it is continued or killed.
/// Producers and consumers do not hold up each other in this way, beyond a full or empty queue.
///
/// **The end.** Nobody is told when the last producer has ended. Who knows that, usually the
/// parent that joins the producers, calls [`close`](Queue::close).
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

/// How long `try_put` and `try_get` wait for other processes to finish a call.
const MOMENT: Duration = Duration::from_millis(1);

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

    /// A queue with a ring of so many bytes, rounded up to a power of two and to 64 KiB at least.
    /// All of the ring is reserved from the beginning. See "How much it holds" above.
    ///
    /// # Errors
    ///
    /// Those of [`new`](Queue::new); more than 8 GiB are too many.
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
    ///   or this thread has 2,048 guards of locks.
    pub fn put(&self, value: T) -> Result<(), SendError<T>> {
        self.put_within(value, Patience::FOREVER)
    }

    /// Puts a value if there is room for it: Python's `put_nowait`.
    ///
    /// It waits at most a millisecond, for another producer to complete its `put`.
    ///
    /// # Errors
    ///
    /// [`Error::WouldBlock`] if there is no room (Python's `Full`), or if another producer takes
    /// longer; those of [`put`](Queue::put).
    pub fn try_put(&self, value: T) -> Result<(), SendError<T>> {
        self.put_within(value, Patience::none())
            .map_err(|SendError { value, error }| SendError { value, error: would_block(error) })
    }

    /// Puts a value, but waits no longer than `timeout` (of the monotonic clock) for room.
    ///
    /// # Errors
    ///
    /// [`Error::TimedOut`] if there was no room within that time (Python's `Full`); those of
    /// [`put`](Queue::put).
    pub fn put_timeout(&self, value: T, timeout: Duration) -> Result<(), SendError<T>> {
        self.put_within(value, Patience::timeout(timeout))
    }

    fn put_within(&self, value: T, patience: Patience) -> Result<(), SendError<T>> {
        let put = encode(&value).and_then(|bytes| self.ring.put(&[&bytes], &mut 0, patience));
        put.map_err(|error| SendError { value, error })
    }

    /// Puts all values, in order. This is faster than as many calls of [`put`](Queue::put).
    ///
    /// # Errors
    ///
    /// Those of [`put`](Queue::put). The values before the one that failed are in the queue. It
    /// and those behind it come back.
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
            self.ring.put(&messages, count, Patience::FOREVER)?;
            failed?;
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
    /// - [`Error::Decode`]: `T` refuses what it is made from. That value is lost.
    /// - [`Error::System`]: there is not enough memory to take a large value, which stays in the
    ///   queue, or this thread has 2,048 guards of locks.
    pub fn get(&self) -> Result<T, Error> {
        self.get_within(Patience::FOREVER)
    }

    /// Takes the first value, if there is one: Python's `get_nowait`.
    ///
    /// It waits at most a millisecond, for another consumer to complete its `get`.
    ///
    /// # Errors
    ///
    /// [`Error::WouldBlock`] if there is no value (Python's `Empty`), or if another consumer takes
    /// longer; those of [`get`](Queue::get).
    pub fn try_get(&self) -> Result<T, Error> {
        match self.is_empty() && !self.is_closed() {
            true => Err(Error::WouldBlock),
            false => self.get_within(Patience::none()).map_err(would_block),
        }
    }

    /// Takes the first value, but waits no longer than `timeout` (of the monotonic clock) for it.
    ///
    /// # Errors
    ///
    /// [`Error::TimedOut`] if there was none within that time (Python's `Empty`); those of
    /// [`get`](Queue::get).
    pub fn get_timeout(&self, timeout: Duration) -> Result<T, Error> {
        self.get_within(Patience::timeout(timeout))
    }

    fn get_within(&self, patience: Patience) -> Result<T, Error> {
        let mut taken = self.ring.take(1, patience)?;
        from_bytes(taken.next().unwrap_or_default())
    }

    /// Takes the first values, at least one and at most `most` (but never 0), and waits while
    /// there is none. This is faster than as many calls of [`get`](Queue::get). The values are
    /// out of the queue when it returns, and are decoded by the iterator.
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
    pub fn get_many(&self, most: usize) -> Result<impl Iterator<Item = Result<T, Error>>, Error> {
        let mut taken = self.ring.take(most.max(1), Patience::FOREVER)?;
        Ok(iter::from_fn(move || taken.next().map(from_bytes)))
    }

    /// The values, until the queue is closed and empty. Any other error of [`get`](Queue::get) is
    /// an item, and does not end the iteration.
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
    pub fn len(&self) -> usize {
        self.ring.len() as usize
    }

    /// Whether there are none at this moment: Python's `empty`. It says nothing about the next
    /// moment: to get all values, call [`close`](Queue::close) and [`iter`](Queue::iter).
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether there are `maxsize` values at this moment: Python's `full`.
    pub fn is_full(&self) -> bool {
        self.len() >= self.ring.maxsize() as usize
    }

    /// Closes the queue for those who put. Those who get receive what is in it, and then
    /// [`Error::Closed`]. Who waits is told. Python's `shutdown`, which only `queue.Queue` has,
    /// for threads.
    pub fn close(&self) {
        self.ring.close(false);
    }

    /// Closes the queue for all, with what is in it. Python's `shutdown(immediate=True)`.
    pub fn close_now(&self) {
        self.ring.close(true);
    }

    /// Whether the queue was closed.
    pub fn is_closed(&self) -> bool {
        self.ring.is_closed()
    }
}

impl Patience {
    const FOREVER: Self = Self { lock: None, other_end: None };

    fn timeout(timeout: Duration) -> Self {
        let deadline = deadline(timeout);
        Self { lock: deadline, other_end: deadline }
    }

    fn none() -> Self {
        Self { lock: deadline(MOMENT), other_end: Some(Instant::now()) }
    }
}

fn would_block(error: Error) -> Error {
    match error {
        Error::TimedOut => Error::WouldBlock,
        error => error,
    }
}

fn encode<T: Serialize>(value: &T) -> Result<Vec<u8>, Error> {
    let mut message = Message::default();
    message.push(value)?;
    if message.descriptors.is_empty() {
        return Ok(message.bytes);
    }
    let reason = "it holds a descriptor (as a Connection, a lock or a Queue does), which cannot lie in \
         shared memory: send it through a Connection or in the arguments of a Process";
    Err(Error::Encode { what: type_name::<T>().into(), reason: reason.into() })
}

/// Encodes the first values, about as many bytes as a consumer takes at once.
fn encode_some<T: Serialize>(values: &[T]) -> (Vec<Vec<u8>>, Result<(), Error>) {
    let (mut messages, mut bytes) = (Vec::new(), 0);
    for value in values {
        match encode(value) {
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
        debug.field("len", &self.len()).field("maxsize", &self.ring.maxsize());
        debug.field("closed", &self.is_closed()).finish()
    }
}
