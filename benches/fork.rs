//! What a fork costs, and how the cost grows with the parent's memory.
//!
//!     cargo bench --bench fork              run it
//!     RECORD=1 cargo bench --bench fork     and write benches/fork.md

use criterion::{BenchmarkId, Criterion};
use nix::sys::wait::waitpid;
use nix::unistd::{ForkResult, fork};
use std::hint::black_box;
use std::process::Command;
use std::thread;
use std::time::Duration;

const ROWS: &[(&str, &str)] = &[
    ("start a thread, join it", "fork/thread"),
    ("fork, exit, wait; the parent has 1 MB", "fork/memory/1"),
    ("the same; the parent has 10 MB", "fork/memory/10"),
    ("the same; the parent has 100 MB", "fork/memory/100"),
    ("the same; the parent has 1,000 MB", "fork/memory/1000"),
    ("start `true` by `std::process::Command`, wait; 1,000 MB", "fork/command"),
];

fn main() -> std::io::Result<()> {
    let mut criterion = Criterion::default()
        .sample_size(30)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2))
        .configure_from_args();
    bench(&mut criterion);
    criterion.final_summary();
    benches::record("fork", ROWS)
}

fn bench(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("fork");
    // Before the other threads: a fork is of a program with one thread.
    let mut memory = Vec::new();
    for megabytes in [1, 10, 100, 1000] {
        memory.resize(megabytes << 20, 1u8);
        group.bench_function(BenchmarkId::new("memory", megabytes), |b| b.iter(fork_and_wait));
    }
    group.bench_function("command", |b| b.iter(|| Command::new("true").status()));
    black_box(memory);
    group.bench_function("thread", |b| b.iter(|| thread::spawn(|| black_box(1)).join()));
    group.finish();
}

fn fork_and_wait() {
    // SAFETY: no other thread runs, and the child calls nothing but _exit(2).
    match unsafe { fork() }.expect("fork") {
        // SAFETY: _exit runs no destructor and no exit handler.
        ForkResult::Child => unsafe { nix::libc::_exit(0) },
        ForkResult::Parent { child } => drop(waitpid(child, None).expect("waitpid")),
    }
}
