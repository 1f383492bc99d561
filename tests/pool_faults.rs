//! Pools: what goes wrong in a task or with a worker costs that task alone.

use multiprocessing::{Barrier, Descriptor, Error, Pool, RawArray, Value};
use std::error::Error as StdError;
use std::fs::{self, File};
use std::process::{self, ExitCode};
use std::sync::atomic::Ordering::SeqCst;
use std::sync::mpsc;
use std::time::{Duration, Instant};
use std::{io, thread};
use tests::even::Even;
use tests::helper::{self, LONG, SHORT, limit_files};
use tests::tasks::{panics_if_odd, park, send, square};
use tests::{Outcome, helpers, trials};

fn main() -> ExitCode {
    let trials = trials![
        a_task_that_panics_spoils_no_other,
        what_cannot_be_encoded_or_decoded_spoils_no_other,
        a_worker_that_dies_costs_its_task_only,
        a_task_is_run_again_only_if_asked,
        a_task_that_takes_too_long_is_ended,
        a_task_that_ignores_sigterm_is_killed,
        a_pool_whose_workers_cannot_start_is_broken,
        impossible_pools,
        what_a_dying_worker_has_sent_is_kept,
        arguments_that_cannot_be_received,
        a_worker_that_hangs_up_is_ended,
        a_stopped_worker_holds_up_no_task,
        a_time_limit_holds_while_nobody_waits,
        full_sockets_hold_nobody_up,
        a_worker_larger_than_its_limit_does_a_task,
    ];
    let alone = helpers![
        a_result_that_cannot_be_received,
        a_lack_of_descriptors_that_passes_breaks_no_pool,
    ];
    helper::main(trials, alone, &[])
}

fn a_task_that_panics_spoils_no_other() -> Outcome {
    let pool = Pool::new(2)?;
    let results: Vec<_> = pool.imap(panics_if_odd, 0..100).collect();
    for (number, result) in results.into_iter().enumerate() {
        match result {
            Ok(even) => assert!(even as usize == number && number % 2 == 0),
            Err(Error::Panicked { message, location }) => {
                assert_eq!(message, format!("{number} is odd"));
                assert!(number % 2 == 1 && location.contains("tasks.rs:"), "{location}");
            }
            Err(other) => return Err(other.into()),
        }
    }
    assert!(
        matches!(pool.map(panics_if_odd, [2, 3, 5]), Err(Error::Panicked { message, .. }) if message.starts_with('3'))
    );
    assert_eq!(pool.stats().restarts, 0);
    Ok(())
}

fn what_cannot_be_encoded_or_decoded_spoils_no_other() -> Outcome {
    let pool = Pool::new(2)?;
    let plus = |(Even(a), b): (Even, u32)| Even(a + b);
    let items = [(2, 2), (13, 0), (3, 1), (2, 11), (2, 1), (4, 4)].map(|(a, b)| (Even(a), b));
    let results: Vec<_> = pool.imap(plus, items).collect();
    use Error::{Decode, Encode};
    assert!(matches!(
        &results[..],
        [
            Ok(Even(4)),
            Err(Encode { .. }),
            Err(Decode { .. }),
            Err(Encode { .. }),
            Err(Decode { .. }),
            Ok(Even(8))
        ]
    ));
    assert_eq!(pool.stats().restarts, 0);
    Ok(())
}

/// What a task does that goes wrong.
fn fate(number: u32) -> u32 {
    match number {
        10 => process::exit(3),
        20 => process::abort(),
        number => number,
    }
}

fn a_worker_that_dies_costs_its_task_only() -> Outcome {
    let pool = Pool::new(2)?;
    for (number, result) in pool.tasks().chunk_size(10).imap(fate, 0..100).enumerate() {
        match (number, result) {
            (10, Err(Error::WorkerDied { pid, exit_code: Some(3) })) => assert!(pid > 1),
            (20, Err(Error::WorkerDied { exit_code: Some(-6), .. })) => {}
            (number, result) => assert_eq!(result? as usize, number),
        }
    }
    assert_eq!((pool.stats().restarts, pool.stats().done), (2, 100));
    Ok(())
}

/// Counts its calls, and dies in the first ones.
fn die_often((calls, deaths): (Value<u32>, u32)) -> u32 {
    let mut guard = calls.lock().expect("no holder dies");
    *guard += 1;
    let call = *guard;
    drop(guard);
    if call <= deaths { process::abort() } else { call }
}

fn a_task_is_run_again_only_if_asked() -> Outcome {
    let pool = Pool::new(2)?;
    let calls = Value::new(0)?;
    assert!(matches!(pool.apply(die_often, (calls.clone(), 9)), Err(Error::WorkerDied { .. })));
    assert_eq!(*calls.lock()?, 1);
    let calls = Value::new(0)?;
    assert_eq!(pool.tasks().retries(2).apply(die_often, (calls.clone(), 2))?, 3);
    let calls = Value::new(0)?;
    assert!(pool.tasks().retries(2).apply(die_often, (calls.clone(), 9)).is_err());
    assert_eq!(*calls.lock()?, 3);
    Ok(())
}

fn a_task_that_takes_too_long_is_ended() -> Outcome {
    let pool = Pool::new(2)?;
    let limit = Duration::from_millis(50);
    let start = Instant::now();
    let wait = |milliseconds| thread::sleep(Duration::from_millis(milliseconds));
    let results: Vec<_> = pool
        .tasks()
        .time_limit(limit)
        .chunk_size(5)
        .imap(wait, [0, 60_000, 0, 0, 60_000, 0])
        .collect();
    let over: Vec<_> = results.iter().map(Result::is_err).collect();
    assert_eq!(over, [false, true, false, false, true, false]);
    assert!(matches!(results[1], Err(Error::TimeLimit { limit: told }) if told == limit));
    assert!(start.elapsed() >= limit && start.elapsed() < LONG);
    Ok(())
}

fn a_task_that_ignores_sigterm_is_killed() -> Outcome {
    let ignore = |_: u32| {
        // SAFETY: to ignore a signal installs no function.
        unsafe { libc::signal(libc::SIGTERM, libc::SIG_IGN) };
        park(0);
    };
    let pool = Pool::new(1)?;
    let limited = pool.tasks().time_limit(SHORT);
    assert!(matches!(limited.apply(ignore, 0), Err(Error::TimeLimit { .. })));
    let task = pool.apply_async(ignore, 0);
    while !task.is_running() {
        thread::yield_now();
    }
    let start = Instant::now();
    drop(pool);
    assert!(start.elapsed() < LONG);
    assert!(matches!(task.get(), Err(Error::Cancelled)));
    Ok(())
}

fn a_pool_whose_workers_cannot_start_is_broken() -> Outcome {
    let pool = Pool::builder().workers(2).initializer(|()| panic!("no licence"), ()).build()?;
    let error = pool.map(square, 0..10).err().ok_or("it works")?;
    assert!(
        matches!(&error, Error::PoolBroken { reason } if reason.contains("no licence")),
        "{error}"
    );
    assert!(matches!(pool.apply(square, 1), Err(Error::PoolBroken { .. })));
    let pool = Pool::builder().workers(1).initializer(|()| process::exit(4), ()).build()?;
    let error = pool.apply(square, 1).err().ok_or("it works")?;
    assert!(error.to_string().contains("called exit(4)"), "{error}");
    pool.join();
    Ok(())
}

fn impossible_pools() -> Outcome {
    assert!(matches!(Pool::new(0), Err(Error::System { .. })));
    Ok(())
}

/// Begins a task; every seventh one exits when it is begun for the first time.
fn exit_at_the_seventh((begun, number): (RawArray<u32>, usize)) -> usize {
    let times = begun.atomics()[number].fetch_add(1, SeqCst);
    if number % 7 == 6 && times == 0 {
        process::exit(0);
    }
    number
}

fn what_a_dying_worker_has_sent_is_kept() -> Outcome {
    let pool = Pool::new(2)?;
    for _ in 0..20 {
        let begun = RawArray::new(70)?;
        let items = (0..70).map(|number| (begun.clone(), number));
        let results: Vec<_> = pool.tasks().chunk_size(7).imap(exit_at_the_seventh, items).collect();
        for (number, result) in results.into_iter().enumerate() {
            match result {
                Err(Error::WorkerDied { exit_code: Some(0), .. }) => assert_eq!(number % 7, 6),
                result => assert_eq!(result?, number),
            }
        }
        assert_eq!(begun.to_vec(), [1; 70]);
    }
    Ok(())
}

fn files(count: usize) -> io::Result<Vec<Descriptor>> {
    (0..count).map(|_| File::open("/dev/null").map(Descriptor::from)).collect()
}

/// The worker that has no descriptor left for them ends, and no other one tries.
fn arguments_that_cannot_be_received() -> Outcome {
    let limit = |most| limit_files(most).expect("the limit is lowered");
    let pool = Pool::builder().workers(1).initializer(limit, 60).build()?;
    let task = pool.apply_async(|files: Vec<Descriptor>| files.len(), files(120)?);
    let error = task.get_timeout(LONG).err().ok_or("it works")?;
    assert!(!matches!(error, Error::TimedOut), "{error}");
    assert_eq!((pool.apply(square, 3)?, pool.stats().restarts), (9, 1));
    Ok(())
}

fn a_result_that_cannot_be_received() -> Result<(), Box<dyn StdError>> {
    let (pool, begun) = (Pool::new(1)?, RawArray::new(1)?);
    pool.apply(square, 1)?;
    limit_files(fs::read_dir("/proc/self/fd")?.count() as u64 + 12)?;
    let open = |begun: RawArray<u32>| {
        begun.atomics()[0].fetch_add(1, SeqCst);
        files(40).map_err(Error::from)
    };
    let task = pool.apply_async(open, begun.clone());
    let error = task.get_timeout(LONG).err().ok_or("it works")?;
    assert!(!matches!(error, Error::TimedOut), "{error}");
    assert_eq!((begun.get(0)?, pool.apply(square, 3)?), (1, 9));
    Ok(())
}

/// While a pool has other workers, one that cannot be started is tried again.
fn a_lack_of_descriptors_that_passes_breaks_no_pool() -> Result<(), Box<dyn StdError>> {
    let (pool, barrier) = (Pool::new(2)?, Barrier::new(2)?);
    let meet = |barrier: Barrier| barrier.wait().map(|_| process::id());
    let pids = pool.tasks().chunk_size(1).map(meet, [barrier.clone(), barrier])?;
    let pid = pids.into_iter().next().ok_or("no task")??;
    limit_files(100)?;
    let mut all: Vec<_> = (0..).map_while(|_| File::open("/dev/null").ok()).collect();
    send(pid, libc::SIGKILL);
    let end = Instant::now() + 20 * SHORT; // it tries again and again
    while Instant::now() < end {
        all.extend(File::open("/dev/null")); // the descriptors of the dead worker
        assert_eq!(pool.apply(square, 3)?, 9);
    }
    let stats = pool.stats();
    assert_eq!((stats.workers, stats.restarts), (1, 0));
    drop(all);
    while pool.stats().workers < 2 {
        assert_eq!(pool.apply(square, 3)?, 9);
    }
    assert_eq!(pool.stats().restarts, 1);
    Ok(())
}

fn a_worker_that_hangs_up_is_ended() -> Outcome {
    let pool = Pool::new(1)?;
    let close_all = |_: u32| {
        // SAFETY: nothing of this worker uses a descriptor again.
        unsafe { libc::close_range(3, u32::MAX, 0) };
        park(0);
    };
    let task = pool.apply_async(close_all, 0);
    let error = task.get_timeout(LONG).err().ok_or("it works")?;
    // By the pool, or by its watch of the parent, which has lost its descriptor.
    assert!(matches!(error, Error::WorkerDied { exit_code: Some(-15 | -9), .. }), "{error}");
    assert_eq!(pool.apply(square, 3)?, 9);
    Ok(())
}

fn a_stopped_worker_holds_up_no_task() -> Outcome {
    let pool = Pool::new(2)?;
    pool.map(square, 0..1000)?; // both have started, and tasks seem to be short
    let pid = pool.apply(|()| process::id(), ())?;
    send(pid, libc::SIGSTOP);
    let ids = pool.map_async(|_: u32| process::id(), 0..1000).get_timeout(LONG)?;
    assert!(!ids.contains(&pid));
    Ok(())
}

/// The thread that led has left it to the pool's own.
fn a_time_limit_holds_while_nobody_waits() -> Outcome {
    let pool = Pool::new(1)?;
    for _ in 0..5 {
        (0..100).try_for_each(|number| pool.apply(square, number).map(drop))?;
        let task = pool.tasks().time_limit(SHORT * 10).apply_async(park, 1);
        assert!(task.get_timeout(SHORT).is_err());
        let (sender, receiver) = mpsc::channel();
        task.on_done(move |result| drop(sender.send(result)));
        assert!(matches!(receiver.recv_timeout(LONG)?, Err(Error::TimeLimit { .. })));
    }
    Ok(())
}

/// A worker is stopped, and its socket fills up with the tasks that are sent ahead.
fn full_sockets_hold_nobody_up() -> Outcome {
    let pool = Pool::new(1)?;
    pool.map(square, 0..1000)?; // tasks seem to be short
    let pid = pool.apply(|()| process::id(), ())?;
    send(pid, libc::SIGSTOP);
    let (sender, receiver) = mpsc::channel();
    thread::scope(|scope| {
        scope.spawn(|| {
            let large = pool.tasks().chunk_size(1000);
            let give = |length| large.apply_async(|text: String| text.len(), "x".repeat(length));
            let _ = sender.send((0..60).map(|n| give(n * 1000)).collect::<Vec<_>>());
        });
        let given = receiver.recv_timeout(LONG);
        send(pid, libc::SIGCONT);
        for (number, task) in given?.into_iter().enumerate() {
            assert_eq!(task.get_timeout(LONG)?, number * 1000);
        }
        Ok(())
    })
}

/// Each worker has more memory than that, also before its first task.
fn a_worker_larger_than_its_limit_does_a_task() -> Outcome {
    let pool = Pool::builder().workers(1).memory_per_worker(1).build()?;
    let task = |number| pool.apply_async(square, number).get_timeout(LONG);
    assert_eq!((task(2)?, task(3)?, pool.stats().done), (4, 9, 2));
    Ok(())
}
