//! Pools: workers that die while they encode or decode, after the pool was closed, or when no other
//! can take the place.

use multiprocessing::{Error, Event, ForkServer, Pool, PoolBuilder, Queue};
use nix::sys::resource::{Resource, getrlimit};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::error::Error as StdError;
use std::process::{self, ExitCode};
use std::thread;
use tests::even::Even;
use tests::helper::{self, LONG, children, limit_files, open_and_mapped, until};
use tests::tasks::{park, send, square};
use tests::{Outcome, helpers, trials};

fn main() -> ExitCode {
    let trials = trials![
        arguments_that_end_their_worker,
        results_that_end_their_worker,
        workers_that_die_of_large_arguments,
        a_worker_that_dies_after_the_end_is_replaced,
    ];
    let alone = helpers![
        a_pool_that_cannot_start_all_workers_leaves_none,
        a_last_worker_that_cannot_be_replaced_breaks_the_pool,
        a_broken_pool_leaves_nothing_behind,
    ];
    helper::main(trials, alone, &[])
}

/// What happens to a worker that meets a number.
fn meet(number: u32) -> u32 {
    match number {
        10 => process::exit(3),
        20 => process::abort(),
        30 => panic!("30 is met"),
        number => number,
    }
}

/// It is met where it is decoded.
struct Arrival(u32);

impl Serialize for Arrival {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Arrival {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        u32::deserialize(deserializer).map(|number| Self(meet(number)))
    }
}

/// It is met where it is encoded.
struct Departure(u32);

impl Serialize for Departure {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        meet(self.0).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Departure {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        u32::deserialize(deserializer).map(Self)
    }
}

/// Each number costs its own task, and two of them a worker.
fn check(results: impl Iterator<Item = Result<u32, Error>>, pool: &Pool) -> Outcome {
    for (number, result) in results.enumerate() {
        match (number, result) {
            (10, Err(Error::WorkerDied { pid, exit_code: Some(3) })) => {
                assert_ne!(pid, process::id())
            }
            (20, Err(Error::WorkerDied { exit_code: Some(-6), .. })) => {}
            (30, Err(Error::Panicked { message, .. })) => assert_eq!(message, "30 is met"),
            (number, result) => assert_eq!(result? as usize, number),
        }
    }
    assert_eq!((pool.stats().restarts, pool.stats().done), (2, 40));
    Ok(())
}

fn arguments_that_end_their_worker() -> Outcome {
    let pool = Pool::new(2)?;
    let tasks = pool.tasks().chunk_size(7);
    check(tasks.imap(|Arrival(number)| number, (0..40).map(Arrival)), &pool)
}

fn results_that_end_their_worker() -> Outcome {
    let pool = Pool::new(2)?;
    let results = pool.tasks().chunk_size(7).imap(Departure, 0..40);
    check(results.map(|result| result.map(|Departure(number)| number)), &pool)
}

/// They are longer than what a pipe or a socket takes.
fn workers_that_die_of_large_arguments() -> Outcome {
    let pool = Pool::new(2)?;
    let fate = |text: String| -> usize { if text.is_empty() { 0 } else { process::abort() } };
    let tasks = pool.map_async(fate, vec!["x".repeat(4 << 20); 6]);
    let error = tasks.get_timeout(LONG).err().ok_or("it works")?;
    assert!(matches!(error, Error::WorkerDied { exit_code: Some(-6), .. }), "{error}");
    assert_eq!((pool.stats().done, pool.apply(fate, String::new())?), (6, 0));
    pool.join();
    Ok(())
}

fn a_worker_that_dies_after_the_end_is_replaced() -> Outcome {
    let (pool, go) = (Pool::new(1)?, Event::new()?);
    let dying = pool.apply_async(
        |go: Event| -> () {
            go.wait();
            process::abort()
        },
        go.clone(),
    );
    let impossible = pool.apply_async(|Even(number)| number, Even(13));
    let waiting = pool.apply_async(|()| process::id(), ());
    while !dying.is_running() {
        thread::yield_now();
    }
    pool.close();
    go.set();
    pool.join();
    let Err(Error::WorkerDied { pid, exit_code: Some(-6) }) = dying.get() else {
        return Err("it is alive".into());
    };
    assert!(![pid, process::id()].contains(&waiting.get()?));
    assert!(matches!(impossible.get(), Err(Error::Encode { .. })));
    Ok(())
}

/// Wherever it fails, and although their initializer never ends.
fn a_pool_that_cannot_start_all_workers_leaves_none() -> Result<(), Box<dyn StdError>> {
    Pool::new(1)?.apply(square, 1)?; // what is opened once in a process
    let (usual, before) = (getrlimit(Resource::RLIMIT_NOFILE)?.0, open_and_mapped()?.0);
    let mut failed = 0;
    loop {
        limit_files(before as u64 - 1 + failed)?; // to list them, one more is open
        let pool = Pool::builder().workers(4).initializer(park, 0).build();
        limit_files(usual)?;
        match pool {
            Ok(_) => break,
            Err(error) => assert!(error.to_string().contains("Too many open files"), "{error}"),
        }
        until(|| Ok(children().is_ok_and(|children| children.is_empty())))?;
        until(|| Ok(open_and_mapped().is_ok_and(|(open, _)| open == before)))?; // they are reaped
        failed += 1;
    }
    assert!(failed > 4 * 2, "a worker takes more than {failed} / 4 descriptors");
    Ok(())
}

fn a_last_worker_that_cannot_be_replaced_breaks_the_pool() -> Result<(), Box<dyn StdError>> {
    let pool = Pool::new(1)?;
    let pid = pool.apply(|()| process::id(), ())?;
    let (running, waiting) = (pool.apply_async(park, 0), pool.apply_async(square, 3));
    while !running.is_running() {
        thread::yield_now();
    }
    limit_files(3)?;
    send(pid, libc::SIGKILL);
    let Err(Error::WorkerDied { pid: dead, .. }) = running.get_timeout(LONG) else {
        return Err("it runs".into());
    };
    assert_eq!(dead, pid);
    assert!(matches!(waiting.get_timeout(LONG), Err(Error::PoolBroken { .. })));
    let next = pool.apply_async(square, 4);
    assert!(matches!(next.get_timeout(LONG), Err(Error::PoolBroken { .. })));
    pool.join();
    Ok(())
}

fn a_broken_pool_leaves_nothing_behind() -> Result<(), Box<dyn StdError>> {
    let round = |pool: PoolBuilder| -> Result<(), Error> {
        let fail = |_: Queue<u32>| process::exit(4);
        let pool = pool.workers(2).initializer(fail, Queue::new(1)?).build()?;
        let queue = Queue::<u32>::new(1)?;
        let task = pool.map_async(|queue: Queue<u32>| queue.len(), vec![queue; 10]);
        assert!(matches!(task.get_timeout(LONG), Err(Error::PoolBroken { .. })));
        Ok(())
    };
    let rounds = || -> Result<(), Error> {
        round(Pool::builder())?;
        round(Pool::builder().fork_server(ForkServer::start()?))
    };
    let no_children = || until(|| Ok(children().is_ok_and(|children| children.is_empty())));
    rounds()?;
    no_children()?;
    let before = open_and_mapped()?.0; // or one more, if the server is being reaped
    (0..3).try_for_each(|_| rounds())?;
    no_children()?;
    Ok(until(|| Ok(open_and_mapped().is_ok_and(|(open, _)| open <= before)))?)
}
