//! Who does the tasks: each function has so many done, and says how long that took.

use benches::spans::{Span, span, whole};
use benches::there_and_back::{Answers, Figures, WARM_UP, time_all, use_core};
use crossbeam_channel::{bounded, unbounded};
use multiprocessing::{Barrier, Pool, Process};
use rayon::prelude::*;
use serde_bytes::ByteBuf;
use std::collections::VecDeque;
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

/// Of all peers.
const WORKERS: usize = 2;

/// The bytes of a large argument.
pub const LARGE: usize = 1 << 20;

/// How many tasks procspawn has at once: each takes several descriptors.
const IN_FLIGHT: usize = 64;

/// `None`: this peer is not here.
pub type Run = fn(u64) -> Option<Duration>;

fn same(number: u64) -> u64 {
    black_box(number)
}

/// The time of so many tasks, after some that are not counted.
fn warm(count: u64, run: impl Fn(u64)) -> Duration {
    run(count.div_ceil(10));
    let start = Instant::now();
    run(count);
    start.elapsed()
}

pub fn map(count: u64, chunk: Option<usize>) -> Option<Duration> {
    let pool = Pool::new(WORKERS).expect("a pool");
    let tasks = || chunk.map_or_else(|| pool.tasks(), |chunk| pool.tasks().chunk_size(chunk));
    let run = |count| {
        let results = tasks().map(same, 0..count).expect("results");
        assert_eq!(results.len(), count as usize);
    };
    let time = warm(count, run);
    pool.join();
    Some(time)
}

pub fn procspawn(count: u64) -> Option<Duration> {
    let pool = procspawn::Pool::new(WORKERS).expect("a pool");
    let run = |count| {
        let mut tasks = VecDeque::new();
        for number in 0..count {
            tasks.push_back(pool.spawn(number, same));
            if tasks.len() == IN_FLIGHT {
                tasks.pop_front().map(|task| task.join().expect("a result"));
            }
        }
        tasks.into_iter().for_each(|task| assert!(task.join().is_ok()));
    };
    let time = warm(count, run);
    pool.shutdown();
    Some(time)
}

/// Two threads, a channel to them and one back.
pub fn threads(count: u64) -> Option<Duration> {
    let (tasks, waiting) = bounded::<u64>(1024);
    let (done, results) = unbounded::<u64>();
    thread::scope(|scope| {
        for _ in 0..WORKERS {
            let (waiting, done) = (waiting.clone(), done.clone());
            scope.spawn(move || {
                waiting.iter().for_each(|task| done.send(same(task)).expect("open"))
            });
        }
        let run = |count| {
            (0..count).for_each(|task| tasks.send(task).expect("open"));
            assert_eq!(results.iter().take(count as usize).count(), count as usize);
        };
        let time = warm(count, run);
        drop(tasks);
        Some(time)
    })
}

pub fn rayon(count: u64) -> Option<Duration> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(WORKERS).build().expect("threads");
    let run = |count| {
        let results: Vec<u64> = pool.install(|| (0..count).into_par_iter().map(same).collect());
        assert_eq!(black_box(results).len(), count as usize);
    };
    Some(warm(count, run))
}

/// A package that may not be installed.
pub fn loky(count: u64) -> Option<Duration> {
    if benches::python_has("loky") { python("loky", count) } else { None }
}

pub fn python(what: &str, count: u64) -> Option<Duration> {
    benches::has_python().then(|| benches::python(&script(), what, count))
}

fn script() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("pool.py")
}

pub fn apply((core, count): Answers) -> Figures {
    let pool = Pool::builder().workers(1).initializer(use_core, core).build().expect("a pool");
    let figures = time_all(count, |number| pool.apply(same, number).expect("a result"));
    pool.join();
    figures
}

/// It is slow, so it does fewer.
pub fn python_apply((core, count): Answers) -> Figures {
    if !benches::has_python() {
        return None;
    }
    let count = WARM_UP + (count - WARM_UP) / 5;
    let figures = benches::python_figures(&script(), &format!("apply-{core}"), count);
    Some([figures[0] * 1e9, figures[1] * 1e9])
}

/// Has two workers do tasks that take so many microseconds.
pub fn spin(length: u64, count: u64, chunk: Option<usize>) -> Duration {
    let pool = Pool::new(WORKERS).expect("a pool");
    let tasks = chunk.map_or_else(|| pool.tasks(), |chunk| pool.tasks().chunk_size(chunk));
    let time = warm(count, |count| {
        tasks.map(spin_for, (0..count).map(|_| length)).expect("results");
    });
    pool.join();
    time
}

fn spin_for(length: u64) {
    let (start, length) = (Instant::now(), Duration::from_micros(length));
    while start.elapsed() < length {}
}

/// Each of them knows its half.
pub fn two_processes(length: u64, count: u64) -> Duration {
    let start = Barrier::new(2).expect("memory");
    let spawn = |half| Process::spawn(spin_all, (start.clone(), length, half)).expect("it starts");
    let processes = [spawn(count / 2), spawn(count - count / 2)];
    whole(processes.map(|process| process.join().expect("it ends")))
}

fn spin_all((start, length, count): (Barrier, u64, u64)) -> Span {
    start.wait().expect("both come");
    span(|| (0..count).for_each(|_| spin_for(length)))
}

/// 1 MB there and back.
pub fn echo_bytes(count: u64) -> Option<Duration> {
    let bytes = ByteBuf::from(vec![7; LARGE]);
    Some(echo(|bytes: ByteBuf| bytes, &bytes, count))
}

/// The same in a type that serde takes for a sequence of numbers.
pub fn echo_vec(count: u64) -> Option<Duration> {
    Some(echo(|bytes: Vec<u8>| bytes, &vec![7; LARGE], count))
}

fn echo<T>(f: fn(T) -> T, bytes: &T, count: u64) -> Duration
where
    T: serde::Serialize + serde::de::DeserializeOwned + Clone + Send + 'static,
{
    let pool = Pool::new(WORKERS).expect("a pool");
    let time = warm(count, |count| {
        let results = pool.map(f, (0..count).map(|_| bytes.clone())).expect("results");
        assert_eq!(results.len(), count as usize);
    });
    pool.join();
    time
}
