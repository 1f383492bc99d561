//! Executors: what a task says of itself, and who waits for several.

use multiprocessing::{
    Connection, Error, Event, Executor, ProcessPoolExecutor, Semaphore, Task, ThreadPoolExecutor,
    WaitFor, as_completed, pipe, wait_for_tasks,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::process::{self, ExitCode};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};
use tests::helper::{self, LONG, SHORT, let_them_wait};
use tests::tasks::{Go, panics_if_odd, square};
use tests::{Outcome, trials};

fn main() -> ExitCode {
    let trials = trials![
        a_task_says_how_it_is,
        who_waits_takes_the_whole_time,
        who_waits_hears_that_the_task_is_cancelled,
        waiting_counts_what_was_done_before,
        as_completed_gives_what_was_done_before,
        a_hundred_tasks_are_waited_for,
        callbacks_of_what_is_done_are_called_at_once,
        callbacks_hear_that_tasks_are_cancelled,
        arguments_and_results_that_nobody_wants_are_dropped,
        no_more_tasks_run_than_there_are_workers,
        a_panic_of_a_callback_is_not_the_callers,
        a_drop_that_panics_ends_no_thread,
        who_waits_for_an_error_is_told_which,
        to_wait_again_costs_no_more,
        a_result_is_taken_once,
    ];
    helper::main(trials, &[], &[])
}

/// Runs until the event.
fn hold(executor: &impl Executor) -> Result<(Go, Task<()>), Error> {
    let go = Go::new()?;
    let running = executor.submit(|go: Event| go.wait(), go.clone());
    while !running.is_running() {
        thread::yield_now();
    }
    Ok((go, running))
}

/// Tasks of one worker: done, failed and cancelled.
fn three(executor: &impl Executor) -> Result<[Task<u32>; 3], Error> {
    let [done, failed] = [2, 3].map(|number| executor.submit(panics_if_odd, number));
    done.wait();
    failed.wait();
    let (go, running) = hold(executor)?;
    let cancelled = executor.submit(panics_if_odd, 4);
    cancelled.cancel();
    go.set();
    running.get()?;
    Ok([done, failed, cancelled])
}

fn say<R>(task: &Task<R>) -> [bool; 3] {
    [task.is_done(), task.is_running(), task.has_failed()]
}

fn check_states(executor: &impl Executor) -> Outcome {
    let [done, failed, cancelled] = three(executor)?;
    let (go, running) = hold(executor)?;
    let pending = executor.submit(square, 5);
    assert_eq!(say(&pending), [false, false, false]);
    assert_eq!(say(&running), [false, true, false]);
    for task in [&done, &failed, &cancelled] {
        task.cancel(); // it does nothing
    }
    assert_eq!(say(&done), [true, false, false]);
    assert_eq!(say(&failed), [true, false, true]);
    assert_eq!(say(&cancelled), [true, false, true]);
    assert_eq!(format!("{pending:?} {done:?}"), "Task { done: false } Task { done: true }");
    let at_once = Duration::ZERO;
    assert!(matches!(pending.get_timeout(at_once), Err(Error::TimedOut)));
    assert!(matches!(running.get_timeout(at_once), Err(Error::TimedOut)));
    assert_eq!(done.get_timeout(at_once)?, 2);
    assert!(matches!(failed.get_timeout(at_once), Err(Error::Panicked { .. })));
    assert!(matches!(cancelled.get_timeout(at_once), Err(Error::Cancelled)));
    go.set();
    running.get()?;
    assert_eq!(pending.get()?, 25);
    Ok(())
}

fn a_task_says_how_it_is() -> Outcome {
    check_states(&ThreadPoolExecutor::new(1)?)?;
    check_states(&ProcessPoolExecutor::new(1)?)
}

fn check_times(executor: &impl Executor) -> Outcome {
    let (go, running) = hold(executor)?;
    let took = |wait: &dyn Fn() -> bool| {
        let start = Instant::now();
        assert!(!wait());
        start.elapsed()
    };
    let time = 5 * SHORT;
    assert!(took(&|| running.wait_timeout(time)) >= time);
    assert!(took(&|| running.get_timeout(time).is_ok()) >= time);
    let tasks = [running];
    assert!(took(&|| !wait_for_tasks(&tasks, WaitFor::All, Some(time)).is_empty()) >= time);
    go.set();
    Ok(())
}

fn who_waits_takes_the_whole_time() -> Outcome {
    check_times(&ThreadPoolExecutor::new(1)?)?;
    check_times(&ProcessPoolExecutor::new(1)?)
}

fn check_cancel(executor: &impl Executor) -> Outcome {
    let (go, running) = hold(executor)?;
    let tasks = [3, 4].map(|number| executor.submit(square, number));
    thread::scope(|scope| {
        let one = scope.spawn(|| tasks[0].get_timeout(LONG));
        let both = scope.spawn(|| wait_for_tasks(&tasks, WaitFor::All, Some(LONG)));
        let_them_wait();
        tasks.iter().for_each(Task::cancel);
        assert!(matches!(one.join(), Ok(Err(Error::Cancelled))));
        assert!(matches!(both.join(), Ok(done) if done == [0, 1]));
    });
    assert!(!running.is_done());
    go.set();
    Ok(running.get()?)
}

fn who_waits_hears_that_the_task_is_cancelled() -> Outcome {
    check_cancel(&ThreadPoolExecutor::new(1)?)?;
    check_cancel(&ProcessPoolExecutor::new(1)?)
}

/// Which tasks are done. It does not take long.
fn soon(tasks: &[Task<u32>], wanted: WaitFor) -> Vec<usize> {
    let start = Instant::now();
    let done = wait_for_tasks(tasks, wanted, Some(LONG));
    assert!(start.elapsed() < LONG, "{wanted:?}");
    done
}

fn wait_and_return((number, go): (u32, Event)) -> u32 {
    go.wait();
    number
}

fn check_waiting(executor: &impl Executor) -> Outcome {
    let [done, failed, cancelled] = three(executor)?;
    let go = Go::new()?;
    let running = executor.submit(wait_and_return, (1, go.clone()));
    let mut tasks = vec![running, done];
    assert_eq!(soon(&tasks, WaitFor::First), [1]);
    assert_eq!(wait_for_tasks(&tasks, WaitFor::FirstError, Some(SHORT)), [1]);
    assert_eq!(wait_for_tasks(&tasks, WaitFor::All, Some(SHORT)), [1]);
    tasks.push(failed);
    assert_eq!(soon(&tasks, WaitFor::FirstError), [1, 2]);
    tasks.push(cancelled);
    assert_eq!(wait_for_tasks(&tasks, WaitFor::All, Some(SHORT)), [1, 2, 3]);
    go.set();
    assert_eq!(soon(&tasks, WaitFor::All), [0, 1, 2, 3]);
    Ok(())
}

fn waiting_counts_what_was_done_before() -> Outcome {
    check_waiting(&ThreadPoolExecutor::new(1)?)?;
    check_waiting(&ProcessPoolExecutor::new(1)?)
}

fn check_completed(executor: &impl Executor) -> Outcome {
    let [done, failed, cancelled] = three(executor)?;
    let go = Go::new()?;
    let [one, other] = [6, 7].map(|number| executor.submit(wait_and_return, (number, go.clone())));
    let mut results = as_completed([other, done, failed, one, cancelled]);
    for _ in 0..3 {
        match results.next().ok_or("it ended")? {
            (1, Ok(2)) | (2, Err(Error::Panicked { .. })) | (4, Err(Error::Cancelled)) => {}
            (index, result) => return Err(format!("{index}: {result:?}").into()),
        }
    }
    go.set();
    let mut rest: Vec<_> = results.map(|(index, result)| (index, result.ok())).collect();
    rest.sort();
    assert_eq!(rest, [(0, Some(7)), (3, Some(6))]);
    Ok(())
}

fn as_completed_gives_what_was_done_before() -> Outcome {
    check_completed(&ThreadPoolExecutor::new(1)?)?;
    check_completed(&ProcessPoolExecutor::new(1)?)
}

/// They end while somebody begins to wait for them.
fn check_hundred(executor: &impl Executor) -> Outcome {
    for _ in 0..20 {
        let go = Go::new()?;
        let give = |number| executor.submit(wait_and_return, (number, go.clone()));
        let tasks: Vec<_> = (0..100).map(give).collect();
        go.set();
        assert_eq!(soon(&tasks, WaitFor::All), (0..100).collect::<Vec<_>>());
        for (number, task) in (0..).zip(tasks) {
            assert_eq!(task.get_timeout(Duration::ZERO)?, number);
        }
    }
    Ok(())
}

fn a_hundred_tasks_are_waited_for() -> Outcome {
    check_hundred(&ThreadPoolExecutor::new(5)?)?;
    check_hundred(&ProcessPoolExecutor::new(2)?)
}

/// What the callback of a task that is done was called with, in this thread.
fn called_with(task: Task<u32>) -> Option<Result<u32, Error>> {
    let (sender, receiver) = mpsc::channel();
    let caller = thread::current().id();
    task.on_done(move |result| drop(sender.send((result, thread::current().id()))));
    receiver.try_recv().ok().filter(|(_, thread)| *thread == caller).map(|(result, _)| result)
}

fn check_done(executor: &impl Executor) -> Outcome {
    let [done, failed, cancelled] = three(executor)?.map(called_with);
    assert!(matches!(done, Some(Ok(2))));
    assert!(matches!(failed, Some(Err(Error::Panicked { .. }))));
    assert!(matches!(cancelled, Some(Err(Error::Cancelled))));
    Ok(())
}

fn callbacks_of_what_is_done_are_called_at_once() -> Outcome {
    check_done(&ThreadPoolExecutor::new(1)?)?;
    check_done(&ProcessPoolExecutor::new(1)?)
}

fn check_callbacks(executor: &impl Executor) -> Outcome {
    let (go, running) = hold(executor)?;
    let (sender, receiver) = mpsc::channel();
    for number in 0..10 {
        let sender = sender.clone();
        let task = executor.submit(square, number);
        task.on_done(move |result| drop(sender.send(result)));
    }
    executor.cancel_waiting();
    drop(sender);
    let told: Vec<_> = (0..10).map_while(|_| receiver.recv_timeout(LONG).ok()).collect();
    assert_eq!(told.len(), 10);
    assert!(told.iter().all(|result| matches!(result, Err(Error::Cancelled))), "{told:?}");
    assert!(!running.is_done());
    go.set();
    Ok(running.get()?)
}

fn callbacks_hear_that_tasks_are_cancelled() -> Outcome {
    check_callbacks(&ThreadPoolExecutor::new(1)?)?;
    check_callbacks(&ProcessPoolExecutor::new(1)?)
}

/// The other end of a connection is told when nobody has the one that the task was given.
fn check_dropped(executor: &impl Executor) -> Outcome {
    type Ours = Connection<u8, u8>;
    let (ours, theirs) = pipe::<u8, u8>()?;
    drop(executor.submit(|_: Ours| (), theirs));
    assert!(ours.poll(LONG)? && ours.recv().is_err());
    let (ours, theirs) = pipe::<u8, u8>()?;
    drop(executor.submit(|connection: Ours| connection, theirs));
    assert!(ours.poll(LONG)? && ours.recv().is_err());
    Ok(())
}

fn arguments_and_results_that_nobody_wants_are_dropped() -> Outcome {
    check_dropped(&ThreadPoolExecutor::new(1)?)?;
    check_dropped(&ProcessPoolExecutor::new(1)?)
}

/// Where a task runs.
fn acquire(semaphore: Semaphore) -> String {
    semaphore.acquire().forget();
    format!("{} {:?}", process::id(), thread::current().id())
}

/// It has 3 workers.
fn check_saturation(executor: &impl Executor) -> Outcome {
    let semaphore = Semaphore::new(0)?;
    let tasks: Vec<_> = (0..45).map(|_| executor.submit(acquire, semaphore.clone())).collect();
    let running = || tasks.iter().filter(|task| task.is_running()).count();
    while running() < 3 {
        thread::yield_now();
    }
    let most = running();
    (0..45).for_each(|_| semaphore.release());
    assert_eq!(most, 3);
    let places: BTreeSet<_> = tasks.into_iter().map(Task::get).collect::<Result<_, _>>()?;
    assert_eq!(places.len(), 3, "{places:?}");
    Ok(())
}

fn no_more_tasks_run_than_there_are_workers() -> Outcome {
    check_saturation(&ThreadPoolExecutor::new(3)?)?;
    let executor = ProcessPoolExecutor::new(3)?;
    check_saturation(&executor)?;
    assert_eq!((executor.pool().stats().workers, executor.pool().stats().restarts), (3, 0));
    Ok(())
}

fn a_panic_of_a_callback_is_not_the_callers() -> Outcome {
    let executor = ThreadPoolExecutor::new(1)?;
    let task = executor.submit(square, 2);
    task.wait();
    task.on_done(|_| panic!("as asked"));
    assert_eq!(executor.submit(square, 3).get()?, 9);
    Ok(())
}

/// The thread drops what nobody takes.
fn a_drop_that_panics_ends_no_thread() -> Outcome {
    #[derive(Serialize, Deserialize)]
    struct Bad;
    impl Drop for Bad {
        fn drop(&mut self) {
            panic!("as asked");
        }
    }
    let executor = ThreadPoolExecutor::new(1)?;
    let (go, running) = hold(&executor)?;
    drop(executor.submit(|()| Bad, ()));
    go.set();
    running.get()?;
    assert_eq!(executor.submit(square, 3).get_timeout(LONG)?, 9);
    Ok(())
}

/// The first task fails while the others are looked at.
fn who_waits_for_an_error_is_told_which() -> Outcome {
    let wait = |go: Event| go.wait();
    for _ in 0..30 {
        let executor = ThreadPoolExecutor::new(1)?;
        let ((begin, _running), go) = (hold(&executor)?, Go::new()?);
        let mut tasks = vec![executor.submit(|()| resume_unwind(Box::new("as asked")), ())];
        tasks.extend((0..5000).map(|_| executor.submit(wait, go.clone())));
        begin.set();
        assert_eq!(wait_for_tasks(&tasks, WaitFor::FirstError, None), [0]);
        executor.cancel_waiting();
    }
    Ok(())
}

/// Each call is for a moment. All of them would take hours if each had to look at those before it.
fn to_wait_again_costs_no_more() -> Outcome {
    let executor = ThreadPoolExecutor::new(1)?;
    let (go, running) = hold(&executor)?;
    let (tasks, start) = ([running], Instant::now());
    for _ in 0..200_000 {
        assert!(wait_for_tasks(&tasks, WaitFor::All, Some(Duration::ZERO)).is_empty());
        assert!(start.elapsed() < LONG);
    }
    go.set();
    assert_eq!(wait_for_tasks(&tasks, WaitFor::All, None), [0]);
    Ok(())
}

fn check_taken(executor: &impl Executor) -> Outcome {
    let task = executor.submit(panics_if_odd, 3);
    assert!(task.get_timeout(LONG).is_err());
    assert_eq!(say(&task), [true, false, false]);
    assert!(catch_unwind(AssertUnwindSafe(|| task.on_done(drop))).is_err());
    Ok(())
}

fn a_result_is_taken_once() -> Outcome {
    check_taken(&ThreadPoolExecutor::new(1)?)?;
    check_taken(&ProcessPoolExecutor::new(1)?)
}
