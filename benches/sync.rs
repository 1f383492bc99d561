//! What a lock costs: taken by one process alone, and by two that want it all the
//! time.
//!
//!     cargo bench --bench sync             run it
//!     RECORD=1 cargo bench --bench sync    and write benches/sync.md
//!
//! Contended, two processes on two cores add to a number so often in all, under the
//! lock. The time is that of one addition.

use benches::{Table, python};
use criterion::Criterion;
use multiprocessing::{Barrier, Process, Value};
use nix::libc;
use std::hint::black_box;
use std::io;
use std::mem::MaybeUninit;
use std::path::Path;
use std::ptr;
use std::sync::Mutex;
use std::time::{Duration, Instant};

const ALONE: Table = Table {
    columns: &[
        ("std `Mutex`", "std"),
        ("`Value`", "value"),
        ("POSIX, robust", "posix"),
        ("Python `Value`", "python"),
    ],
    rows: &[("lock, add 1", "1")],
};

const CONTENDED: Table = Table {
    columns: &[("POSIX, robust", "posix"), ("`Value`", "value"), ("Python `Value`", "python")],
    rows: &[("lock, add 1", "2")],
};

fn main() -> io::Result<()> {
    let mut criterion = Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(2))
        .configure_from_args();
    alone(&mut criterion);
    contended(&mut criterion);
    criterion.final_summary();
    let (alone, contended) =
        (ALONE.read("One process", "alone")?, CONTENDED.read("Two processes", "contended")?);
    benches::record_text("sync", &(alone + &contended))
}

fn alone(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("alone");
    let mutex = Mutex::new(0u64);
    group.bench_function("std-1", |b| b.iter(|| *black_box(&mutex).lock().expect("no panic") += 1));
    let value = Value::new(0u64).expect("memory");
    group.bench_function("value-1", |b| b.iter(|| add(black_box(&value))));
    let posix = posix();
    group.bench_function("posix-1", |b| b.iter(|| black_box(&mut *posix).add()));
    of_python(&mut group, "1");
}

fn contended(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("contended");
    let posix = posix();
    group.bench_function("posix-2", |b| b.iter_custom(|times| by_two(times, || posix.add())));
    let value = Value::new(0u64).expect("memory");
    group.bench_function("value-2", |b| b.iter_custom(|times| by_two(times, || add(&value))));
    of_python(&mut group, "2");
}

fn add(value: &Value<u64>) {
    *value.lock().expect("no holder dies") += 1;
}

/// Each of two processes does half of it.
fn by_two(times: u64, mut add: impl FnMut()) -> Duration {
    let start = Barrier::new(2).expect("memory");
    let mut work = || {
        start.wait().expect("both come");
        (0..times.div_ceil(2)).for_each(|_| add());
    };
    // SAFETY: this program has one thread.
    let child = unsafe { Process::fork(&mut work) }.expect("fork");
    let begin = Instant::now();
    work();
    child.join().expect("it has added all");
    begin.elapsed()
}

type Group<'a> = criterion::BenchmarkGroup<'a, criterion::measurement::WallTime>;

fn of_python(group: &mut Group, processes: &str) {
    if benches::has_python() {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("sync.py");
        group.bench_function(format!("python-{processes}"), |b| {
            b.iter_custom(|times| python(&script, processes, times))
        });
    }
}

/// The peer: a robust mutex of POSIX and a number, in shared memory, by hand.
#[repr(C)]
struct Posix {
    mutex: libc::pthread_mutex_t,
    number: u64,
}

fn posix() -> &'static mut Posix {
    let (size, access) = (size_of::<Posix>(), libc::PROT_READ | libc::PROT_WRITE);
    let flags = libc::MAP_SHARED | libc::MAP_ANONYMOUS;
    let mut attributes = MaybeUninit::uninit();
    let attributes = attributes.as_mut_ptr();
    // SAFETY: the memory has room for it, zeroes are a valid number, and the mutex is
    // made before anybody sees it.
    #[expect(clippy::multiple_unsafe_ops_per_block, reason = "one thing: make the mutex")]
    unsafe {
        let place = libc::mmap(ptr::null_mut(), size, access, flags, -1, 0).cast::<Posix>();
        libc::pthread_mutexattr_init(attributes);
        libc::pthread_mutexattr_setpshared(attributes, libc::PTHREAD_PROCESS_SHARED);
        libc::pthread_mutexattr_setrobust(attributes, libc::PTHREAD_MUTEX_ROBUST);
        libc::pthread_mutex_init(&raw mut (*place).mutex, attributes);
        &mut *place
    }
}

impl Posix {
    fn add(&mut self) {
        // SAFETY: the mutex was made.
        unsafe { libc::pthread_mutex_lock(&mut self.mutex) };
        *black_box(&mut self.number) += 1;
        // SAFETY: it is held.
        unsafe { libc::pthread_mutex_unlock(&mut self.mutex) };
    }
}
