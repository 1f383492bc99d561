//! What a spawn costs, beside the bare program and a fork.
//!
//!     cargo bench --bench spawn             run it
//!     RECORD=1 cargo bench --bench spawn    and write benches/spawn.md

use criterion::Criterion;
use multiprocessing::Process;
use std::env;
use std::hint::black_box;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

/// With this variable, the program ends at once.
const BARE: &str = "BENCH_BARE";

const ROWS: &[(&str, &str)] = &[
    ("start this program by `std::process::Command`, wait", "spawn/bare"),
    ("`Process::spawn` a function, `join` its result", "spawn/spawn"),
    ("the same; the parent has 1,000 MB", "spawn/memory"),
    ("Python: `Process` with the start method spawn", "spawn/python-spawn"),
    ("Python: forkserver", "spawn/python-forkserver"),
    ("Python: fork", "spawn/python-fork"),
];

fn main() -> std::io::Result<()> {
    if env::var_os(BARE).is_some() {
        return Ok(());
    }
    multiprocessing::init();
    let mut criterion = Criterion::default()
        .sample_size(30)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(3))
        .configure_from_args();
    bench(&mut criterion);
    criterion.final_summary();
    benches::record("spawn", ROWS)
}

fn bench(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("spawn");
    group.bench_function("bare", |b| {
        b.iter(|| Command::new("/proc/self/exe").env(BARE, "yes").stdin(Stdio::null()).status())
    });
    group.bench_function("spawn", |b| b.iter(spawn_and_join));
    let memory = vec![1u8; 1000 << 20];
    group.bench_function("memory", |b| b.iter(spawn_and_join));
    drop(black_box(memory));
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("spawn.py");
    let methods: &[_] = if benches::has_python() { &["spawn", "forkserver", "fork"] } else { &[] };
    for method in methods {
        group.bench_function(format!("python-{method}"), |b| {
            b.iter_custom(|times| benches::python(&script, method, times))
        });
    }
    group.finish();
}

fn spawn_and_join() {
    let child = Process::spawn(|n: u64| n * n, black_box(12)).expect("it starts");
    assert_eq!(child.join().expect("it returns"), 144);
}
