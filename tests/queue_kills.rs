//! Producers and consumers of a queue that are killed at random instants: every value is
//! accounted for by its number.

use multiprocessing::{Error, Event, ForkServer, Queue, RawArray};
use std::process::ExitCode;
use std::sync::atomic::Ordering::SeqCst;
use std::thread;
use tests::helper::{self, doom, join, kills, large_blocks};
use tests::{Outcome, helpers, trials};

fn main() -> ExitCode {
    let trials = trials![every_value_is_accounted_for, killed_waiters_leave_the_others];
    helper::main(trials, helpers![killed_processes_leave_no_large_values], &[])
}

/// A value's number and bytes that tell whether it is whole. Each producer has numbers of its own.
type Value = (u32, Vec<u8>);

/// How many values a producer puts at most.
const EACH: u32 = 4096;

/// The same for the one that is not killed.
const LASTING: u32 = 1 << 20;

/// How many values one call of a consumer may take.
const MANY: usize = 3;

/// Some are long, so that the ring turns often, and some are too long for it.
fn value(number: u32) -> Value {
    let length = match number % 512 {
        7 => 40_000,
        rest => rest as usize * 5 % 300,
    };
    (number, vec![number as u8; length])
}

#[derive(Clone, serde::Serialize, serde::Deserialize)]
struct Shared {
    queue: Queue<Value>,
    /// By producer: how many calls of `put` have returned.
    put: RawArray<u32>,
    /// By number: how often it was got.
    got: RawArray<u8>,
    stop: Event,
}

/// Numbers from `producer * EACH` on.
fn produce((shared, producer, count): (Shared, usize, u32)) -> Result<(), Error> {
    let first = producer as u32 * EACH;
    for number in first..first + count {
        if shared.stop.is_set() {
            break;
        }
        shared.queue.put(value(number))?;
        shared.put.atomics()[producer].fetch_add(1, SeqCst);
    }
    Ok(())
}

/// Takes one value, and in one of eight calls several.
fn consume(shared: Shared) {
    for n in 0u64.. {
        let got = match n % 8 {
            0 => shared.queue.get_many(MANY).map(Iterator::collect),
            _ => shared.queue.get().map(|value| vec![Ok(value)]),
        };
        match got {
            Err(Error::Closed) => return,
            got => mark(&shared, got.and_then(|got: Vec<_>| got.into_iter().collect())),
        }
    }
}

fn mark(shared: &Shared, values: Result<Vec<Value>, Error>) {
    for got in values.expect("whatever is got is a value") {
        assert!(got == value(got.0), "number {} is torn", got.0);
        shared.got.atomics()[got.0 as usize].fetch_add(1, SeqCst);
    }
}

/// Five times as many kills as `KILLS` says: half of producers, half of consumers, at the same
/// time. One of each lives on.
fn every_value_is_accounted_for() -> Outcome {
    let producers = kills() as usize * 5 / 2;
    let shared = Shared {
        queue: Queue::with_bytes(20, 1)?, // 64 KiB
        put: RawArray::new(producers + 1)?,
        got: RawArray::new(producers * EACH as usize + LASTING as usize)?,
        stop: Event::new()?,
    };
    let server = ForkServer::start()?;
    let survivors =
        [server.spawn(consume, shared.clone())?, server.spawn(consume, shared.clone())?];
    let lasting = server.spawn(produce, (shared.clone(), producers, LASTING))?;
    thread::scope(|scope| {
        let killer = scope.spawn(|| {
            (0..producers as u64).try_for_each(|n| doom(&server, consume, shared.clone(), n))
        });
        for producer in 0..producers {
            doom(&server, produce, (shared.clone(), producer, EACH), producer as u64)?;
        }
        killer.join().map_err(|_| "it panicked")?.map_err(libtest_mimic::Failed::from)
    })?;
    shared.stop.set();
    join(lasting)??;
    shared.queue.close();
    for survivor in survivors {
        join(survivor)?;
    }
    // If the last holder of a lock was killed, this repairs what it left.
    assert!(shared.queue.get().is_err() && shared.queue.put(value(0)).is_err());
    assert_eq!(large_blocks()?, 0);
    account(&shared, producers)
}

fn account(shared: &Shared, consumers_killed: usize) -> Outcome {
    let (put, got) = (shared.put.to_vec(), shared.got.to_vec());
    let (mut missing, mut total) = (0, 0);
    for (producer, put) in put.into_iter().enumerate() {
        let end = (producer + 1) * EACH as usize;
        let end = if producer == consumers_killed { got.len() } else { end };
        let (put, not_put) = got[producer * EACH as usize..end].split_at(put as usize);
        assert!(put.iter().all(|times| *times <= 1), "a value was got twice");
        missing += put.iter().filter(|times| **times == 0).count();
        total += put.len();
        // The call of a killed `put` may have taken effect.
        let more: u32 = not_put.iter().map(|times| u32::from(*times)).sum();
        assert!(more <= u32::from(not_put.first().is_some_and(|times| *times == 1)));
    }
    assert!(missing <= consumers_killed * MANY, "{missing} of {total} values are lost");
    assert!(total > consumers_killed * 10, "hardly anything was put: {total}");
    Ok(())
}

/// Waiters are killed, with and without the lock of their end, while others wait behind them.
fn killed_waiters_leave_the_others() -> Outcome {
    let server = ForkServer::start()?;
    let (empty, full) = (Queue::new(1)?, Queue::new(1)?);
    full.put(0)?;
    let get = |queue: Queue<u32>| queue.get().map(drop);
    let put = |queue: Queue<u32>| queue.put(1).map_err(Error::from);
    let (get, put): (fn(_) -> _, fn(_) -> _) = (get, put);
    for n in 0..kills() {
        let behind = (server.spawn(get, empty.clone())?, server.spawn(put, full.clone())?);
        doom(&server, get, empty.clone(), n)?;
        doom(&server, put, full.clone(), n)?;
        empty.put(1)?;
        full.get()?;
        join(behind.0)??;
        join(behind.1)??;
        assert!(empty.is_empty() && full.is_full());
    }
    Ok(())
}

/// Too long for the ring of 64 KiB.
const LARGE: usize = 20_000;

fn put_and_get_large(queue: Queue<Vec<u8>>) {
    loop {
        queue.put(vec![1; LARGE]).expect("there is room");
        assert_eq!(queue.get().expect("it was put"), [1; LARGE]);
    }
}

fn killed_processes_leave_no_large_values() -> Result<(), Box<dyn std::error::Error>> {
    let (server, queue) = (ForkServer::start()?, Queue::with_bytes(2, 1)?);
    for n in 0..2 * kills() {
        doom(&server, put_and_get_large, queue.clone(), n)?;
        queue.put(vec![])?;
        while !queue.get()?.is_empty() {}
        assert_eq!(large_blocks()?, 0);
    }
    Ok(())
}
