//! Pools: the items of one call: none, some that go wrong, and what waits for all of them.

use multiprocessing::{
    Error, Event, Executor, Pool, RawArray, ThreadPoolExecutor, WaitFor, wait_for_tasks,
};
use std::iter;
use std::panic::{self, AssertUnwindSafe};
use std::process::{self, ExitCode};
use std::sync::{atomic::Ordering::SeqCst, mpsc};
use tests::even::Even;
use tests::helper::{self, LONG, until};
use tests::tasks::square;
use tests::{Outcome, trials};

fn main() -> ExitCode {
    let trials = trials![
        nothing_to_do_is_done,
        items_end_where_they_end_first,
        sizes_of_zero_are_one,
        imap_unordered_gives_each_result_once,
        a_map_whose_items_panic_spoils_nothing,
        an_imap_unordered_whose_items_panic_ends,
        a_map_of_what_cannot_be_encoded_ends,
        a_map_with_an_error_waits_for_all,
        a_callback_of_many_tasks_is_called_once,
        a_callback_of_many_tasks_has_their_first_error,
    ];
    helper::main(trials, &[], &[])
}

fn squares(count: u64) -> Vec<u64> {
    (0..count).map(square).collect()
}

fn nothing_to_do_is_done() -> Outcome {
    let pool = Pool::new(1)?;
    let tasks = pool.tasks().chunk_size(1);
    let none = || tasks.map_async(square, []);
    assert!(none().get_timeout(LONG)?.is_empty());
    assert!(none().is_done() && !none().has_failed());
    assert_eq!(wait_for_tasks(&[none()], WaitFor::All, Some(LONG)), [0]);
    let (sender, receiver) = mpsc::channel();
    none().on_done(move |result| drop(sender.send(result)));
    assert!(receiver.recv_timeout(LONG)??.is_empty());
    assert!(tasks.map(square, [])?.is_empty());
    assert!(tasks.imap(square, []).next().is_none());
    assert!(tasks.imap_unordered(square, []).next().is_none());
    pool.join();
    Ok(())
}

/// An iterator may have more after its end, as the lines of a terminal have. Nobody asks for it.
fn items_end_where_they_end_first() -> Outcome {
    let items = || {
        let mut next = 0..8;
        iter::from_fn(move || next.next().filter(|number| number % 4 != 3))
    };
    let (pool, threads) = (Pool::new(1)?, ThreadPoolExecutor::new(1)?);
    assert_eq!(pool.map(square, items())?, [0, 1, 4]);
    assert_eq!(pool.imap(square, items()).collect::<Result<Vec<_>, _>>()?, [0, 1, 4]);
    assert_eq!(threads.map(square, items()).collect::<Result<Vec<_>, _>>()?, [0, 1, 4]);
    Ok(())
}

fn sizes_of_zero_are_one() -> Outcome {
    let pool = Pool::new(2)?;
    let tasks = pool.tasks().chunk_size(0).window(0);
    assert_eq!(tasks.map_async(square, 0..10).get_timeout(LONG)?, squares(10));
    assert_eq!(tasks.imap(square, 0..10).collect::<Result<Vec<_>, _>>()?, squares(10));
    assert_eq!(tasks.imap_unordered(square, 0..10).collect::<Result<Vec<_>, _>>()?, squares(10));
    let executor = ThreadPoolExecutor::new(2)?;
    let results = executor.map_window(square, 0..10, 0);
    assert_eq!(results.collect::<Result<Vec<_>, _>>()?, squares(10));
    Ok(())
}

fn imap_unordered_gives_each_result_once() -> Outcome {
    let pool = Pool::new(3)?;
    for chunk_size in [1, 7, 100, 1000] {
        let tasks = pool.tasks().chunk_size(chunk_size);
        let mut results: Vec<_> =
            tasks.imap_unordered(square, 0..3000).collect::<Result<_, _>>()?;
        results.sort();
        assert_eq!(results, squares(3000));
    }
    Ok(())
}

/// The first numbers. Instead of this one, there is a panic.
fn until_panic(when: u64) -> impl Iterator<Item = u64> {
    (0..1000).inspect(move |number| assert!(*number != when, "item {when}"))
}

/// What was panicked with, if something was.
fn panic_of<T>(f: impl FnOnce() -> T) -> Option<String> {
    let payload = panic::catch_unwind(AssertUnwindSafe(f)).err()?;
    payload.downcast().ok().map(|text| *text)
}

fn a_map_whose_items_panic_spoils_nothing() -> Outcome {
    let pool = Pool::new(2)?;
    for when in [0, 0, 3, 16, 600] {
        let said = panic_of(|| pool.tasks().chunk_size(1).map(square, until_panic(when)));
        assert_eq!(said, Some(format!("item {when}")));
        let said = panic_of(|| pool.map_async(square, until_panic(when)));
        assert_eq!(said, Some(format!("item {when}")));
        assert_eq!(pool.map(square, 0..20)?, squares(20));
    }
    pool.join();
    Ok(())
}

/// With a window of 2, it reads each item alone, and with a larger one several in a step. It gives
/// the results of all before the panic.
fn an_imap_unordered_whose_items_panic_ends() -> Outcome {
    let pool = Pool::new(2)?;
    for (window, when) in [(2, 2), (2, 3), (2, 100), (1000, 7), (1000, 100)] {
        let mut results = pool.tasks().window(window).imap_unordered(square, until_panic(when));
        let (mut found, mut panics) = (vec![], 0);
        loop {
            match panic::catch_unwind(AssertUnwindSafe(|| results.next())) {
                Ok(Some(result)) => found.push(result?),
                Ok(None) => break,
                Err(_) => panics += 1,
            }
        }
        found.sort();
        assert_eq!((found, panics), (squares(when), 1));
        assert!(results.next().is_none());
    }
    assert_eq!(pool.apply(square, 3)?, 9);
    Ok(())
}

fn a_map_of_what_cannot_be_encoded_ends() -> Outcome {
    let pool = Pool::new(2)?;
    let number = |Even(number): Even| number;
    let items = || vec![Even(13); 10];
    let task = pool.map_async(number, items());
    assert!(matches!(task.get_timeout(LONG), Err(Error::Encode { .. })));
    let (sender, receiver) = mpsc::channel();
    pool.map_async(number, items()).on_done(move |result| drop(sender.send(result)));
    assert!(matches!(receiver.recv_timeout(LONG)?, Err(Error::Encode { .. })));
    let unordered = pool.imap_unordered(number, items());
    let failed = unordered.filter(|result| matches!(result, Err(Error::Encode { .. }))).count();
    assert_eq!((failed, pool.map(number, vec![Even(4)])?), (10, vec![4]));
    pool.join();
    Ok(())
}

/// Has an error of a megabyte as number 0. Any other waits, and notes who did it.
fn fail_or_note((number, go, notes): (usize, Event, RawArray<u32>)) {
    if number == 0 {
        panic::resume_unwind(Box::new("x".repeat(1 << 20))); // it prints nothing
    }
    go.wait();
    notes.atomics()[number].store(process::id(), SeqCst);
}

fn a_map_with_an_error_waits_for_all() -> Outcome {
    let pool = Pool::new(2)?;
    let (go, notes) = (Event::new()?, RawArray::new(8)?);
    let items = (0..8).map(|number| (number, go.clone(), notes.clone()));
    let task = pool.tasks().chunk_size(1).map_async(fail_or_note, items);
    until(|| Ok(pool.stats().done == 1))?;
    assert!(!task.is_done());
    go.set();
    task.wait();
    let notes = notes.to_vec();
    assert!(notes[1..].iter().all(|pid| ![0, process::id()].contains(pid)), "{notes:?}");
    let Err(Error::Panicked { message, .. }) = task.get() else { return Err("no error".into()) };
    assert_eq!(message.len(), 1 << 20);
    pool.join();
    Ok(())
}

/// As number 5, it waits. As number 3 or 4, it panics if it is to.
fn wait_as_5((number, go, is_to_panic): (u32, Event, bool)) -> (u32, u32) {
    if number == 5 {
        go.wait();
    }
    assert!(!is_to_panic || ![3, 4].contains(&number), "{number} panics");
    (number, process::id())
}

/// What the callback of a `map` is called with, which must be once, and after all of its tasks.
fn called_with(pool: &Pool, is_to_panic: bool) -> Result<Called, libtest_mimic::Failed> {
    let (go, before) = (Event::new()?, pool.stats().done);
    let items = (0..10).map(|number| (number, go.clone(), is_to_panic));
    let task = pool.tasks().chunk_size(1).map_async(wait_as_5, items);
    let (sender, receiver) = mpsc::channel();
    task.on_done(move |result| drop(sender.send(result)));
    until(|| Ok(pool.stats().done == before + 9))?;
    assert!(receiver.try_recv().is_err());
    go.set();
    let result = receiver.recv_timeout(LONG)?;
    assert!(matches!(receiver.recv_timeout(LONG), Err(mpsc::RecvTimeoutError::Disconnected)));
    Ok(result)
}

type Called = Result<Vec<(u32, u32)>, Error>;

fn a_callback_of_many_tasks_is_called_once() -> Outcome {
    let (numbers, pids): (Vec<_>, Vec<_>) =
        called_with(&Pool::new(2)?, false)??.into_iter().unzip();
    assert_eq!(numbers, (0..10).collect::<Vec<_>>());
    assert!(!pids.contains(&process::id()));
    Ok(())
}

fn a_callback_of_many_tasks_has_their_first_error() -> Outcome {
    let Err(Error::Panicked { message, .. }) = called_with(&Pool::new(2)?, true)? else {
        return Err("no error".into());
    };
    assert_eq!(message, "3 panics");
    Ok(())
}
