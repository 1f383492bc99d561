//! What it costs to start a process and wait for its end, by each method and by
//! its peers; and how the cost grows with the parent's memory.
//!
//!     cargo bench --bench process             run it
//!     RECORD=1 cargo bench --bench process    and write benches/process.md, spawn.md,
//!                                             and book/figures/process_memory.svg
//!
//! `MEMORY=2000` adds a parent of 2,000 MB.

use benches::plot::{Line, plot};
use criterion::Criterion;
use multiprocessing::{ForkServer, Process};
use nix::sys::wait::waitpid;
use nix::unistd::{ForkResult, fork};
use std::hint::black_box;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;
use std::{env, io, thread};

/// With this variable, the program ends at once.
const BARE: &str = "BENCH_BARE";

const PROCESS: &[(&str, &str)] = &[
    ("start this program by `std::process::Command`, wait", "process/bare"),
    ("`Process::spawn`, `join`", "process/spawn"),
    ("procspawn: `spawn`, `join`", "process/procspawn"),
    ("Python: spawn", "process/python-spawn"),
    ("`fork`, exit, wait, by hand", "process/bare-fork"),
    ("`Process::fork`, `join`", "process/fork"),
    ("`ForkServer::spawn`, `join`", "process/forkserver"),
    ("Python: fork", "process/python-fork"),
    ("Python: forkserver", "process/python-forkserver"),
    ("start a thread, join it", "process/thread"),
];

const SPAWN: &[(&str, &str)] = &[
    ("start this program by `std::process::Command`, wait", "process/bare"),
    ("`Process::spawn` a function, `join` its result", "process/spawn"),
    ("the same; the parent has 1,000 MB", "process/spawn-1000"),
    ("Python: `Process` with the start method spawn", "process/python-spawn"),
    ("Python: forkserver", "process/python-forkserver"),
    ("Python: fork", "process/python-fork"),
];

fn main() -> io::Result<()> {
    if env::var_os(BARE).is_some() {
        return Ok(());
    }
    multiprocessing::init();
    procspawn::init();
    let mut criterion = Criterion::default()
        .sample_size(30)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(2))
        .configure_from_args();
    bench(&mut criterion);
    criterion.final_summary();
    benches::record("process", PROCESS)?;
    benches::record("spawn", SPAWN)?;
    draw()
}

fn bench(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("process");
    let bare = || Command::new("/proc/self/exe").env(BARE, "yes").stdin(Stdio::null()).status();
    group.bench_function("bare", |b| b.iter(bare));
    group.bench_function("spawn", |b| b.iter(spawn_and_join));
    group.bench_function("bare-fork", |b| b.iter(fork_and_wait));
    group.bench_function("fork", |b| b.iter(fork_and_join));
    let server = ForkServer::start().expect("it starts");
    group.bench_function("forkserver", |b| b.iter(|| serve_and_join(&server)));
    for megabytes in memories() {
        let memory = vec![1u8; megabytes << 20];
        group.bench_function(format!("fork-{megabytes}"), |b| b.iter(fork_and_join));
        group.bench_function(format!("spawn-{megabytes}"), |b| b.iter(spawn_and_join));
        group.bench_function(format!("forkserver-{megabytes}"), |b| {
            b.iter(|| serve_and_join(&server))
        });
        drop(black_box(memory));
    }
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("process.py");
    let methods: &[_] = if benches::has_python() { &["spawn", "forkserver", "fork"] } else { &[] };
    for method in methods {
        group.bench_function(format!("python-{method}"), |b| {
            b.iter_custom(|times| benches::python(&script, method, times))
        });
    }
    // These start threads: after all forks.
    group.bench_function("thread", |b| b.iter(|| thread::spawn(|| square(black_box(12))).join()));
    group.bench_function("procspawn", |b| {
        b.iter(|| procspawn::spawn(black_box(12), square).join().expect("it returns"))
    });
    group.finish();
}

fn square(n: u64) -> u64 {
    n * n
}

fn spawn_and_join() {
    let child = Process::spawn(square, black_box(12)).expect("it starts");
    assert_eq!(child.join().expect("it returns"), 144);
}

fn serve_and_join(server: &ForkServer) {
    let child = server.spawn(square, black_box(12)).expect("it starts");
    assert_eq!(child.join().expect("it returns"), 144);
}

fn fork_and_join() {
    // SAFETY: no other thread runs.
    let child = unsafe { Process::fork(|| square(black_box(12))) }.expect("it starts");
    assert_eq!(child.join().expect("it returns"), 144);
}

fn fork_and_wait() {
    // SAFETY: no other thread runs, and the child calls nothing but _exit(2).
    match unsafe { fork() }.expect("fork") {
        // SAFETY: _exit runs no destructor and no exit handler.
        ForkResult::Child => unsafe { nix::libc::_exit(0) },
        ForkResult::Parent { child } => drop(waitpid(child, None).expect("waitpid")),
    }
}

/// In MB.
fn memories() -> Vec<usize> {
    let more = env::var("MEMORY").ok().and_then(|megabytes| megabytes.parse().ok());
    [10, 100, 1000].into_iter().chain(more).collect()
}

fn draw() -> io::Result<()> {
    let line = |name, id: &str| -> io::Result<Line> {
        let points = memories().into_iter().map(|megabytes| {
            let time = benches::median(&format!("process/{id}-{megabytes}"))?;
            Ok((megabytes as f64, time / 1000.0))
        });
        Ok(Line { name, points: points.collect::<io::Result<_>>()? })
    };
    if !benches::records() {
        return Ok(());
    }
    let lines =
        [line("fork", "fork")?, line("spawn", "spawn")?, line("fork server", "forkserver")?];
    benches::write("../book/figures/process_memory.svg", &plot("process_memory", &lines))
}
