//! Pools: results and their order, tasks that go wrong, limits, cancelling, the end.

use multiprocessing::{Error, Event, Lock, Pool, Queue, RawArray, Task, Value};
use std::cell::Cell;
use std::error::Error as StdError;
use std::os::fd::AsFd;
use std::panic::{self, AssertUnwindSafe};
use std::process::ExitCode;
use std::sync::atomic::Ordering::SeqCst;
use std::sync::{Arc, mpsc};
use std::task::{Context, Poll, Wake, Waker};
use std::time::{Duration, Instant};
use std::{env, fs, pin, process, thread};
use tests::even::Even;
use tests::helper::{self, LONG, SHORT, open_and_mapped, processor_time};
use tests::{Outcome, helpers, trials};

fn main() -> ExitCode {
    let trials = trials![
        results_come_in_the_order_of_the_items,
        imap_reads_ahead_no_further_than_its_window,
        a_dropped_imap_cancels_what_has_not_begun,
        imap_unordered_gives_what_is_done,
        one_task_at_a_time,
        a_task_that_panics_spoils_no_other,
        what_cannot_be_encoded_or_decoded_spoils_no_other,
        a_worker_that_dies_costs_its_task_only,
        a_task_is_run_again_only_if_asked,
        a_task_that_takes_too_long_is_ended,
        a_task_that_ignores_sigterm_is_killed,
        a_short_task_does_not_wait_behind_a_long_one,
        a_task_is_cancelled,
        a_task_can_be_asked_again,
        callbacks_are_called,
        a_task_can_be_awaited,
        workers_are_initialised_and_finalised,
        a_pool_whose_workers_cannot_start_is_broken,
        workers_are_replaced_after_their_tasks,
        workers_that_grow_are_replaced,
        workers_have_names_and_variables,
        handles_are_arguments_and_results,
        large_arguments_and_results,
        a_closed_pool_does_what_it_has,
        a_terminated_pool_cancels_what_it_has,
        a_task_has_a_pool_of_its_own,
        impossible_pools,
        threads_share_a_pool,
    ];
    let alone = helpers![
        nothing_is_left_behind,
        a_hundred_thousand_tasks_share_descriptors,
        ctrl_c_leaves_the_workers_alone,
        workers_end_with_a_parent_that_is_killed,
        an_idle_pool_costs_no_processor_time,
    ];
    helper::main(trials, alone, helpers![parent_with_workers])
}

fn square(number: u64) -> u64 {
    number * number
}

fn results_come_in_the_order_of_the_items() -> Outcome {
    let pool = Pool::new(3)?;
    let expected: Vec<_> = (0..5000).map(square).collect();
    assert_eq!(pool.map(square, 0..5000)?, expected);
    assert_eq!(pool.imap(square, 0..5000).collect::<Result<Vec<_>, _>>()?, expected);
    for chunk_size in [1, 7, 1000, 100_000] {
        assert_eq!(pool.tasks().chunk_size(chunk_size).map(square, 0..5000)?, expected);
    }
    assert_eq!(pool.map(|(a, b): (u8, u8)| a + b, [(1, 2), (3, 4)])?, [3, 7]);
    assert!(pool.map(square, [])?.is_empty() && pool.imap(square, []).next().is_none());
    let (odd, even) = (pool.map_async(square, [1, 3]), pool.map_async(square, [2, 4]));
    assert_eq!((even.get()?, odd.get()?), (vec![4, 16], vec![1, 9]));
    let pids = pool.map(|_: u32| process::id(), 0..100)?;
    assert!(!pids.contains(&process::id()));
    Ok(())
}

fn imap_reads_ahead_no_further_than_its_window() -> Outcome {
    let pool = Pool::new(2)?;
    let read = Cell::new(0u64);
    let items = (0..).inspect(|_| read.set(read.get() + 1));
    let mut results = pool.tasks().window(20).imap(square, items);
    for taken in 0..1000 {
        assert_eq!(results.next().ok_or("it ended")??, square(taken));
        assert!(read.get() - taken <= 20, "{} were read", read.get());
    }
    Ok(())
}

/// Adds 1, and waits for the event.
fn count_and_wait((count, go): (Value<u32>, Event)) {
    *count.lock().expect("no holder dies") += 1;
    go.wait();
}

fn a_dropped_imap_cancels_what_has_not_begun() -> Outcome {
    let pool = Pool::new(2)?;
    let (count, go) = (Value::new(0)?, Event::new()?);
    pool.apply(|()| (), ())?;
    let first = (count.clone(), Event::new()?);
    first.1.set();
    let items = [first].into_iter().chain((0..50).map(|_| (count.clone(), go.clone())));
    let mut results = pool.imap(count_and_wait, items);
    results.next().ok_or("it ended")??;
    drop(results);
    go.set();
    pool.join();
    assert!(*count.lock()? <= 3, "{count:?}");
    Ok(())
}

fn imap_unordered_gives_what_is_done() -> Outcome {
    let pool = Pool::new(2)?;
    let go = Event::new()?;
    let wait = |(wait, go): (bool, Event)| {
        if wait {
            go.wait();
        }
        wait
    };
    let items = [true, false, false, false].map(|wait| (wait, go.clone()));
    let mut results = pool.imap_unordered(wait, items);
    for _ in 0..3 {
        assert!(!results.next().ok_or("it ended")??);
    }
    go.set();
    assert!(results.next().ok_or("it ended")??);
    assert!(results.next().is_none());
    Ok(())
}

fn one_task_at_a_time() -> Outcome {
    let pool = Pool::new(2)?;
    assert_eq!(pool.apply(square, 12)?, 144);
    let task = pool.apply_async(square, 5);
    task.wait();
    assert!(task.is_done() && !task.is_running());
    assert_eq!(format!("{task:?}"), "Task { done: true }");
    assert_eq!(task.get()?, 25);
    assert_eq!(pool.stats().done, 2);
    Ok(())
}

fn panics_if_odd(number: u32) -> u32 {
    assert!(number.is_multiple_of(2), "{number} is odd");
    number
}

fn a_task_that_panics_spoils_no_other() -> Outcome {
    let pool = Pool::new(2)?;
    let results: Vec<_> = pool.imap(panics_if_odd, 0..100).collect();
    for (number, result) in results.into_iter().enumerate() {
        match result {
            Ok(even) => assert!(even as usize == number && number % 2 == 0),
            Err(Error::Panicked { message, location }) => {
                assert_eq!(message, format!("{number} is odd"));
                assert!(number % 2 == 1 && location.contains("pool.rs:"), "{location}");
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

fn park(_: u32) {
    loop {
        thread::park();
    }
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

fn a_short_task_does_not_wait_behind_a_long_one() -> Outcome {
    let pool = Pool::new(2)?;
    pool.map(square, 0..1000)?; // tasks seem to be short
    let go = Event::new()?;
    let wait = |(wait, go): (bool, Event)| {
        if wait {
            go.wait();
        }
    };
    let tasks: Vec<_> = (0..20).map(|n| pool.apply_async(wait, (n == 0, go.clone()))).collect();
    let mut tasks = tasks.into_iter();
    let long = tasks.next().ok_or("no task")?;
    for short in tasks {
        short.get_timeout(LONG)?;
    }
    assert!(long.is_running());
    go.set();
    long.get()?;
    Ok(())
}

fn a_task_is_cancelled() -> Outcome {
    let pool = Pool::new(1)?;
    let (running, waiting) = (pool.apply_async(park, 1), pool.apply_async(square, 2));
    let (last, cancelled) = (pool.apply_async(square, 3), pool.apply_async(square, 4));
    while !running.is_running() {
        thread::yield_now();
    }
    assert!(!running.is_done() && !waiting.is_done() && !waiting.is_running());
    cancelled.cancel();
    assert!(matches!(cancelled.get(), Err(Error::Cancelled)));
    running.cancel();
    assert!(matches!(running.get(), Err(Error::Cancelled)));
    assert_eq!((waiting.get()?, pool.stats().restarts), (4, 1));
    last.wait();
    last.cancel(); // it is done
    assert_eq!(last.get()?, 9);
    Ok(())
}

fn a_task_can_be_asked_again() -> Outcome {
    let pool = Pool::new(1)?;
    let go = Event::new()?;
    let task = pool.apply_async(|go: Event| go.wait(), go.clone());
    assert!(!task.wait_timeout(SHORT));
    assert!(matches!(task.get_timeout(SHORT), Err(Error::TimedOut)));
    go.set();
    task.get_timeout(LONG)?;
    let again = panic::catch_unwind(AssertUnwindSafe(|| task.get_timeout(LONG)));
    assert!(again.is_err() && task.is_done());
    Ok(())
}

fn callbacks_are_called() -> Outcome {
    let pool = Pool::new(2)?;
    let (sender, receiver) = mpsc::channel();
    for number in 0..10 {
        let sender = sender.clone();
        pool.apply_async(panics_if_odd, number).on_done(move |result| {
            let _ = sender.send((number, result.is_ok()));
        });
    }
    let mut called: Vec<_> = (0..10).map_while(|_| receiver.recv_timeout(LONG).ok()).collect();
    called.sort();
    assert_eq!(called, (0..10).map(|number| (number, number % 2 == 0)).collect::<Vec<_>>());
    let task = pool.map_async(square, [1, 2]);
    task.wait();
    task.on_done(move |result| {
        let _ = sender.send((result.map_or(0, |squares| squares.len() as u32), true));
    });
    assert_eq!(receiver.recv_timeout(LONG)?, (2, true));
    let go = Event::new()?; // so that the callback is called later, in a thread of the pool
    pool.apply_async(|go: Event| go.wait(), go.clone()).on_done(|_| panic!("as asked"));
    go.set();
    assert_eq!(pool.apply(square, 3)?, 9);
    a_callback_waits()
}

/// A callback that uses the pool does not keep others from using it.
fn a_callback_waits() -> Outcome {
    let (pool, sender) = (Arc::new(Pool::new(2)?), mpsc::channel());
    for number in 0..20 {
        let (inside, sender) = (Arc::clone(&pool), sender.0.clone());
        pool.apply_async(square, number).on_done(move |result| {
            let again = result.and_then(|number| inside.apply(square, number));
            let _ = sender.send(again.unwrap_or(0));
        });
        assert_eq!(pool.apply(square, number)?, square(number));
    }
    let sum: u64 = sender.1.iter().take(20).sum();
    assert_eq!(sum, (0..20).map(|number| square(square(number))).sum());
    Ok(())
}

struct Unpark(thread::Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

fn block_on<R>(future: impl Future<Output = R>) -> R {
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut future = pin::pin!(future);
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(result) => return result,
            Poll::Pending => thread::park(),
        }
    }
}

fn a_task_can_be_awaited() -> Outcome {
    let pool = Pool::new(2)?;
    let sum = async {
        let (one, two) = (pool.apply_async(square, 3), pool.map_async(square, [4, 5]));
        Ok::<_, Error>(one.await? + two.await?.iter().sum::<u64>())
    };
    assert_eq!(block_on(sum)?, 50);
    assert!(matches!(block_on(pool.apply_async(panics_if_odd, 1)), Err(Error::Panicked { .. })));
    Ok(())
}

fn workers_are_initialised_and_finalised() -> Outcome {
    thread_local! {
        static GREETING: Cell<Option<(String, u32)>> = const { Cell::new(None) };
    }
    fn note((greeting, ends): (String, RawArray<u32>)) {
        GREETING.set(Some((greeting, process::id())));
        // For the finalizer, which takes nothing.
        ENDS.with(|kept| kept.set(Some(ends)));
    }
    thread_local! {
        static ENDS: Cell<Option<RawArray<u32>>> = const { Cell::new(None) };
    }
    fn end() {
        let ends = ENDS.take().expect("the initializer was called");
        ends.atomics()[0].fetch_add(1, SeqCst);
    }
    let ends = RawArray::new(1)?;
    let pool =
        Pool::builder().workers(2).initializer(note, ("hi".into(), ends.clone())).finalizer(end);
    let pool = pool.build()?;
    let greeting = |_: u32| {
        let noted = GREETING.take();
        GREETING.set(noted.clone());
        noted
    };
    for noted in pool.map(greeting, 0..50)? {
        let (greeting, pid) = noted.ok_or("it was not initialised")?;
        assert!(greeting == "hi" && pid != process::id());
    }
    pool.join();
    assert_eq!(ends.get(0)?, 2);
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

fn workers_are_replaced_after_their_tasks() -> Outcome {
    let pool = Pool::builder().workers(2).tasks_per_worker(5).build()?;
    let mut pids = pool.map(|_: u32| process::id(), 0..50)?;
    pids.sort();
    assert!(pids.chunk_by(|a, b| a == b).all(|same| same.len() <= 5));
    assert!(pool.stats().restarts >= 8);
    Ok(())
}

fn workers_that_grow_are_replaced() -> Outcome {
    let pool = Pool::builder().workers(1).memory_per_worker(64 << 20).build()?;
    let leak = |megabytes: usize| {
        vec![1u8; megabytes << 20].leak();
        process::id()
    };
    let (first, second) = (pool.apply(leak, 1)?, pool.apply(leak, 100)?);
    assert_eq!(first, second);
    assert_ne!(pool.apply(leak, 1)?, first);
    Ok(())
}

fn workers_have_names_and_variables() -> Outcome {
    let pool = Pool::builder().workers(1).name("helper").env("OMP_NUM_THREADS", "1").build()?;
    let tell = |()| {
        (multiprocessing::current_process().name().to_string(), env::var("OMP_NUM_THREADS").ok())
    };
    assert_eq!(pool.apply(tell, ())?, ("helper-1".into(), Some("1".into())));
    let server = multiprocessing::ForkServer::start()?;
    let pool = Pool::builder().workers(2).fork_server(server).build()?;
    assert_eq!(pool.map(square, [1, 2])?, [1, 4]);
    assert!(Pool::builder().build()?.stats().workers >= 1);
    Ok(())
}

fn handles_are_arguments_and_results() -> Outcome {
    let pool = Pool::new(2)?;
    let (queue, lock) = (Queue::new(100)?, Lock::new()?);
    let put = |(queue, lock, number): (Queue<u32>, Lock, u32)| -> Result<(), Error> {
        let _guard = lock.acquire()?;
        Ok(queue.put(number)?)
    };
    let items = (0..50).map(|number| (queue.clone(), lock.clone(), number));
    pool.map(put, items)?.into_iter().collect::<Result<(), _>>()?;
    queue.close();
    let mut got: Vec<_> = queue.iter().collect::<Result<_, _>>()?;
    got.sort();
    assert_eq!(got, (0..50).collect::<Vec<_>>());
    let (ours, theirs) = multiprocessing::pipe::<u32, u32>()?;
    let back =
        pool.apply(|connection: multiprocessing::Connection<u32, u32>| connection, theirs)?;
    ours.send(5)?;
    assert_eq!(back.recv()?, 5);
    drop(back);
    // Nobody keeps the other end: neither the pool nor a worker that is told something new.
    pool.map(square, 0..100)?;
    assert!(multiprocessing::wait(&[ours.as_fd()], Some(LONG))? == [0] && ours.recv().is_err());
    Ok(())
}

fn large_arguments_and_results() -> Outcome {
    let pool = Pool::new(2)?;
    let double = |bytes: Vec<u8>| bytes.repeat(2);
    let items: Vec<_> = (0..6).map(|n| vec![n as u8; 1 << (4 * n)]).collect();
    let expected: Vec<_> = items.iter().map(|bytes| bytes.repeat(2)).collect();
    assert_eq!(pool.map(double, items)?, expected);
    Ok(())
}

fn a_closed_pool_does_what_it_has() -> Outcome {
    let pool = Pool::new(2)?;
    let tasks: Vec<_> = (0..100).map(|number| pool.apply_async(square, number)).collect();
    pool.close();
    assert!(matches!(pool.apply(square, 1), Err(Error::Closed)));
    assert!(matches!(pool.map(square, [1]), Err(Error::Closed)));
    pool.join();
    let squares: Vec<_> = tasks.into_iter().map(Task::get).collect::<Result<_, _>>()?;
    assert_eq!(squares, (0..100).map(square).collect::<Vec<_>>());
    Ok(())
}

fn a_terminated_pool_cancels_what_it_has() -> Outcome {
    let pool = Pool::new(2)?;
    let tasks: Vec<_> = (0..10).map(|number| pool.apply_async(park, number)).collect();
    while pool.stats().running < 2 {
        thread::yield_now();
    }
    pool.terminate();
    for task in tasks {
        assert!(matches!(task.get(), Err(Error::Cancelled)));
    }
    assert!(matches!(pool.apply(square, 1), Err(Error::Closed)));
    pool.join();
    Ok(())
}

fn a_task_has_a_pool_of_its_own() -> Outcome {
    let pool = Pool::new(2)?;
    let sum = |count: u64| -> Result<u64, Error> {
        Ok(Pool::new(2)?.map(square, 0..count)?.iter().sum())
    };
    assert_eq!(pool.map(sum, [3, 4])?.into_iter().collect::<Result<Vec<_>, _>>()?, [5, 14]);
    Ok(())
}

fn impossible_pools() -> Outcome {
    assert!(matches!(Pool::new(0), Err(Error::System { .. })));
    Ok(())
}

fn threads_share_a_pool() -> Outcome {
    let pool = Pool::new(2)?;
    let work = || -> Result<(), Error> {
        for number in 0..200 {
            assert_eq!(pool.apply(square, number)?, square(number));
            assert_eq!(pool.map(square, [number, 2])?, [square(number), 4]);
        }
        Ok(())
    };
    let done: Vec<_> = thread::scope(|scope| {
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(work)).collect();
        threads.into_iter().map(thread::ScopedJoinHandle::join).collect()
    });
    for result in done {
        result.map_err(|_| "it panicked")??;
    }
    Ok(())
}

/// The processes whose parent this one is (proc_pid_task_children(5)).
fn children() -> std::io::Result<String> {
    fs::read_to_string(format!("/proc/self/task/{}/children", process::id()))
}

fn nothing_is_left_behind() -> Result<(), Box<dyn StdError>> {
    let round = || -> Result<(), Error> {
        let pool = Pool::new(2)?;
        pool.map(square, 0..100)?;
        let queue = Queue::new(1)?;
        pool.apply(|queue: Queue<u32>| queue.len(), queue)?;
        let _ = pool.apply(fate, 10);
        drop(pool.apply_async(park, 1));
        Ok(())
    };
    round()?;
    let before = open_and_mapped()?;
    for _ in 0..5 {
        round()?;
    }
    assert_eq!(open_and_mapped()?.0, before.0);
    assert_eq!(children()?, "");
    Ok(())
}

fn a_hundred_thousand_tasks_share_descriptors() -> Result<(), Box<dyn StdError>> {
    let pool = Pool::new(2)?;
    let before = open_and_mapped()?.0;
    let count = RawArray::new(1)?;
    let add = |count: RawArray<u32>| count.atomics()[0].fetch_add(1, SeqCst);
    let task = pool.map_async(add, (0..100_000).map(|_| count.clone()));
    assert!(open_and_mapped()?.0 <= before + 4);
    task.get()?;
    assert_eq!(count.get(0)?, 100_000);
    Ok(())
}

fn ctrl_c_leaves_the_workers_alone() -> Result<(), Box<dyn StdError>> {
    let pool = Pool::new(2)?;
    let pids = pool.map(|_: u32| process::id(), 0..100)?;
    // SAFETY: to ignore a signal installs no function.
    unsafe { libc::signal(libc::SIGINT, libc::SIG_IGN) };
    for pid in &pids {
        // SAFETY: the worker is not reaped before the pool ends.
        assert_eq!(unsafe { libc::kill(*pid as i32, libc::SIGINT) }, 0);
    }
    assert_eq!(pool.map(square, 0..100)?.len(), 100);
    assert_eq!(pool.stats().restarts, 0);
    Ok(())
}

/// Prints the ids of its workers, and waits to be killed.
fn parent_with_workers() -> Result<(), Box<dyn StdError>> {
    let pool = Pool::new(2)?;
    let _task = pool.apply_async(park, 0);
    let pid = pool.apply(|()| process::id(), ())?;
    println!("{pid}");
    loop {
        thread::park();
    }
}

fn workers_end_with_a_parent_that_is_killed() -> Result<(), Box<dyn StdError>> {
    use std::io::{BufRead, BufReader};
    let mut command = helper::command("parent_with_workers");
    let mut parent = command.stdout(process::Stdio::piped()).spawn()?;
    let mut output = BufReader::new(parent.stdout.take().ok_or("no output")?);
    let mut pid = String::new();
    output.read_line(&mut pid)?;
    parent.kill()?;
    parent.wait()?;
    // The workers hold the output, too: its end comes when all have ended.
    let mut rest = String::new();
    output.read_line(&mut rest)?;
    assert_eq!(rest, "");
    assert!(!fs::exists(format!("/proc/{}/exe", pid.trim()))?);
    Ok(())
}

/// Also after a worker did not begin what it was given.
fn an_idle_pool_costs_no_processor_time() -> Result<(), Box<dyn StdError>> {
    let pool = Pool::new(1)?;
    let pid = pool.apply(|()| process::id(), ())? as i32;
    // SAFETY: both take two numbers. The worker is not reaped before the pool ends.
    let signal = |signal| assert_eq!(unsafe { libc::kill(pid, signal) }, 0);
    signal(libc::SIGSTOP);
    let task = pool.apply_async(square, 1);
    task.cancel();
    assert!(matches!(task.get(), Err(Error::Cancelled)));
    signal(libc::SIGCONT);
    let before = processor_time()?;
    assert!(!Event::new()?.wait_timeout(Duration::from_millis(500)));
    let spent = processor_time()? - before;
    assert!(spent < Duration::from_millis(100), "{spent:?}");
    assert_eq!(pool.apply(square, 3)?, 9);
    Ok(())
}
