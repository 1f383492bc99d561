//! What a message goes through: each function lets so many pass, and says how long that took.

use benches::spans::{Span, span, whole};
use crossbeam_channel::bounded;
use ipc_channel::ipc;
use multiprocessing::{Barrier, Process, Queue};
use serde_bytes::ByteBuf;
use std::hint::black_box;
use std::io::{self, BufReader, Read, Write};
use std::path::Path;
use std::time::Duration;
use std::{sync, thread};

/// How many messages a queue holds at most.
pub const MAXSIZE: usize = 1024;

/// How many messages `put_many` puts.
const MANY: u64 = 16;

/// Messages are counted in multiples of this, so that each process has as many.
const STEP: u64 = 256;

/// `None`: this peer cannot do it.
pub type Run = fn(&Load) -> Option<Duration>;

pub struct Load {
    pub producers: u64,
    pub consumers: u64,
    /// Of a message, in bytes.
    pub size: usize,
    /// How many, of all producers.
    pub messages: u64,
}

impl Load {
    pub const fn new(producers: u64, consumers: u64, size: usize) -> Self {
        Self { producers, consumers, size, messages: STEP }
    }

    pub fn with(&self, messages: u64) -> Self {
        let messages = messages.next_multiple_of(STEP);
        Self { messages, ..*self }
    }

    pub fn times(&self, factor: f64) -> Self {
        self.with((self.messages as f64 * factor) as u64)
    }

    /// How many messages each producer puts.
    fn put(&self) -> u64 {
        self.messages / self.producers
    }

    /// How many messages each consumer gets.
    fn get(&self) -> u64 {
        self.messages / self.consumers
    }

    fn workers(&self) -> u64 {
        self.producers + self.consumers
    }
}

/// A new message each time.
pub struct Maker(ByteBuf);

impl Maker {
    pub fn new(size: usize) -> Self {
        Self(ByteBuf::from(vec![7; size]))
    }

    pub fn make(&self) -> ByteBuf {
        black_box(&self.0).clone()
    }
}

/// Threads, the channel between them, and postcard.
pub fn crossbeam(load: &Load) -> Option<Duration> {
    let (sender, receiver) = bounded::<Vec<u8>>(MAXSIZE);
    let start = sync::Barrier::new(load.workers() as usize);
    let maker = &Maker::new(load.size);
    let put_all = || {
        let put = || {
            let message = maker.make();
            let bytes = Vec::with_capacity(message.len() + 8);
            sender.send(postcard::to_extend(&message, bytes).expect("bytes")).expect("receivers");
        };
        start.wait();
        span(|| (0..load.put()).for_each(|_| put()))
    };
    let get_all = || {
        let get = || -> ByteBuf {
            postcard::from_bytes(&receiver.recv().expect("senders")).expect("a message")
        };
        start.wait();
        span(|| (0..load.get()).for_each(|_| drop(black_box(get()))))
    };
    Some(thread::scope(|scope| {
        let producers = (0..load.producers).map(|_| scope.spawn(put_all));
        let producers: Vec<_> = producers.collect();
        let consumers = (0..load.consumers).map(|_| scope.spawn(get_all));
        let threads: Vec<_> = producers.into_iter().chain(consumers).collect();
        whole(threads.into_iter().map(|thread| thread.join().expect("no panic")))
    }))
}

/// A queue, the start, the size of a message, and how many.
type Work = (Queue<ByteBuf>, Barrier, usize, u64);

pub fn queue(load: &Load) -> Option<Duration> {
    Some(through_queue(load, put_all, get_all))
}

pub fn queue_many(load: &Load) -> Option<Duration> {
    Some(through_queue(load, put_all_many, get_all_many))
}

fn through_queue(load: &Load, put: fn(Work) -> Span, get: fn(Work) -> Span) -> Duration {
    let queue = Queue::new(MAXSIZE).expect("memory");
    let start = Barrier::new(load.workers() as u32).expect("memory");
    let spawn = |work: fn(Work) -> Span, count| {
        Process::spawn(work, (queue.clone(), start.clone(), load.size, count)).expect("it starts")
    };
    let producers = (0..load.producers).map(|_| spawn(put, load.put()));
    let producers: Vec<_> = producers.collect();
    let consumers = (0..load.consumers).map(|_| spawn(get, load.get()));
    let processes: Vec<_> = producers.into_iter().chain(consumers).collect();
    whole(processes.into_iter().map(|process| process.join().expect("it ends")))
}

fn put_all((queue, start, size, count): Work) -> Span {
    let maker = Maker::new(size);
    start.wait().expect("all come");
    span(|| (0..count).for_each(|_| queue.put(maker.make()).expect("open")))
}

fn get_all((queue, start, _, count): Work) -> Span {
    start.wait().expect("all come");
    span(|| (0..count).for_each(|_| drop(black_box(queue.get().expect("open")))))
}

fn put_all_many((queue, start, size, count): Work) -> Span {
    let maker = Maker::new(size);
    let put = || queue.put_many((0..MANY).map(|_| maker.make()).collect()).expect("open");
    start.wait().expect("all come");
    span(|| (0..count / MANY).for_each(|_| put()))
}

fn get_all_many((queue, start, _, count): Work) -> Span {
    start.wait().expect("all come");
    span(|| {
        let mut left = count;
        while left > 0 {
            for message in queue.get_many(left.min(MANY) as usize).expect("open") {
                drop(black_box(message.expect("a message")));
                left -= 1;
            }
        }
    })
}

/// Runs closures in processes of their own, from a common start.
fn in_processes(work: Vec<Box<dyn FnMut() + '_>>) -> Duration {
    let start = Barrier::new(work.len() as u32).expect("memory");
    let run = |mut work: Box<dyn FnMut() + '_>| {
        let start = &start;
        let worker = move || {
            start.wait().expect("all come");
            span(&mut work)
        };
        // SAFETY: the other threads of this program have ended.
        unsafe { Process::fork(worker) }.expect("fork")
    };
    let processes: Vec<_> = work.into_iter().map(run).collect();
    whole(processes.into_iter().map(|process| process.join().expect("it ends")))
}

/// One receiver only.
pub fn ipc_channel(load: &Load) -> Option<Duration> {
    if load.consumers != 1 {
        return None;
    }
    let (sender, receiver) = ipc::channel::<ByteBuf>().expect("a channel");
    let maker = &Maker::new(load.size);
    let get = || drop(black_box(receiver.recv().expect("senders")));
    let mut work: Vec<Box<dyn FnMut()>> = vec![Box::new(|| (0..load.get()).for_each(|_| get()))];
    for _ in 0..load.producers {
        let sender = sender.clone();
        let put = move || sender.send(maker.make()).expect("a receiver");
        work.push(Box::new(move || (0..load.put()).for_each(|_| put())));
    }
    Some(in_processes(work))
}

/// By hand: the length, then what postcard makes of the message.
pub fn pipe(load: &Load) -> Option<Duration> {
    if load.workers() != 2 {
        return None;
    }
    let (reader, mut writer) = io::pipe().expect("a pipe");
    let (mut reader, maker) = (BufReader::with_capacity(64 << 10, reader), Maker::new(load.size));
    let (mut record, mut bytes) = (Vec::new(), Vec::new());
    let put = || {
        record.clear();
        record.extend([0; 4]);
        record = postcard::to_extend(&maker.make(), std::mem::take(&mut record)).expect("bytes");
        let length = record.len() as u32 - 4;
        record[..4].copy_from_slice(&length.to_ne_bytes());
        writer.write_all(&record).expect("a reader");
    };
    let get = || {
        let mut length = [0; 4];
        reader.read_exact(&mut length).expect("a writer");
        bytes.resize(u32::from_ne_bytes(length) as usize, 0);
        reader.read_exact(&mut bytes).expect("a writer");
        drop(black_box(postcard::from_bytes::<ByteBuf>(&bytes).expect("a message")));
    };
    Some(in_processes(vec![times(load.messages, put), times(load.messages, get)]))
}

fn times<'a>(count: u64, mut work: impl FnMut() + 'a) -> Box<dyn FnMut() + 'a> {
    Box::new(move || (0..count).for_each(|_| work()))
}

pub fn python_queue(load: &Load) -> Option<Duration> {
    python("Queue", load)
}

pub fn python_simple_queue(load: &Load) -> Option<Duration> {
    python("SimpleQueue", load)
}

/// A package that may not be installed.
pub fn python_faster_fifo(load: &Load) -> Option<Duration> {
    if benches::python_has("faster_fifo") { python("faster_fifo", load) } else { None }
}

/// One to one, or four to four.
fn python(kind: &str, load: &Load) -> Option<Duration> {
    let Load { producers, consumers, size, messages } = load;
    if producers != consumers || !benches::has_python() {
        return None;
    }
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("queue.py");
    let argument = format!("{kind}-{producers}-{consumers}-{size}");
    Some(benches::python(&script, &argument, *messages))
}
