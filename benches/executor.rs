//! What an `Executor` costs beside Python's: empty tasks, and when threads or processes make a
//! program faster.
//!
//!     cargo bench --bench executor               run it
//!     cargo bench --bench executor -- sleeps     only the lines with this in their label
//!     RECORD=1 cargo bench --bench executor      and write benches/executor.md
//!
//! The peers take turns, and a ratio is the median of those of single rounds: see `turns.rs`.
//!
//! All empty tasks are submitted, and then all results are taken. The two workers have been
//! started and have done a tenth as many tasks before.
//!
//! The experiments are those with which articles on Python compare the two: Fibonacci numbers by
//! naive recursion, which compute, by two workers; and sleeps, which wait, by three. Their time is
//! that of the whole, from making the executor to its end, so the start of the processes is in it.

use benches::plan::Plan;
use benches::turns::{Line, Peer, grid, one_line, ranking};
use multiprocessing::{Executor, ProcessPoolExecutor, ThreadPoolExecutor};
use std::hint::black_box;
use std::io;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

const EMPTY: [&str; 4] = ["Python threads", "Python processes", "Rust threads", "Rust processes"];

/// Who does an experiment.
const BY: [&str; 3] = ["one after another", "threads", "processes"];

/// Python's names for them, as arguments.
const PYTHON_BY: [&str; 3] = ["alone", "threads", "processes"];

/// Of a task: a function and its argument.
type Task = (fn(u64) -> u64, u64);

fn main() -> io::Result<()> {
    multiprocessing::init();
    let plan = Plan::of_arguments();
    let empty = empty(&plan);
    let (to, sleeps) = if plan.quick { (15, 3) } else { (30, 30) };
    let fibonacci = (20..=to.max(20)).map(|n| (fibonacci as fn(u64) -> u64, n)).collect();
    let sleeps = vec![(sleep as fn(u64) -> u64, 20); sleeps];
    let lines: Vec<Line> = [
        rust(&plan, "Fibonacci 20 to 30, Rust", fibonacci, 2),
        python(&plan, "Fibonacci 20 to 30, Python", "fibonacci", to.max(20)),
        rust(&plan, "30 sleeps of 20 ms, Rust", sleeps.clone(), 3),
        python(&plan, "30 sleeps of 20 ms, Python", "sleeps", sleeps.len() as u64),
    ]
    .into_iter()
    .flatten()
    .collect();
    let (Some(empty), true) = (empty, plan.is_whole()) else { return Ok(()) };
    let seconds = |line: &Line, peer| line.median(peer).map(seconds);
    let tables = ranking(&empty, &EMPTY) + &grid("time of the whole", &BY, &lines, seconds);
    benches::record_text("executor", &tables)
}

/// The time of an empty task.
fn empty(plan: &Plan) -> Option<Line> {
    let count = plan.some(10_000);
    let peers: [Peer; 4] = [
        Box::new(|| of_python("empty-threads", count)),
        Box::new(|| of_python("empty-processes", count)),
        Box::new(|| Some(submit_all(&ThreadPoolExecutor::new(2).expect("threads"), count))),
        Box::new(|| Some(submit_all(&ProcessPoolExecutor::new(2).expect("processes"), count))),
    ];
    let each = peers.map(|peer| -> Peer { Box::new(move || Some(peer()? / count as f64)) });
    measure(plan, "an empty task", &each, &EMPTY)
}

fn measure(plan: &Plan, label: &str, peers: &[Peer], columns: &[&str]) -> Option<Line> {
    let line = plan.wants(label).then(|| one_line(label, plan.rounds(), peers))?;
    line.print(columns);
    Some(line)
}

/// In nanoseconds.
fn submit_all(executor: &impl Executor, count: u64) -> f64 {
    let run = |count| {
        let tasks: Vec<_> = (0..count).map(|n| executor.submit(black_box::<u64>, n)).collect();
        tasks.into_iter().for_each(|task| assert!(task.get().is_ok()));
    };
    run(count / 10);
    time(|| run(count))
}

fn time(work: impl FnOnce()) -> f64 {
    let start = Instant::now();
    work();
    start.elapsed().as_nanos() as f64
}

fn rust(plan: &Plan, label: &str, tasks: Vec<Task>, workers: usize) -> Option<Line> {
    let tasks = &tasks;
    let peers: [Peer; 3] = [
        Box::new(|| Some(time(|| assert_ne!(sum(tasks), 0)))),
        Box::new(|| {
            Some(time(|| do_all(ThreadPoolExecutor::new(workers).expect("threads"), tasks)))
        }),
        Box::new(|| {
            Some(time(|| do_all(ProcessPoolExecutor::new(workers).expect("processes"), tasks)))
        }),
    ];
    measure(plan, label, &peers, &BY)
}

fn sum(tasks: &[Task]) -> u64 {
    tasks.iter().map(|(f, n)| f(*n)).sum()
}

fn do_all(executor: impl Executor, tasks: &[Task]) {
    let tasks: Vec<_> = tasks.iter().map(|(f, n)| executor.submit(*f, *n)).collect();
    tasks.into_iter().for_each(|task| assert!(task.get().is_ok()));
    executor.shutdown();
}

fn fibonacci(n: u64) -> u64 {
    if n < 2 { n } else { fibonacci(black_box(n) - 1) + fibonacci(n - 2) }
}

fn sleep(milliseconds: u64) -> u64 {
    thread::sleep(Duration::from_millis(milliseconds));
    milliseconds
}

fn python(plan: &Plan, label: &str, what: &str, argument: u64) -> Option<Line> {
    let peer = |by| -> Peer { Box::new(move || of_python(&format!("{what}-{by}"), argument)) };
    benches::has_python().then(|| measure(plan, label, &PYTHON_BY.map(peer), &BY)).flatten()
}

/// In nanoseconds.
fn of_python(what: &str, argument: u64) -> Option<f64> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("executor.py");
    let time = benches::has_python().then(|| benches::python(&script, what, argument))?;
    Some(time.as_nanos() as f64)
}

/// `0.018 s`
fn seconds(nanoseconds: f64) -> String {
    let seconds = nanoseconds / 1e9;
    let digits = if seconds < 0.1 { 3 } else { 2 };
    format!("{seconds:.digits$}\u{a0}s")
}
