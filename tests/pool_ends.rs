//! Pools: cancelling, closing, ending, and what is left then.

use multiprocessing::{Error, Event, Pool, Queue, RawArray, Semaphore, Task, Value};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, fork};
use std::error::Error as StdError;
use std::process::{self, ExitCode};
use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;
use std::{collections::BTreeSet, fs, sync::mpsc, thread};
use tests::helper::{self, LONG, children, open_and_mapped, pass, processor_time, until};
use tests::tasks::{park, send, square};
use tests::{Outcome, helpers, trials};

fn main() -> ExitCode {
    let trials = trials![
        a_dropped_imap_cancels_what_has_not_begun,
        a_task_is_cancelled,
        a_closed_pool_does_what_it_has,
        a_terminated_pool_cancels_what_it_has,
        workers_that_start_keep_their_initializer,
        a_closed_pool_shares_what_has_not_begun,
        a_cancel_is_never_lost,
        waiting_tasks_are_cancelled_one_by_one,
        a_terminated_pool_begins_nothing_again,
        a_closed_pool_replaces_workers,
        a_terminated_pool_replaces_none,
        a_pool_can_always_be_terminated,
        callbacks_hear_of_the_end,
    ];
    let alone = helpers![
        cancelling_takes_no_longer_if_many_wait,
        nothing_is_left_behind,
        a_forked_copy_leaves_the_pool_alone,
        ctrl_c_leaves_the_workers_alone,
        workers_end_with_a_parent_that_is_killed,
    ];
    helper::main(trials, alone, helpers![parent_with_workers])
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

fn nothing_is_left_behind() -> Result<(), Box<dyn StdError>> {
    let round = || -> Result<(), Error> {
        let pool = Pool::new(2)?;
        pool.map(square, 0..100)?;
        let queue = Queue::new(1)?;
        pool.apply(|queue: Queue<u32>| queue.len(), queue)?;
        let _ = pool.apply(|()| -> () { process::abort() }, ());
        drop(pool.apply_async(park, 1));
        Ok(())
    };
    round()?;
    let before = open_and_mapped()?;
    for _ in 0..5 {
        round()?;
    }
    assert_eq!(open_and_mapped()?.0, before.0);
    assert_eq!(children()?, []);
    Ok(())
}

fn ctrl_c_leaves_the_workers_alone() -> Result<(), Box<dyn StdError>> {
    let pool = Pool::new(2)?;
    let pids = pool.map(|_: u32| process::id(), 0..100)?;
    // SAFETY: to ignore a signal installs no function.
    unsafe { libc::signal(libc::SIGINT, libc::SIG_IGN) };
    for pid in &pids {
        send(*pid, libc::SIGINT);
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

fn workers_that_start_keep_their_initializer() -> Outcome {
    let pool = Pool::new(2)?;
    pool.cancel_waiting();
    assert_eq!(pool.apply_async(square, 3).get_timeout(LONG)?, 9);
    Ok(())
}

/// The idle workers of a closed pool stay while another one has tasks that it has not begun.
fn a_closed_pool_shares_what_has_not_begun() -> Outcome {
    let pool = Pool::new(2)?;
    pool.map(square, 0..1000)?; // both have started
    let (go, done) = (Event::new()?, Semaphore::new(0)?);
    let wait = |(number, go, done): (u32, Event, Semaphore)| {
        if number == 0 {
            go.wait();
        }
        done.release();
    };
    let items = (0..20).map(|number| (number, go.clone(), done.clone()));
    let task = pool.tasks().chunk_size(1000).map_async(wait, items);
    pool.close(); // one worker has all
    for _ in 1..20 {
        done.acquire_timeout(LONG).ok_or("it waits behind the first")?.forget();
    }
    go.set();
    task.get()?;
    Ok(())
}

/// Whatever the instant of the task's life at which it comes.
fn a_cancel_is_never_lost() -> Outcome {
    let pool = Pool::new(1)?;
    let spin = |micros| pass(Duration::from_micros(micros));
    for number in 0..100 {
        pool.map(square, 0..100)?; // tasks seem to be short, so they are sent ahead
        let (before, task) = (pool.apply_async(spin, 40), pool.apply_async(park, 1));
        spin(number * 37 % 100);
        task.cancel();
        assert!(matches!(task.get_timeout(LONG), Err(Error::Cancelled)));
        before.get_timeout(LONG)?;
    }
    Ok(())
}

/// A pool whose only worker waits for the event.
fn held_up() -> Result<(Pool, Event, Task<()>), Error> {
    let (pool, go) = (Pool::new(1)?, Event::new()?);
    let running = pool.apply_async(|go: Event| go.wait(), go.clone());
    while !running.is_running() {
        thread::yield_now();
    }
    Ok((pool, go, running))
}

fn waiting_tasks_are_cancelled_one_by_one() -> Outcome {
    let (pool, go, running) = held_up()?;
    let give = |numbers: std::ops::Range<u64>| numbers.map(|n| pool.apply_async(square, n));
    let mut tasks: Vec<_> = give(0..300).collect();
    let together = pool.map_async(square, 0..100);
    tasks.extend(give(300..600));
    for task in tasks.iter().skip(1).step_by(2) {
        task.cancel();
        assert!(task.has_failed());
    }
    assert_eq!(pool.stats().waiting, 400);
    together.cancel();
    assert!(together.has_failed());
    assert_eq!((pool.stats().waiting, pool.stats().done), (300, 400));
    go.set();
    running.get()?;
    for (number, task) in (0..).zip(tasks) {
        match task.get() {
            Err(Error::Cancelled) => assert_eq!(number % 2, 1),
            result => assert_eq!(result?, square(number)),
        }
    }
    assert!(matches!(together.get(), Err(Error::Cancelled)));
    assert_eq!((pool.stats().waiting, pool.stats().done), (0, 701));
    Ok(())
}

fn cancelling_takes_no_longer_if_many_wait() -> Result<(), Box<dyn StdError>> {
    let (pool, ..) = held_up()?;
    let tasks: Vec<_> = (0..20_000).map(|number| pool.apply_async(square, number)).collect();
    let before = processor_time()?;
    tasks.iter().for_each(Task::cancel);
    let spent = processor_time()? - before;
    assert!(spent < Duration::from_secs(2), "{spent:?}");
    Ok(())
}

fn a_terminated_pool_begins_nothing_again() -> Outcome {
    let begin = |(begun, number): (RawArray<u32>, usize)| {
        begun.atomics()[number].fetch_add(1, SeqCst);
    };
    for instant in 0..30 {
        let (pool, begun) = (Pool::new(2)?, RawArray::new(300)?);
        pool.map(square, 0..50)?;
        let items = (0..300).map(|number| (begun.clone(), number));
        let tasks = pool.tasks().retries(3).map_async(begin, items);
        pass(Duration::from_micros(instant * 137 % 2000));
        pool.terminate();
        pool.join();
        assert!(begun.to_vec().iter().all(|times| *times <= 1), "{begun:?}");
        assert!(matches!(tasks.get(), Ok(_) | Err(Error::Cancelled)));
    }
    Ok(())
}

/// Those that have done all tasks of their life, while others wait.
fn a_closed_pool_replaces_workers() -> Outcome {
    let (pool, go) = (Pool::builder().workers(3).tasks_per_worker(1).build()?, Event::new()?);
    let wait = |go: Event| {
        go.wait();
        process::id()
    };
    let tasks: Vec<_> = (0..7).map(|_| pool.apply_async(wait, go.clone())).collect();
    while pool.stats().running < 3 {
        thread::yield_now();
    }
    pool.close();
    go.set();
    let ids = tasks.iter().map(|task| task.get_timeout(LONG)).collect::<Result<BTreeSet<_>, _>>();
    pool.join();
    let ids = ids?;
    assert!(ids.len() == 7 && !ids.contains(&process::id()), "{ids:?}");
    Ok(())
}

fn a_terminated_pool_replaces_none() -> Outcome {
    let (pool, count) = (Pool::builder().workers(1).tasks_per_worker(1).build()?, Value::new(0)?);
    let go = Event::new()?;
    let give = |_| pool.apply_async(count_and_wait, (count.clone(), go.clone()));
    let tasks: Vec<_> = (0..3).map(give).collect();
    until(|| Ok(*count.lock()? == 1))?;
    pool.terminate();
    assert!(tasks.into_iter().all(|task| matches!(task.get(), Err(Error::Cancelled))));
    until(|| Ok(pool.stats().workers == 0))?;
    assert_eq!((*count.lock()?, pool.stats().restarts), (1, 0));
    pool.join();
    Ok(())
}

/// Before its workers have started, when it has none, when it is closed, and again.
fn a_pool_can_always_be_terminated() -> Outcome {
    let just_made = || Pool::new(2);
    let broken = || -> Result<Pool, Error> {
        let pool = Pool::builder().workers(2).initializer(|()| process::exit(4), ()).build()?;
        assert!(matches!(pool.apply(square, 3), Err(Error::PoolBroken { .. })));
        Ok(pool)
    };
    let without_workers = || -> Result<Pool, Error> {
        let pool = Pool::new(2)?;
        pool.map(|_: u32| -> () { process::exit(4) }, 0..2).expect_err("they exit");
        Ok(pool)
    };
    for pool in [just_made()?, broken()?, without_workers()?] {
        for _ in 0..2 {
            pool.terminate();
            let error = pool.apply_async(square, 3).get_timeout(LONG).err();
            assert!(matches!(error, Some(Error::Closed | Error::PoolBroken { .. })), "{error:?}");
            pool.close();
        }
        until(|| Ok(pool.stats().workers == 0))?;
        pool.join();
    }
    Ok(())
}

fn callbacks_hear_of_the_end() -> Outcome {
    let (pool, _go, running) = held_up()?;
    let (sender, receiver) = mpsc::channel();
    let tell = move |result: Result<(), Error>| drop(sender.send(result));
    let tell_many = tell.clone();
    running.on_done(tell.clone());
    pool.apply_async(|()| (), ()).on_done(tell);
    pool.map_async(square, 0..9).on_done(move |result| tell_many(result.map(drop)));
    pool.terminate();
    for _ in 0..3 {
        assert!(matches!(receiver.recv_timeout(LONG)?, Err(Error::Cancelled)));
    }
    assert!(receiver.recv_timeout(LONG).is_err());
    Ok(())
}

fn a_forked_copy_leaves_the_pool_alone() -> Result<(), Box<dyn StdError>> {
    let pool = Pool::new(2)?;
    assert_eq!(pool.apply(square, 3)?, 9);
    // SAFETY: the child drops what does nothing in a copy, and exits.
    match unsafe { fork() }? {
        ForkResult::Child => {
            drop(pool);
            // SAFETY: this ends the process at once.
            unsafe { libc::_exit(7) }
        }
        ForkResult::Parent { child } => {
            assert_eq!(waitpid(child, None)?, WaitStatus::Exited(child, 7));
            assert_eq!(pool.apply_async(square, 4).get_timeout(LONG)?, 16);
            pool.join();
            Ok(())
        }
    }
}
