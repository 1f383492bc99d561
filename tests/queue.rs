//! Queues: what arrives in which order, when a call waits, what comes back, and the end.

use multiprocessing::{Connection, Error, Event, ForkServer, Lock, Process, Queue, pipe};
use serde::{Deserialize, Serialize};
use std::error::Error as StdError;
use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant};
use tests::even::Even;
use tests::helper::{
    self, LONG, SHORT, elsewhere, is_asleep, join, large_blocks, open_and_mapped, processor_time,
};
use tests::{Outcome, helpers, trials};

fn main() -> ExitCode {
    let trials = trials![
        values_arrive_in_order,
        a_producer_can_exit_at_once,
        a_full_queue_waits_for_room,
        an_empty_queue_waits_for_a_value,
        what_cannot_be_put_comes_back,
        what_cannot_be_encoded_is_an_error_of_put,
        a_descriptor_cannot_be_put,
        a_value_that_refuses_its_bytes_is_lost_alone,
        the_bytes_are_limited_too,
        large_values_arrive_whole_and_give_their_memory_back,
        many_are_put_and_got_at_once,
        many_that_cannot_all_be_put,
        a_closed_queue_is_emptied,
        close_tells_those_who_wait,
        close_now_drops_what_is_in_it,
        a_queue_travels,
        a_queue_of_another_type_is_refused,
        impossible_queues,
        threads_and_processes_lose_no_wake_up,
        waiting_costs_no_processor_time,
    ];
    let alone = helpers![nothing_is_left_behind, a_stopped_consumer_holds_up_consumers_only];
    helper::main(trials, alone, &[])
}

fn values_arrive_in_order() -> Outcome {
    let queue = Queue::new(3)?;
    let put_all = |queue: Queue<String>| -> Result<(), Error> {
        for number in 0..1000 {
            queue.put(number.to_string())?;
        }
        queue.close();
        Ok(())
    };
    let child = Process::spawn(put_all, queue.clone())?;
    let got: Vec<_> = queue.iter().collect::<Result<_, _>>()?;
    assert_eq!(got, (0..1000).map(|number| number.to_string()).collect::<Vec<_>>());
    Ok(join(child)??)
}

fn a_producer_can_exit_at_once() -> Outcome {
    let queue = Queue::new(10)?;
    let put = |queue: Queue<Vec<u8>>| queue.put(vec![7; 1_000_000]).map_err(Error::from);
    elsewhere(put, queue.clone())??; // it is joined before anybody gets
    assert_eq!(queue.len(), 1);
    assert_eq!(queue.get()?, vec![7; 1_000_000]);
    Ok(())
}

fn a_full_queue_waits_for_room() -> Outcome {
    let queue = Queue::new(2)?;
    queue.put(1)?;
    assert!(!queue.is_full() && !queue.is_empty());
    queue.put(2)?;
    assert_eq!((queue.len(), queue.is_full()), (2, true));
    let start = Instant::now();
    let failed = queue.put_timeout(3, SHORT).err().ok_or("it was put")?;
    assert!(matches!(failed.error, Error::TimedOut) && start.elapsed() >= SHORT);
    let failed = queue.try_put(4).err().ok_or("it was put")?;
    assert!(matches!(failed.error, Error::WouldBlock) && failed.value == 4);
    let child =
        Process::spawn(|queue: Queue<i32>| queue.put(5).map_err(Error::from), queue.clone())?;
    assert!(!child.wait_timeout(SHORT));
    assert_eq!(queue.get()?, 1);
    join(child)??;
    assert_eq!((queue.get()?, queue.get()?, queue.len()), (2, 5, 0));
    Ok(())
}

fn an_empty_queue_waits_for_a_value() -> Outcome {
    let queue = Queue::new(2)?;
    let start = Instant::now();
    assert!(matches!(queue.get_timeout(SHORT), Err(Error::TimedOut)));
    assert!(start.elapsed() >= SHORT);
    assert!(matches!(queue.try_get(), Err(Error::WouldBlock)));
    let child = Process::spawn(|queue: Queue<i32>| queue.get(), queue.clone())?;
    assert!(!child.wait_timeout(SHORT));
    assert!(matches!(queue.try_get(), Err(Error::WouldBlock))); // the child is first in line
    queue.put(8)?;
    assert_eq!(join(child)??, 8);
    queue.put(9)?;
    assert_eq!(queue.try_get()?, 9);
    queue.put(10)?;
    assert_eq!(queue.get_timeout(LONG)?, 10);
    Ok(())
}

fn what_cannot_be_put_comes_back() -> Outcome {
    let queue = Queue::new(1)?;
    queue.close();
    let failed = queue.put("a".to_string()).err().ok_or("it was put")?;
    assert!(matches!(failed.error, Error::Closed) && failed.value == "a");
    let failed = queue.put_timeout("b".to_string(), LONG).err().ok_or("it was put")?;
    assert!(matches!(failed.error, Error::Closed) && failed.value == "b");
    let failed = queue.try_put("c".to_string()).err().ok_or("it was put")?;
    assert!(matches!(failed.error, Error::Closed) && failed.value == "c");
    Ok(())
}

fn what_cannot_be_encoded_is_an_error_of_put() -> Outcome {
    let queue = Queue::new(1)?;
    let failed = queue.put(Even(13)).err().ok_or("it was put")?;
    assert!(matches!(failed.error, Error::Encode { .. }) && failed.value == Even(13));
    queue.put(Even(2))?;
    assert_eq!(queue.get()?, Even(2));
    Ok(())
}

fn a_descriptor_cannot_be_put() -> Outcome {
    let (ours, theirs) = pipe::<u32, u32>()?;
    let queue = Queue::new(1)?;
    let failed = queue.put(theirs).err().ok_or("it was put")?;
    let message = failed.to_string();
    assert!(message.contains("only through a Connection or in the arguments"), "{message}");
    assert!(matches!(failed.error, Error::Encode { .. }) && queue.is_empty());
    failed.value.send(1)?; // it has come back whole
    assert_eq!(ours.recv()?, 1);
    let queues = Queue::new(1)?;
    assert!(queues.put((queue, Lock::new()?)).is_err());
    Ok(())
}

fn a_value_that_refuses_its_bytes_is_lost_alone() -> Outcome {
    let queue = Queue::new(5)?;
    queue.put_many(vec![Even(2), Even(3), Even(4), Even(5), Even(6)])?;
    assert_eq!(queue.get()?, Even(2));
    assert!(matches!(queue.get(), Err(Error::Decode { .. })));
    let got: Vec<_> = queue.get_many(5)?.collect();
    assert!(matches!(&got[..], [Ok(Even(4)), Err(Error::Decode { .. }), Ok(Even(6))]), "{got:?}");
    Ok(())
}

fn the_bytes_are_limited_too() -> Outcome {
    let queue = Queue::with_bytes(1000, 1)?; // rounded up to 64 KiB
    let value = vec![1u8; 10_000];
    let mut count = 0;
    while queue.try_put(value.clone()).is_ok() {
        count += 1;
    }
    assert_eq!(count, 6);
    assert!(!queue.is_full());
    assert_eq!(queue.get()?, value);
    queue.put(value)?; // behind the end of the ring, and again at its beginning
    queue.put(vec![])?;
    queue.close();
    assert_eq!(queue.iter().map(|got| got.map_or(0, |got| got.len())).sum::<usize>(), 60_000);
    Ok(())
}

fn large_values_arrive_whole_and_give_their_memory_back() -> Outcome {
    let queue = Queue::new(4)?;
    let put = |queue: Queue<(u32, Vec<u8>)>| -> Result<(), Error> {
        for (number, length) in [1, 300_000, 64 << 20, 5, 262_145].into_iter().enumerate() {
            queue.put((number as u32, vec![number as u8; length]))?;
        }
        Ok(())
    };
    let child = Process::spawn(put, queue.clone())?;
    for (expected, length) in [1, 300_000, 64 << 20, 5, 262_145].into_iter().enumerate() {
        let (number, bytes) = queue.get()?;
        assert_eq!((number as usize, bytes.len()), (expected, length));
        assert!(bytes.iter().all(|byte| *byte == expected as u8));
    }
    join(child)??;
    Ok(())
}

fn many_are_put_and_got_at_once() -> Outcome {
    let queue = Queue::new(100)?;
    let put = |queue: Queue<u32>| queue.put_many((0..10_000).collect()).map_err(Error::from);
    let child = Process::spawn(put, queue.clone())?;
    let mut got = Vec::new();
    while got.len() < 10_000 {
        let before = got.len();
        got.extend(queue.get_many(30)?.collect::<Result<Vec<_>, _>>()?);
        assert!((1..=30).contains(&(got.len() - before)));
    }
    assert_eq!(got, (0..10_000).collect::<Vec<_>>());
    join(child)??;
    queue.put(1)?;
    assert_eq!(queue.get_many(0)?.count(), 1);
    let texts: Vec<_> = (0..40).map(|n: u8| vec![n; 30_000]).collect(); // in several steps
    let long = Queue::new(100)?;
    let put =
        |(queue, texts): (Queue<Vec<u8>>, Vec<Vec<u8>>)| queue.put_many(texts).map_err(Error::from);
    let child = Process::spawn(put, (long.clone(), texts.clone()))?;
    for text in texts {
        assert_eq!(long.get()?, text);
    }
    join(child)??;
    long.put_many(vec![vec![0; 30_000]; 3])?;
    assert_eq!(long.get_many(3)?.count(), 2, "64 KiB at most");
    assert_eq!(long.get_many(3)?.count(), 1);
    long.put(vec![0; 100_000])?;
    assert_eq!(long.get_many(3)?.count(), 1, "but always one");
    Ok(())
}

fn many_that_cannot_all_be_put() -> Outcome {
    let queue = Queue::new(10)?;
    let failed = queue.put_many(vec![Even(2), Even(4), Even(13), Even(6)]);
    let failed = failed.err().ok_or("all were put")?;
    assert_eq!(failed.value, [Even(13), Even(6)]);
    assert!(matches!(failed.error, Error::Encode { .. }));
    assert_eq!(queue.get_many(10)?.collect::<Result<Vec<_>, _>>()?, [Even(2), Even(4)]);
    let full = Queue::new(3)?;
    let put = thread::scope(|scope| {
        let put = scope.spawn(|| full.put_many(vec![1, 2, 3, 4, 5]));
        while !full.is_full() {
            thread::yield_now();
        }
        full.close();
        put.join()
    });
    let failed = put.map_err(|_| "it panicked")?.err().ok_or("all were put")?;
    assert!(matches!(failed.error, Error::Closed) && failed.value == [4, 5]);
    assert_eq!(full.iter().collect::<Result<Vec<_>, _>>()?, [1, 2, 3]);
    Ok(())
}

fn a_closed_queue_is_emptied() -> Outcome {
    let queue = Queue::new(3)?;
    queue.put_many(vec![1, 2, 3])?;
    assert!(!queue.is_closed());
    elsewhere(|queue: Queue<u32>| queue.close(), queue.clone())?;
    assert!(queue.is_closed() && queue.put(4).is_err());
    assert_eq!(queue.len(), 3);
    assert_eq!((queue.get()?, queue.try_get()?, queue.get_timeout(SHORT)?), (1, 2, 3));
    assert!(matches!(queue.get(), Err(Error::Closed)));
    assert!(matches!(queue.try_get(), Err(Error::Closed)));
    assert!(matches!(queue.get_timeout(LONG), Err(Error::Closed)));
    assert!(queue.get_many(9).is_err() && queue.iter().next().is_none());
    Ok(())
}

fn close_tells_those_who_wait() -> Outcome {
    let (full, empty) = (Queue::new(1)?, Queue::new(1)?);
    full.put(1)?;
    let put = |queue: Queue<u32>| matches!(queue.put(2), Err(failed) if matches!(failed.error, Error::Closed));
    let get = |queue: Queue<u32>| matches!(queue.get(), Err(Error::Closed));
    let put: fn(Queue<u32>) -> bool = put;
    let get: fn(Queue<u32>) -> bool = get;
    let start = |f, queue: &Queue<u32>| Process::spawn(f, queue.clone());
    let waiting =
        [start(put, &full)?, start(put, &full)?, start(get, &empty)?, start(get, &empty)?];
    for child in &waiting {
        assert!(!child.wait_timeout(SHORT));
    }
    full.close();
    empty.close();
    for child in waiting {
        assert!(join(child)?);
    }
    Ok(())
}

fn close_now_drops_what_is_in_it() -> Outcome {
    let queue = Queue::new(3)?;
    queue.put_many(vec![1, 2])?;
    queue.close_now();
    assert!(queue.is_closed() && queue.is_empty());
    assert!(matches!(queue.get(), Err(Error::Closed)));
    assert!(queue.put(3).is_err());
    let empty = Queue::<u32>::new(1)?;
    let child = Process::spawn(|queue: Queue<u32>| queue.get(), empty.clone())?;
    assert!(!child.wait_timeout(SHORT));
    empty.close_now();
    assert!(matches!(join(child)?, Err(Error::Closed)));
    Ok(())
}

fn a_queue_travels() -> Outcome {
    let (ours, theirs) = pipe::<Queue<String>, Queue<String>>()?;
    let answer = |connection: Connection<Queue<String>, Queue<String>>| -> Result<(), Error> {
        let (asked, own) = (connection.recv()?, Queue::new(1)?);
        own.put(asked.get()?.to_uppercase())?;
        Ok(connection.send(own)?)
    };
    let child = Process::spawn(answer, theirs)?;
    let queue = Queue::new(1)?;
    queue.put("hello".to_string())?;
    ours.send(queue.clone())?;
    assert_eq!(ours.recv()?.get()?, "HELLO");
    join(child)??;
    assert!(queue.is_empty());
    assert_eq!(format!("{queue:?}"), "Queue { len: 0, maxsize: 1, closed: false }");
    let server = ForkServer::start()?;
    let child =
        server.spawn(|queue: Queue<String>| queue.put("x".into()).is_ok(), queue.clone())?;
    assert!(join(child)? && queue.get()? == "x");
    Ok(())
}

fn a_queue_of_another_type_is_refused() -> Outcome {
    #[derive(Serialize)]
    struct Sent(Queue<u32>);
    #[derive(Deserialize)]
    struct Received(#[expect(dead_code, reason = "it does not arrive")] Queue<String>);
    let (receiver, sender) = multiprocessing::pipe_one_way::<Bytes<Sent, Received>>()?;
    sender.send(Bytes::Sent(Sent(Queue::new(1)?)))?;
    let error = receiver.recv().err().ok_or("it arrived")?;
    assert!(error.to_string().contains("Queue"), "{error}");
    Ok(())
}

/// Serialises as `S`, deserialises as `R`.
enum Bytes<S, R> {
    Sent(S),
    Received(R),
}

impl<S: Serialize, R> Serialize for Bytes<S, R> {
    fn serialize<Z: serde::Serializer>(&self, serializer: Z) -> Result<Z::Ok, Z::Error> {
        match self {
            Self::Sent(value) => value.serialize(serializer),
            Self::Received(_) => Err(serde::ser::Error::custom("it was received")),
        }
    }
}

impl<'de, S, R: Deserialize<'de>> Deserialize<'de> for Bytes<S, R> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        R::deserialize(deserializer).map(Self::Received)
    }
}

fn impossible_queues() -> Outcome {
    for maxsize in [0, 1 << 29, usize::MAX] {
        let error = Queue::<u32>::new(maxsize).err().ok_or("it was made")?;
        assert!(error.to_string().contains(&format!("for {maxsize} values")), "{error}");
    }
    assert!(Queue::<u32>::with_bytes(1, usize::MAX).is_err());
    assert!(Queue::<u32>::with_bytes(1, (8 << 30) + 1).is_err());
    assert!(Queue::<u32>::new((1 << 29) - 1).is_ok());
    Ok(())
}

/// Two million values in all in a release build.
const EACH: u64 = if cfg!(debug_assertions) { 50_000 } else { 250_000 };

fn put_numbers((queue, start): (Queue<u64>, u64)) -> Result<(), Error> {
    (start..start + EACH).try_for_each(|number| Ok(queue.put(number)?))
}

fn add_up(queue: Queue<u64>) -> Result<(u64, u64), Error> {
    queue.iter().try_fold((0, 0), |(count, sum), number| Ok((count + 1, sum + number?)))
}

/// A small queue, so that all of them sleep and wake all the time.
fn threads_and_processes_lose_no_wake_up() -> Outcome {
    let queue = Queue::new(4)?;
    let consumers: Vec<_> =
        (0..8).map(|_| Process::spawn(add_up, queue.clone())).collect::<Result<_, _>>()?;
    let producers: Vec<_> = (0..4)
        .map(|n| Process::spawn(put_numbers, (queue.clone(), n * EACH)))
        .collect::<Result<_, _>>()?;
    thread::scope(|scope| {
        let start = |n| {
            let queue = queue.clone();
            scope.spawn(move || put_numbers((queue, n * EACH)))
        };
        let threads: Vec<_> = (4..8).map(start).collect();
        threads
            .into_iter()
            .try_for_each(|thread| thread.join().map_err(|_| "it panicked")?.map_err(|_| "put"))
    })?;
    for producer in producers {
        join(producer)??;
    }
    queue.close();
    let mut total = (0, 0);
    for consumer in consumers {
        let (count, sum) = join(consumer)??;
        total = (total.0 + count, total.1 + sum);
    }
    assert_eq!(total, (8 * EACH, (0..8 * EACH).sum()));
    Ok(())
}

fn waiting_costs_no_processor_time() -> Outcome {
    let wait = |(queue, full): (Queue<u32>, Queue<u32>)| -> Option<Duration> {
        let before = processor_time().ok()?;
        queue.get_timeout(Duration::from_millis(300)).err()?;
        full.put_timeout(1, Duration::from_millis(300)).err()?;
        Some(processor_time().ok()? - before)
    };
    let full = Queue::new(1)?;
    full.put(1)?;
    let spent = elsewhere(wait, (Queue::new(1)?, full))?.ok_or("it did not wait")?;
    assert!(spent < Duration::from_millis(100), "{spent:?}");
    Ok(())
}

fn nothing_is_left_behind() -> Result<(), Box<dyn StdError>> {
    let closed = Queue::new(2)?;
    closed.put(vec![1u8; 1_000_000])?;
    assert!(large_blocks()? > 0);
    closed.close_now();
    assert_eq!(large_blocks()?, 0);
    let round = || -> Result<(), Box<dyn StdError>> {
        let queue = Queue::new(3)?;
        queue.put(vec![1u8; 1_000_000])?;
        assert!(large_blocks()? > 0);
        let get = |queue: Queue<Vec<u8>>| queue.get().map(|bytes| bytes.len());
        assert_eq!(elsewhere(get, queue.clone())??, 1_000_000);
        assert_eq!(large_blocks()?, 0);
        Ok(())
    };
    round()?;
    let before = open_and_mapped()?;
    for _ in 0..10 {
        round()?;
    }
    assert_eq!(open_and_mapped()?, before);
    Ok(())
}

fn a_stopped_consumer_holds_up_consumers_only() -> Result<(), Box<dyn StdError>> {
    let (queue, event) = (Queue::new(5)?, Event::new()?);
    let get = |(queue, event): (Queue<u32>, Event)| {
        event.set();
        queue.get()
    };
    let child = Process::spawn(get, (queue.clone(), event.clone()))?;
    event.wait();
    while !is_asleep(child.pid())? {
        thread::yield_now();
    }
    child.signal(libc::SIGSTOP)?;
    queue.put_many(vec![1, 2, 3])?; // producers go on
    let start = Instant::now();
    assert!(matches!(queue.get_timeout(SHORT), Err(Error::TimedOut)) && start.elapsed() >= SHORT);
    assert!(matches!(queue.try_get(), Err(Error::WouldBlock)));
    child.kill()?;
    assert_eq!(queue.get_timeout(LONG)?, 1);
    assert!(matches!(child.join(), Err(Error::Killed { signal: libc::SIGKILL })));
    Ok(())
}
