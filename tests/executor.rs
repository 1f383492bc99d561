//! Executors: the same program with threads and with processes, and what differs.

use multiprocessing::{
    Error, Event, Executor, Pool, ProcessPoolExecutor, Task, ThreadPoolExecutor, Value, WaitFor,
    as_completed, wait_for_tasks,
};
use std::cell::Cell;
use std::error::Error as StdError;
use std::process::{self, ExitCode};
use std::sync::{Arc, Mutex, mpsc};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Instant;
use std::{fs, thread};
use tests::helper::{self, LONG, SHORT, open_and_mapped};
use tests::{Outcome, helpers, trials};

fn main() -> ExitCode {
    let trials = trials![
        both_do_the_same,
        results_come_as_they_are_done,
        waiting_for_the_first_an_error_or_all,
        all_who_wait_for_a_task_are_woken,
        threads_cancel_only_what_waits,
        processes_cancel_what_runs,
        a_thread_that_panics_goes_on,
        a_process_that_dies_costs_one_task,
        a_closed_executor_does_what_it_has,
        dropping_an_executor_waits,
        callbacks_and_awaiting,
        a_callback_drops_the_executor,
        a_pool_with_an_initializer_is_an_executor,
    ];
    helper::main(trials, helpers![nothing_is_left_behind], &[])
}

fn square(number: u64) -> u64 {
    number * number
}

fn panics_if_odd(number: u64) -> u64 {
    assert!(number.is_multiple_of(2), "{number} is odd");
    number
}

fn check(executor: &impl Executor) -> Outcome {
    assert_eq!(executor.submit(square, 12).get()?, 144);
    let squares: Vec<_> = executor.map(square, 0..2000).collect::<Result<_, _>>()?;
    assert_eq!(squares, (0..2000).map(square).collect::<Vec<_>>());
    let results: Vec<_> = executor.map(panics_if_odd, [2, 3, 4]).collect();
    assert!(matches!(&results[..], [Ok(2), Err(Error::Panicked { .. }), Ok(4)]), "{results:?}");
    let read = Cell::new(0);
    let items = (0..).inspect(|_| read.set(read.get() + 1));
    assert_eq!(executor.map_window(square, items, 5).take(3).count(), 3);
    assert!(read.get() <= 8);
    let task = executor.submit(panics_if_odd, 1);
    task.wait();
    assert!(task.is_done() && task.has_failed() && !task.is_running());
    let Err(Error::Panicked { message, location }) = task.get() else {
        return Err("no panic".into());
    };
    assert!(message == "1 is odd" && location.contains("executor.rs"), "{location}");
    Ok(())
}

fn both_do_the_same() -> Outcome {
    check(&ThreadPoolExecutor::new(3)?)?;
    check(&ProcessPoolExecutor::new(3)?)?;
    assert!(ThreadPoolExecutor::new(0).is_err() && ProcessPoolExecutor::new(0).is_err());
    Ok(())
}

/// Waits until the value is at least the number, then raises it.
fn in_turn((turn, number): (Value<u64>, u64)) -> u64 {
    loop {
        let mut turn = turn.lock().expect("no holder dies");
        if *turn == number {
            *turn += 1;
            return number;
        }
        drop(turn);
        thread::yield_now();
    }
}

/// Each task ends when the result of the one before has been taken.
fn check_order(executor: &impl Executor) -> Outcome {
    let turn = Value::new(9)?;
    let tasks = [20, 10, 0].map(|number| executor.submit(in_turn, (turn.clone(), number)));
    let mut done = as_completed(tasks);
    for number in 0..3 {
        *turn.lock()? = 10 * number;
        let (index, result) = done.next().ok_or("it ended")?;
        assert_eq!((index as u64, result?), (2 - number, 10 * number));
    }
    assert!(done.next().is_none());
    Ok(())
}

fn results_come_as_they_are_done() -> Outcome {
    check_order(&ThreadPoolExecutor::new(3)?)?;
    check_order(&ProcessPoolExecutor::new(3)?)
}

fn check_waiting(executor: &impl Executor) -> Outcome {
    let turn = Value::new(0)?;
    let start = |number| executor.submit(in_turn, (turn.clone(), number));
    let tasks = [start(1), start(0)];
    assert_eq!(wait_for_tasks(&tasks, WaitFor::All, None), [0, 1]);
    let tasks = [start(9), start(2)];
    assert_eq!(wait_for_tasks(&tasks, WaitFor::First, None), [1]);
    assert_eq!(wait_for_tasks(&tasks, WaitFor::All, Some(SHORT)), [1]);
    assert_eq!(wait_for_tasks(&tasks, WaitFor::FirstError, Some(SHORT)), [1]);
    *turn.lock()? = 9;
    assert_eq!(wait_for_tasks(&tasks, WaitFor::FirstError, Some(LONG)), [0, 1]);
    let tasks = [
        start(20),
        executor.submit(|(_, n): (Value<u64>, u64)| panics_if_odd(n), (turn.clone(), 1)),
    ];
    assert_eq!(wait_for_tasks(&tasks, WaitFor::FirstError, Some(LONG)), [1]);
    *turn.lock()? = 20;
    assert!(wait_for_tasks::<u64>(&[], WaitFor::First, None).is_empty());
    Ok(())
}

fn waiting_for_the_first_an_error_or_all() -> Outcome {
    check_waiting(&ThreadPoolExecutor::new(2)?)?;
    check_waiting(&ProcessPoolExecutor::new(2)?)
}

struct Tell(mpsc::Sender<()>);

impl Wake for Tell {
    fn wake(self: Arc<Self>) {
        let _ = self.0.send(());
    }
}

fn check_wakers(executor: &impl Executor) -> Outcome {
    let go = Event::new()?;
    let mut task = std::pin::pin!(executor.submit(|go: Event| go.wait(), go.clone()));
    let mut wait = || {
        let (sender, receiver) = mpsc::channel();
        let waker = Waker::from(Arc::new(Tell(sender)));
        assert!(task.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
        receiver
    };
    let (one, other) = (wait(), wait());
    go.set();
    one.recv_timeout(LONG)?;
    Ok(other.recv_timeout(LONG)?)
}

fn all_who_wait_for_a_task_are_woken() -> Outcome {
    check_wakers(&ThreadPoolExecutor::new(1)?)?;
    check_wakers(&ProcessPoolExecutor::new(1)?)
}

/// One task that runs until `turn` is 1, and one behind it.
fn run_and_wait(executor: &impl Executor, turn: &Value<u64>) -> (Task<u64>, Task<u64>) {
    let running = executor.submit(in_turn, (turn.clone(), 1));
    let waiting = executor.submit(square, 3);
    while !running.is_running() {
        thread::yield_now();
    }
    (running, waiting)
}

fn threads_cancel_only_what_waits() -> Outcome {
    let executor = ThreadPoolExecutor::new(1)?;
    let turn = Value::new(0)?;
    let (running, waiting) = run_and_wait(&executor, &turn);
    running.cancel();
    waiting.cancel();
    assert!(matches!(waiting.get(), Err(Error::Cancelled)));
    let last = executor.submit(square, 4);
    executor.cancel_waiting();
    assert!(matches!(last.get(), Err(Error::Cancelled)));
    assert!(!running.is_done());
    *turn.lock()? = 1;
    assert_eq!(running.get()?, 1);
    Ok(())
}

fn processes_cancel_what_runs() -> Outcome {
    let executor = ProcessPoolExecutor::new(1)?;
    let turn = Value::new(0)?;
    let (running, waiting) = run_and_wait(&executor, &turn);
    executor.cancel_waiting();
    assert!(matches!(waiting.get(), Err(Error::Cancelled)));
    let last = executor.submit(square, 4);
    running.cancel();
    assert!(matches!(running.get(), Err(Error::Cancelled)));
    assert_eq!(last.get()?, 16);
    let (running, _) = run_and_wait(&executor, &Value::new(0)?);
    executor.terminate_workers();
    assert!(matches!(running.get(), Err(Error::Cancelled)));
    Ok(())
}

fn a_thread_that_panics_goes_on() -> Outcome {
    let executor = ThreadPoolExecutor::new(1)?;
    let failed = executor.map(panics_if_odd, 0..20).filter(Result::is_err).count();
    assert_eq!((failed, executor.submit(square, 3).get()?), (10, 9));
    let name = executor.submit(|()| thread::current().name().map(str::to_string), ()).get()?;
    assert_eq!(name.as_deref(), Some("Thread-1"));
    Ok(())
}

fn a_process_that_dies_costs_one_task() -> Outcome {
    let executor = ProcessPoolExecutor::new(2)?;
    let fate = |number: u64| if number == 7 { process::abort() } else { number };
    let results: Vec<_> = executor.map(fate, 0..20).collect();
    assert!(matches!(results[7], Err(Error::WorkerDied { exit_code: Some(-6), .. })));
    assert_eq!(results.iter().filter(|result| result.is_err()).count(), 1);
    Ok(())
}

fn check_close(executor: impl Executor) -> Outcome {
    let tasks: Vec<_> = (0..50).map(|number| executor.submit(square, number)).collect();
    executor.close();
    assert!(matches!(executor.submit(square, 1).get(), Err(Error::Closed)));
    executor.shutdown();
    for (number, task) in (0..).zip(tasks) {
        assert!(task.is_done());
        assert_eq!(task.get()?, square(number));
    }
    Ok(())
}

fn a_closed_executor_does_what_it_has() -> Outcome {
    check_close(ThreadPoolExecutor::new(2)?)?;
    check_close(ProcessPoolExecutor::new(2)?)
}

fn dropping_an_executor_waits() -> Outcome {
    static DONE: Mutex<u64> = Mutex::new(0);
    let executor = ThreadPoolExecutor::new(2)?;
    for number in 0..20 {
        let _task =
            executor.submit(|number: u64| *DONE.lock().expect("no panic") += number, number);
    }
    drop(executor);
    assert_eq!(*DONE.lock()?, 190);
    let executor = ProcessPoolExecutor::new(2)?;
    let tasks: Vec<_> = (0..20).map(|number| executor.submit(square, number)).collect();
    drop(executor);
    assert!(tasks.iter().all(|task| task.is_done() && !task.has_failed()));
    Ok(())
}

fn check_callback(executor: &impl Executor) -> Outcome {
    let (sender, receiver) = mpsc::channel();
    executor.submit(square, 5).on_done(move |result| {
        let _ = sender.send(result.is_ok_and(|n| n == 25));
    });
    assert!(receiver.recv_timeout(LONG)?);
    let go = Event::new()?;
    executor.submit(|go: Event| go.wait(), go.clone()).on_done(|_| panic!("as asked"));
    go.set();
    let mut task = executor.submit(square, 6);
    task.wait();
    let mut context = Context::from_waker(Waker::noop());
    assert!(matches!(std::pin::Pin::new(&mut task).poll(&mut context), Poll::Ready(Ok(36))));
    let task = executor.submit(square, 7);
    assert_eq!(task.get_timeout(LONG)?, 49);
    Ok(())
}

fn callbacks_and_awaiting() -> Outcome {
    check_callback(&ThreadPoolExecutor::new(1)?)?;
    check_callback(&ProcessPoolExecutor::new(1)?)
}

/// In a thread of the executor, for which it cannot wait.
fn check_drop(executor: impl Executor + Send + 'static) -> Outcome {
    let go = Event::new()?;
    let (task, last) =
        (executor.submit(|go: Event| go.wait(), go.clone()), executor.submit(square, 3));
    let (sender, receiver) = mpsc::channel();
    task.on_done(move |_| {
        let again = executor.submit(square, 4);
        drop(executor);
        let _ = sender.send(again);
    });
    go.set();
    assert_eq!((receiver.recv_timeout(LONG)?.get()?, last.get()?), (16, 9));
    Ok(())
}

fn a_callback_drops_the_executor() -> Outcome {
    check_drop(ThreadPoolExecutor::new(1)?)?;
    check_drop(ThreadPoolExecutor::new(2)?)?;
    check_drop(ProcessPoolExecutor::new(1)?)
}

fn a_pool_with_an_initializer_is_an_executor() -> Outcome {
    thread_local! {
        static START: Cell<u64> = const { Cell::new(0) };
    }
    let pool = Pool::builder().workers(1).initializer(|start| START.set(start), 40).build()?;
    let executor = ProcessPoolExecutor::from(pool);
    assert_eq!(executor.submit(|number: u64| START.get() + number, 2).get()?, 42);
    assert_eq!(executor.pool().stats().workers, 1);
    Ok(())
}

fn nothing_is_left_behind() -> Result<(), Box<dyn StdError>> {
    let round = || -> Result<(), Error> {
        let (threads, processes) = (ThreadPoolExecutor::new(2)?, ProcessPoolExecutor::new(2)?);
        drop(threads.map(square, 0..).take(3).collect::<Vec<_>>());
        drop(processes.map(square, 0..).take(3).collect::<Vec<_>>());
        Ok(())
    };
    round()?;
    let before = open_and_mapped()?.0;
    for _ in 0..5 {
        round()?;
    }
    assert_eq!(open_and_mapped()?.0, before);
    // The system lists a thread for a moment after it was joined.
    let start = Instant::now();
    while fs::read_dir("/proc/self/task")?.count() > 1 && start.elapsed() < LONG {
        thread::yield_now();
    }
    assert_eq!(fs::read_dir("/proc/self/task")?.count(), 1);
    Ok(())
}
