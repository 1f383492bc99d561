//! Pools: waiting for tasks, by threads, callbacks and wakers.

use multiprocessing::{Barrier, Error, Event, Pool, WaitFor, wait_for_tasks};
use nix::sys::resource::{UsageWho, getrusage};
use std::error::Error as StdError;
use std::panic::{self, AssertUnwindSafe};
use std::process::{self, ExitCode};
use std::sync::{Arc, mpsc};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;
use std::{fs, pin, thread};
use tests::helper::{self, LONG, SHORT, processor_time, until};
use tests::tasks::{Go, panics_if_odd, park, send, square};
use tests::{Outcome, helpers, trials};

fn main() -> ExitCode {
    let trials = trials![
        a_task_can_be_asked_again,
        callbacks_are_called,
        a_task_can_be_awaited,
        a_callback_does_not_wait_behind_a_long_task,
        a_panic_of_a_callback_ends_nothing,
        a_callback_drops_the_pool,
        a_waker_uses_the_pool,
        threads_share_a_pool,
        idle_workers_share_tasks_though_nobody_waits,
        a_packet_is_shared_though_nobody_waits,
        a_callback_that_takes_long_holds_up_no_task,
        a_callback_waits_for_several_tasks,
        a_time_limit_holds_beside_a_stopped_worker,
        a_full_worker_gets_its_task_though_nobody_waits,
    ];
    let alone = helpers![an_idle_pool_costs_no_processor_time, a_thread_that_waits_sleeps];
    helper::main(trials, alone, &[])
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

/// The worker has answered in shared memory, and no thread of the program waits for a result.
fn a_callback_does_not_wait_behind_a_long_task() -> Outcome {
    let pool = Pool::new(1)?;
    pool.map(square, 0..1000)?; // tasks seem to be short, so they are sent ahead
    let (first, third) = (Event::new()?, Event::new()?);
    let wait = |event: Option<Event>| event.iter().for_each(Event::wait);
    let give = |event: Option<&Event>| pool.apply_async(wait, event.cloned());
    let tasks = [Some(&first), None, Some(&third), None, None, None, None, None].map(give);
    let [one, two, rest @ ..] = tasks;
    let (sender, receiver) = mpsc::channel();
    two.on_done(move |result| drop(sender.send(result)));
    first.set();
    receiver.recv_timeout(LONG)??;
    third.set();
    one.get()?;
    rest.into_iter().try_for_each(|task| task.get())?;
    Ok(())
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

/// Also after a worker did not begin what it was given.
fn an_idle_pool_costs_no_processor_time() -> Result<(), Box<dyn StdError>> {
    let pool = Pool::new(1)?;
    let pid = pool.apply(|()| process::id(), ())?;
    send(pid, libc::SIGSTOP);
    let task = pool.apply_async(square, 1);
    task.cancel();
    assert!(matches!(task.get(), Err(Error::Cancelled)));
    send(pid, libc::SIGCONT);
    let before = processor_time()?;
    assert!(!Event::new()?.wait_timeout(Duration::from_millis(500)));
    let spent = processor_time()? - before;
    assert!(spent < Duration::from_millis(100), "{spent:?}");
    assert_eq!(pool.apply(square, 3)?, 9);
    Ok(())
}

/// The two tasks meet, so one worker alone would never end the first.
fn idle_workers_share_tasks_though_nobody_waits() -> Outcome {
    let pool = Pool::new(2)?;
    pool.map(|_| thread::sleep(SHORT), [(); 8])?; // now it knows how long a task takes
    thread::sleep(5 * SHORT); // by now, no thread of the pool looks at it
    let (sender, receiver) = mpsc::channel();
    let meet = |others: Barrier| others.wait().map(|_| process::id());
    let task = pool.map_async(meet, vec![Barrier::new(2)?; 2]);
    task.on_done(move |result| drop(sender.send(result)));
    let ids: Vec<_> = receiver.recv_timeout(LONG)??.into_iter().collect::<Result<_, _>>()?;
    assert_ne!(ids[0], ids[1]);
    Ok(())
}

/// All tasks go to one worker in one packet, and the first one waits for the last.
fn a_packet_is_shared_though_nobody_waits() -> Outcome {
    let (pool, go) = (Pool::new(2)?, Go::new()?);
    pool.map(|_| thread::sleep(SHORT), [(); 8])?;
    thread::sleep(5 * SHORT); // by now, no thread of the pool looks at it
    let task = |(place, go): (usize, Event)| match place {
        0 => go.wait(),
        9 => go.set(),
        _ => {}
    };
    let (sender, receiver) = mpsc::channel();
    let tasks = pool.tasks().chunk_size(10);
    let all = tasks.map_async(task, (0..10).map(|place| (place, go.clone())));
    all.on_done(move |result| assert!(sender.send(result.is_ok()).is_ok()));
    assert!(receiver.recv_timeout(LONG)?);
    Ok(())
}

/// Its worker is ended by its time limit, and replaced.
fn a_callback_that_takes_long_holds_up_no_task() -> Outcome {
    let (pool, go) = (Pool::new(1)?, Go::new()?);
    let (sender, receiver) = mpsc::channel();
    let held = go.clone();
    let task = pool.apply_async(|go: Event| go.wait(), go.clone());
    task.on_done(move |_| {
        held.clear();
        let _ = sender.send(());
        held.wait();
    });
    go.set();
    receiver.recv_timeout(LONG)?;
    let late = pool.tasks().time_limit(SHORT).apply_async(park, 0);
    let next = pool.apply_async(square, 4);
    until(|| Ok(late.is_done() && next.is_done()))?;
    go.set();
    assert!(matches!(late.get(), Err(Error::TimeLimit { .. })));
    assert_eq!(next.get()?, 16);
    pool.join();
    Ok(())
}

fn a_callback_waits_for_several_tasks() -> Outcome {
    let (pool, go) = (Arc::new(Pool::new(1)?), Go::new()?);
    let ((sender, receiver), inside) = (mpsc::channel(), Arc::clone(&pool));
    let task = pool.apply_async(|go: Event| go.wait(), go.clone());
    task.on_done(move |_| {
        let tasks = [4, 5].map(|number| inside.apply_async(square, number));
        let _ = sender.send(wait_for_tasks(&tasks, WaitFor::All, Some(LONG / 2)));
    });
    go.set();
    assert_eq!(receiver.recv_timeout(LONG)?, [0, 1]);
    Ok(())
}

/// A stopped worker's socket fills up with tasks that are cancelled. Of some number, the next one
/// has no room, and nothing happens that would send it later.
fn a_full_worker_gets_its_task_though_nobody_waits() -> Outcome {
    for before in 1..=8 {
        let pool = Pool::new(1)?;
        let pid = pool.apply(|()| process::id(), ())?;
        send(pid, libc::SIGSTOP);
        let give = || pool.apply_async(|text: String| text.len(), "x".repeat(45_000));
        for _ in 0..before {
            let task = give();
            task.cancel();
            assert!(matches!(task.get(), Err(Error::Cancelled)));
        }
        let (sender, receiver) = mpsc::channel();
        give().on_done(move |result| drop(sender.send(result)));
        send(pid, libc::SIGCONT);
        assert_eq!(receiver.recv_timeout(LONG)??, 45_000);
    }
    Ok(())
}

/// What it was panicking with panics, too, when it is dropped.
fn a_panic_of_a_callback_ends_nothing() -> Outcome {
    struct Bad;
    impl Drop for Bad {
        fn drop(&mut self) {
            panic!("as asked");
        }
    }
    let (pool, go) = (Pool::new(1)?, Event::new()?);
    let wait = |go: Event| go.wait();
    pool.apply_async(wait, go.clone()).on_done(|_| panic::panic_any(Bad));
    let (sender, receiver) = mpsc::channel();
    pool.apply_async(wait, go.clone()).on_done(move |result| drop(sender.send(result)));
    go.set();
    receiver.recv_timeout(LONG)??;
    Ok(())
}

fn a_callback_drops_the_pool() -> Outcome {
    let (pool, go) = (Pool::new(2)?, Event::new()?);
    let pid = pool.apply(|()| process::id(), ())?;
    let (sender, receiver) = mpsc::channel();
    let task = pool.apply_async(|go: Event| go.wait(), go.clone());
    task.on_done(move |_| {
        drop(pool);
        let _ = sender.send(fs::exists(format!("/proc/{pid}")));
    });
    go.set();
    assert!(!receiver.recv_timeout(LONG)??);
    Ok(())
}

/// What a waker does: it asks the pool, and sends the answer.
struct Ask(Arc<Pool>, mpsc::Sender<u64>);

impl Wake for Ask {
    fn wake(self: Arc<Self>) {
        let _ = self.1.send(self.0.stats().done);
    }
}

fn a_waker_uses_the_pool() -> Outcome {
    let (pool, go) = (Arc::new(Pool::new(1)?), Event::new()?);
    let (sender, receiver) = mpsc::channel();
    let waker = Waker::from(Arc::new(Ask(Arc::clone(&pool), sender)));
    let mut task = pin::pin!(pool.apply_async(|go: Event| go.wait(), go.clone()));
    assert!(task.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    go.set();
    assert_eq!(receiver.recv_timeout(LONG)?, 1);
    Ok(())
}

/// So does the pool's own, as long as a thread waits.
fn a_thread_that_waits_sleeps() -> Result<(), Box<dyn StdError>> {
    let pool = Pool::new(2)?;
    (0..200).try_for_each(|number| pool.apply(square, number).map(drop))?;
    let switches =
        || getrusage(UsageWho::RUSAGE_SELF).map(|usage| usage.voluntary_context_switches());
    let before = switches()?;
    pool.apply(thread::sleep, Duration::from_millis(300))?;
    let switched = switches()? - before;
    assert!(switched < 30, "{switched}");
    Ok(())
}

/// The thread that led leaves nothing to do but to look at the stopped worker again.
fn a_time_limit_holds_beside_a_stopped_worker() -> Outcome {
    for _ in 0..10 {
        let pool = Pool::new(2)?;
        let meet = |barrier: Barrier| barrier.wait().map(drop);
        pool.tasks().chunk_size(1).map(meet, vec![Barrier::new(2)?; 2])?;
        thread::sleep(SHORT);
        let pid = pool.apply(|()| process::id(), ())?;
        send(pid, libc::SIGSTOP);
        thread::sleep(SHORT);
        assert_eq!(pool.apply(square, 3)?, 9);
        thread::sleep(3 * SHORT);
        let (sender, receiver) = mpsc::channel();
        let task = pool.tasks().time_limit(5 * SHORT).apply_async(park, 0);
        task.on_done(move |result| drop(sender.send(result)));
        assert!(matches!(receiver.recv_timeout(LONG)?, Err(Error::TimeLimit { .. })));
        send(pid, libc::SIGCONT);
    }
    Ok(())
}
