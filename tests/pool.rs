//! Pools: results and their order, workers, arguments.

use multiprocessing::{Barrier, Descriptor, Error, Event, Lock, Pool, Queue, RawArray};
use std::cell::Cell;
use std::env;
use std::error::Error as StdError;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::panic::{self, AssertUnwindSafe};
use std::process::{self, ExitCode};
use std::sync::atomic::Ordering::SeqCst;
use std::thread;
use tests::helper::{self, LONG, open_and_mapped};
use tests::tasks::{send, square};
use tests::{Outcome, helpers, trials};

fn main() -> ExitCode {
    let trials = trials![
        results_come_in_the_order_of_the_items,
        imap_reads_ahead_no_further_than_its_window,
        an_imap_whose_items_panic_ends,
        imap_unordered_gives_what_is_done,
        one_task_at_a_time,
        a_short_task_does_not_wait_behind_a_long_one,
        an_answer_does_not_wait_behind_a_long_task,
        answers_of_all_kinds_come_in_order,
        workers_are_initialised_and_finalised,
        workers_are_replaced_after_their_tasks,
        a_worker_does_all_tasks_of_its_life,
        a_task_that_was_taken_back_is_none_of_its_life,
        workers_that_grow_are_replaced,
        workers_have_names_and_variables,
        handles_are_arguments_and_results,
        a_worker_forgets_descriptors,
        large_arguments_and_results,
        a_task_has_a_pool_of_its_own,
    ];
    let alone = helpers![a_hundred_thousand_tasks_share_descriptors,];
    helper::main(trials, alone, &[])
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

fn an_imap_whose_items_panic_ends() -> Outcome {
    let pool = Pool::new(2)?;
    let items = (0..1000).inspect(|number| assert!(*number != 550, "as asked"));
    let mut results = pool.tasks().window(400).imap(square, items);
    let mut next = || panic::catch_unwind(AssertUnwindSafe(|| results.next()));
    let mut squares = vec![];
    while let Ok(result) = next() {
        squares.push(result.ok_or("it ended")??);
    }
    while let Some(result) = next().map_err(|_| "it panics again")? {
        squares.push(result?);
    }
    assert_eq!(squares, (0..550).map(square).collect::<Vec<_>>());
    assert_eq!(pool.apply(square, 3)?, 9);
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

/// Answers to short tasks are left in shared memory, and the worker has no time to call the pool.
fn an_answer_does_not_wait_behind_a_long_task() -> Outcome {
    let pool = Pool::new(1)?;
    let go = Event::new()?;
    let wait = |(number, go): (usize, Option<Event>)| {
        if let Some(go) = go {
            go.wait();
        }
        number
    };
    for long in (100..2000).step_by(100) {
        pool.map(square, 0..1000)?; // tasks seem to be short
        let items = (0..2000).map(|number| (number, (number == long).then(|| go.clone())));
        let mut results = pool.imap(wait, items);
        for number in 0..long {
            assert_eq!(results.next().ok_or("it ended")??, number);
        }
        go.set();
        assert_eq!(results.next().ok_or("it ended")??, long);
        go.clear();
    }
    Ok(())
}

/// Those that are long or hold a descriptor do not go through shared memory.
fn answers_of_all_kinds_come_in_order() -> Outcome {
    let pool = Pool::new(2)?;
    pool.map(square, 0..1000)?; // tasks seem to be short
    let answer = |number: usize| -> (usize, Vec<u8>, Option<Event>) {
        assert!(number % 1000 != 999, "{number} panics");
        let event = (number % 100 == 50).then(|| Event::new().expect("a few are not too many"));
        (number, vec![number as u8; length(number)], event)
    };
    for (number, answered) in pool.imap(answer, 0..3000).enumerate() {
        match answered {
            Ok((of, bytes, event)) => {
                assert_eq!((of, event.is_some()), (number, number % 100 == 50));
                assert!(bytes.iter().all(|byte| *byte == number as u8));
                assert_eq!(bytes.len(), length(number));
            }
            Err(Error::Panicked { message, .. }) => assert_eq!(message, format!("{number} panics")),
            Err(other) => return Err(other.into()),
        }
    }
    Ok(())
}

fn length(number: usize) -> usize {
    match number % 100 {
        0 => 30_000,
        rest => rest % 10,
    }
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

fn workers_are_replaced_after_their_tasks() -> Outcome {
    let pool = Pool::builder().workers(2).tasks_per_worker(5).build()?;
    let mut pids = pool.map(|_: u32| process::id(), 0..50)?;
    pids.sort();
    assert!(pids.chunk_by(|a, b| a == b).all(|same| same.len() <= 5));
    assert!(pool.stats().restarts >= 8);
    Ok(())
}

fn a_worker_does_all_tasks_of_its_life() -> Outcome {
    let pool = Pool::builder().workers(1).tasks_per_worker(3).build()?;
    let ask = |_| pool.apply(|()| process::id(), ());
    let pids = (0..9).map(ask).collect::<Result<Vec<_>, _>>()?;
    let lives: Vec<_> = pids.chunk_by(|a, b| a == b).collect();
    assert_eq!(lives.iter().map(|life| life.len()).collect::<Vec<_>>(), [3, 3, 3]);
    assert!(lives[0] != lives[2] && !pids.contains(&process::id()));
    Ok(())
}

/// A stopped worker is given a task, which another does in its place. So it may still do one.
fn a_task_that_was_taken_back_is_none_of_its_life() -> Outcome {
    let pool = Pool::builder().workers(2).tasks_per_worker(2).build()?;
    let meet = |barrier: Barrier| barrier.wait().map(|_| process::id());
    let meeting = || -> Result<Vec<u32>, Error> {
        pool.tasks().chunk_size(1).map(meet, vec![Barrier::new(2)?; 2])?.into_iter().collect()
    };
    let pid = meeting()?[0];
    send(pid, libc::SIGSTOP);
    let others = pool.map(|_| process::id(), [(); 2])?;
    send(pid, libc::SIGCONT);
    assert!(!others.contains(&pid) && meeting()?.contains(&pid));
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
    let cores = thread::available_parallelism()?.get();
    assert_eq!(Pool::builder().build()?.stats().workers, cores);
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

/// Also if no other task comes.
fn a_worker_forgets_descriptors() -> Outcome {
    let pool = Pool::new(1)?;
    let (mut reader, writer) = io::pipe()?;
    let write = |writer: Descriptor| File::from(writer.into_fd()).write(b"done").is_ok();
    assert!(pool.apply(write, writer.into())?);
    let mut text = [0; 8];
    assert_eq!(reader.read(&mut text)?, 4);
    assert_eq!(multiprocessing::wait(&[&reader], Some(LONG))?, [0]);
    assert_eq!(reader.read(&mut text)?, 0);
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

fn a_task_has_a_pool_of_its_own() -> Outcome {
    let pool = Pool::new(2)?;
    let sum = |count: u64| -> Result<u64, Error> {
        Ok(Pool::new(2)?.map(square, 0..count)?.iter().sum())
    };
    assert_eq!(pool.map(sum, [3, 4])?.into_iter().collect::<Result<Vec<_>, _>>()?, [5, 14]);
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
