//! Copying into shared memory and out of it, beside a copy in memory of one's own.
//!
//!     cargo bench --bench shared_memory             run it
//!     RECORD=1 cargo bench --bench shared_memory    and write benches/shared_memory.md

use benches::{Table, python};
use criterion::Criterion;
use multiprocessing::{Array, RawArray, SharedMemory};
use std::hint::black_box;
use std::io;
use std::path::Path;
use std::process::id;
use std::time::Duration;

const SIZES: [usize; 2] = [64 << 10, 16 << 20];

const TABLE: Table = Table {
    columns: &[
        ("vector", "own"),
        ("`Array`", "array"),
        ("`RawArray`", "raw"),
        ("`SharedMemory`", "named"),
        ("Python: slice", "python-array"),
        ("Python: view", "python-view"),
        ("Python: `buf`", "python-named"),
    ],
    rows: &[("64 KB", "65536"), ("16 MB", "16777216")],
};

fn main() -> io::Result<()> {
    let mut criterion = Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1))
        .configure_from_args();
    for size in SIZES {
        write(&mut criterion, size);
        read(&mut criterion, size);
    }
    criterion.final_summary();
    let (write, read) = (TABLE.read("Copy in", "write")?, TABLE.read("Copy out", "read")?);
    benches::record_text("shared_memory", &(write + &read))
}

fn named(size: usize) -> SharedMemory {
    SharedMemory::create(&format!("bench-{}-{size}", id()), size).expect("memory")
}

fn write(criterion: &mut Criterion, size: usize) {
    let mut group = criterion.benchmark_group("write");
    let from = vec![7u8; size];
    let mut own = vec![1u8; size];
    group.bench_function(format!("own-{size}"), |b| {
        b.iter(|| black_box(&mut own).copy_from_slice(black_box(&from)))
    });
    let array = Array::<u8>::new(size).expect("memory");
    group.bench_function(format!("array-{size}"), |b| {
        b.iter(|| array.lock().expect("free").copy_from_slice(black_box(&from)))
    });
    let raw = RawArray::<u8>::new(size).expect("memory");
    group.bench_function(format!("raw-{size}"), |b| {
        b.iter(|| raw.write(0, black_box(&from)).expect("so long"))
    });
    let block = named(size);
    group.bench_function(format!("named-{size}"), |b| {
        b.iter(|| block.write(0, black_box(&from)).expect("so long"))
    });
    of_python(&mut group, "write", size);
}

fn read(criterion: &mut Criterion, size: usize) {
    let mut group = criterion.benchmark_group("read");
    let own = vec![7u8; size];
    let mut to = vec![1u8; size];
    group.bench_function(format!("own-{size}"), |b| {
        b.iter(|| black_box(&mut to).copy_from_slice(black_box(&own)))
    });
    let array = Array::from_slice(&own).expect("memory");
    group.bench_function(format!("array-{size}"), |b| {
        b.iter(|| black_box(&mut to).copy_from_slice(&array.lock().expect("free")))
    });
    let raw = RawArray::from_slice(&own).expect("memory");
    group.bench_function(format!("raw-{size}"), |b| {
        b.iter(|| raw.read(0, black_box(&mut to)).expect("so long"))
    });
    let block = named(size);
    block.write(0, &own).expect("so long");
    group.bench_function(format!("named-{size}"), |b| {
        b.iter(|| block.read(0, black_box(&mut to)).expect("so long"))
    });
    of_python(&mut group, "read", size);
}

type Group<'a> = criterion::BenchmarkGroup<'a, criterion::measurement::WallTime>;

fn of_python(group: &mut Group, mode: &str, size: usize) {
    if !benches::has_python() {
        return;
    }
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("shared_memory.py");
    for kind in ["array", "view", "named"] {
        let argument = format!("{kind}-{mode}-{size}");
        group.bench_function(format!("python-{kind}-{size}"), |b| {
            b.iter_custom(|times| python(&script, &argument, times))
        });
    }
}
