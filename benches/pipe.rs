//! A message one way, and there and back: `Connection` beside a socket pair by
//! hand, ipc-channel, and Python's `Pipe`.
//!
//!     cargo bench --bench pipe             run it
//!     RECORD=1 cargo bench --bench pipe    and write benches/pipe.md
//!
//! Both processes run on one core. On two, a reader that keeps up falls asleep after
//! each message and has to be woken, one that lags does not, and which of the two it is
//! changes from run to run: the figures would say more about that than about the peers.

use benches::{Table, python};
use criterion::Criterion;
use ipc_channel::ipc::{IpcBytesReceiver, IpcBytesSender, bytes_channel};
use multiprocessing::{Connection, Process, pipe};
use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::unistd::Pid;
use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant};

const SIZES: [usize; 4] = [8, 1 << 10, 64 << 10, 16 << 20];

const TABLE: Table = Table {
    columns: &[
        ("socket pair", "socket"),
        ("`Connection`", "connection"),
        ("ipc-channel", "ipc_channel"),
        ("Python", "python"),
    ],
    rows: &[("8 B", "8"), ("1 KB", "1024"), ("64 KB", "65536"), ("16 MB", "16777216")],
};

fn main() -> io::Result<()> {
    let mut criterion = Criterion::default()
        .sample_size(40)
        .warm_up_time(Duration::from_millis(200))
        .measurement_time(Duration::from_secs(2))
        .configure_from_args();
    let cores = sched_getaffinity(Pid::from_raw(0))?;
    use_core(0)?;
    bench(&mut criterion, "one_way", one_way);
    bench(&mut criterion, "round_trip", round_trip);
    sched_setaffinity(Pid::from_raw(0), &cores)?;
    criterion.final_summary();
    let one_way = TABLE.read("One way", "one_way")?;
    benches::record_text("pipe", &(one_way + &TABLE.read("There and back", "round_trip")?))
}

/// This process, and what it starts, runs on this core.
fn use_core(core: usize) -> nix::Result<()> {
    let mut cores = CpuSet::new();
    cores.set(core)?;
    sched_setaffinity(Pid::from_raw(0), &cores)
}

/// Both ends of what is measured, for bytes.
trait Ends {
    fn send(&mut self, bytes: &[u8]);
    fn receive(&mut self, length: usize);
}

type Pair = (Box<dyn Ends>, Box<dyn Ends>);

type Measure = fn(Pair, usize, u64) -> Duration;

fn bench(criterion: &mut Criterion, name: &str, measure: Measure) {
    let mut group = criterion.benchmark_group(name);
    for size in SIZES {
        let mut add = |peer: &str, pair: fn() -> Pair| {
            group.bench_function(format!("{peer}-{size}"), |b| {
                b.iter_custom(|times| measure(pair(), size, times));
            });
        };
        add("socket", sockets);
        add("connection", connections);
        add("ipc_channel", ipc_channels);
        if benches::has_python() {
            let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("pipe.py");
            let argument = format!("{name}-{size}");
            group.bench_function(format!("python-{size}"), |b| {
                b.iter_custom(|times| python(&script, &argument, times));
            });
        }
    }
    group.finish();
}

/// A child sends; the first message comes before the time begins.
fn one_way((mut ours, mut theirs): Pair, size: usize, times: u64) -> Duration {
    let send_all = || {
        let bytes = vec![7; size];
        (0..=times).for_each(|_| theirs.send(&bytes));
    };
    // SAFETY: this program has one thread.
    let child = unsafe { Process::fork(send_all) }.expect("fork");
    ours.receive(size);
    let start = Instant::now();
    (0..times).for_each(|_| ours.receive(size));
    let time = start.elapsed();
    child.join().expect("it has sent all");
    time
}

fn round_trip((mut ours, mut theirs): Pair, size: usize, times: u64) -> Duration {
    let bytes = vec![7; size];
    let answer_all = || {
        for _ in 0..=times {
            theirs.receive(size);
            theirs.send(&bytes);
        }
    };
    // SAFETY: this program has one thread.
    let child = unsafe { Process::fork(answer_all) }.expect("fork");
    let mut there_and_back = || {
        ours.send(&bytes);
        ours.receive(size);
    };
    there_and_back();
    let start = Instant::now();
    (0..times).for_each(|_| there_and_back());
    let time = start.elapsed();
    child.join().expect("it has answered all");
    time
}

/// By hand: both processes know the length. The reader has one buffer.
struct Socket(UnixStream, Vec<u8>);

fn sockets() -> Pair {
    let (one, other) = UnixStream::pair().expect("a pair");
    (Box::new(Socket(one, vec![])), Box::new(Socket(other, vec![])))
}

impl Ends for Socket {
    fn send(&mut self, bytes: &[u8]) {
        self.0.write_all(bytes).expect("the other reads");
    }

    fn receive(&mut self, length: usize) {
        self.1.resize(length, 0);
        self.0.read_exact(&mut self.1).expect("the other writes");
    }
}

fn connections() -> Pair {
    let (one, other) = pipe::<[u8], [u8]>().expect("a pair");
    (Box::new(one), Box::new(other))
}

impl Ends for Connection<[u8], [u8]> {
    fn send(&mut self, bytes: &[u8]) {
        self.send_bytes(bytes).expect("the other receives");
    }

    fn receive(&mut self, length: usize) {
        assert_eq!(self.recv_bytes().expect("the other sends").len(), length);
    }
}

fn ipc_channels() -> Pair {
    let (there_in, there_out) = bytes_channel().expect("a channel");
    let (back_in, back_out) = bytes_channel().expect("a channel");
    (Box::new((there_in, back_out)), Box::new((back_in, there_out)))
}

impl Ends for (IpcBytesSender, IpcBytesReceiver) {
    fn send(&mut self, bytes: &[u8]) {
        self.0.send(bytes).expect("the other receives");
    }

    fn receive(&mut self, length: usize) {
        assert_eq!(self.1.recv().expect("the other sends").len(), length);
    }
}
