//! What a `Pool` costs beside Python's: empty tasks, a task there and back, how much of the workers'
//! time is used for tasks of some length, and large arguments.
//!
//!     cargo bench --bench pool               run it
//!     cargo bench --bench pool -- 10         only the lines with this in their label
//!     RECORD=1 cargo bench --bench pool      and write benches/pool.md
//!
//! The peers take turns, and a ratio is the median of those of single rounds: see `turns.rs`. All
//! have two workers, one for the round trip. No start of a worker is in the time, and each peer
//! has done a tenth of its tasks before, so that the workers are there and `map` knows how long a
//! task takes. Slow peers do fewer tasks.
//!
//! An empty task returns the number that it was given. Without processes, threads that share a
//! channel and rayon show how fast it can be. Only the round trip is pinned to cores: see
//! `there_and_back.rs`.
//!
//! The time used is the part of two workers' time that is spent inside the tasks. A task looks at
//! the clock until its time has passed. Two processes that know from the start that each does a
//! half show how much is possible on this machine.

#[path = "pool/peers.rs"]
mod peers;

use benches::plan::Plan;
use benches::there_and_back::{lines_of, sockets};
use benches::turns::{Line, Peer, grid, one_line, ranking, times};
use peers::Run;
use std::time::Duration;
use std::{io, slice};

/// How many tasks each does.
const EMPTY: &[(&str, u64, Run)] = &[
    ("Python, chunks of 1", 5_000, |count| peers::python("map-1", count)),
    ("Python, chunks of 100", 100_000, |count| peers::python("map-100", count)),
    ("Python, its choice", 100_000, |count| peers::python("map", count)),
    ("loky", 2_000, peers::loky),
    ("procspawn", 1_000, peers::procspawn),
    ("`map`", 100_000, |count| peers::map(count, None)),
    ("`map`, chunks of 1", 30_000, |count| peers::map(count, Some(1))),
    ("`map`, chunks of 10", 100_000, |count| peers::map(count, Some(10))),
    ("`map`, chunks of 100", 100_000, |count| peers::map(count, Some(100))),
    ("`map`, chunks of 1,000", 100_000, |count| peers::map(count, Some(1000))),
    ("threads, a channel", 100_000, peers::threads),
    ("rayon", 100_000, peers::rayon),
];

const THERE_AND_BACK: &[&str] = &["socket pair", "`apply`", "Python `apply`"];

/// How long a task takes, in microseconds.
const LENGTHS: [(&str, u64); 5] =
    [("1 µs", 1), ("10 µs", 10), ("100 µs", 100), ("1 ms", 1_000), ("10 ms", 10_000)];

const CHUNKS: [usize; 4] = [1, 10, 100, 1000];

/// How long two workers need for the tasks of a measurement.
const TARGET: Duration = Duration::from_millis(200);

/// Of 1 MB each.
const BYTES: &[(&str, u64, Run)] = &[
    ("Python `bytes`", 64, |count| peers::python("echo", count)),
    ("`ByteBuf`", 64, peers::echo_bytes),
    ("`Vec<u8>`", 64, peers::echo_vec),
];

fn main() -> io::Result<()> {
    multiprocessing::init();
    procspawn::init();
    let plan = Plan::of_arguments();
    // First, as it forks: some peers leave threads that take a while to end.
    let there_and_back =
        lines_of(&plan, THERE_AND_BACK, &[sockets, peers::apply, peers::python_apply]);
    let empty = measure(&plan, "an empty task", EMPTY);
    let used = |(label, length): &(&str, u64)| used(&plan, label, *length);
    let used: Vec<Line> = LENGTHS.iter().filter_map(used).collect();
    let bytes = measure(&plan, "1 MB there and back", BYTES);
    let (Some(empty), Some(bytes), true) = (empty, bytes, plan.is_whole()) else { return Ok(()) };
    let tables = ranking(&empty, &labels(EMPTY))
        + &times("time there and back", THERE_AND_BACK, &there_and_back)
        + &used_table(&used)
        + &grid("bytes in a second", &labels(BYTES), &[bytes], megabytes);
    benches::record_with("pool", &tables, &["procspawn", "rayon", "crossbeam-channel"])
}

fn labels(peers: &[(&'static str, u64, Run)]) -> Vec<&'static str> {
    peers.iter().map(|(label, ..)| *label).collect()
}

/// The time of one task.
fn measure(plan: &Plan, label: &str, peers: &[(&'static str, u64, Run)]) -> Option<Line> {
    if !plan.wants(label) {
        return None;
    }
    let peer = |(_, count, run): &(&str, u64, Run)| -> Peer {
        let (count, run) = (plan.some(*count), *run);
        Box::new(move || run(count).map(|time| each(time, count)))
    };
    let measures: Vec<Peer> = peers.iter().map(peer).collect();
    let line = one_line(label, plan.rounds(), &measures);
    line.print(&labels(peers));
    Some(line)
}

fn each(time: Duration, count: u64) -> f64 {
    time.as_nanos() as f64 / count as f64
}

/// How much of the time of two workers one task takes, in its lengths: 1.0 is all that there is.
fn used(plan: &Plan, label: &str, length: u64) -> Option<Line> {
    let count = plan.some(2 * TARGET.as_micros() as u64 / length);
    let taken = move |time| 2.0 * each(time, count) / (length as f64 * 1e3);
    let spin = |chunk| -> Peer { Box::new(move || Some(taken(peers::spin(length, count, chunk)))) };
    let mut all: Vec<Peer> = vec![
        Box::new(move || Some(taken(peers::two_processes(length, count)))),
        Box::new(move || peers::python(&format!("spin-{length}"), count).map(taken)),
        spin(None),
    ];
    all.extend(CHUNKS.map(|chunk| spin(Some(chunk))));
    let line = plan.wants(label).then(|| one_line(label, plan.rounds(), &all))?;
    print!("{}", used_table(slice::from_ref(&line)));
    Some(line)
}

/// Of the chunks of fixed sizes, the best is shown.
fn used_table(lines: &[Line]) -> String {
    let percent = |taken: f64| format!("{:.0}\u{a0}%", 100.0 / taken);
    let columns = ["two processes", "Python `map`", "`map`", "`map`, best chunks"];
    grid("time used, tasks of", &columns, lines, |line, peer| {
        if peer < 3 {
            return line.median(peer).map(percent);
        }
        let chunks =
            CHUNKS.iter().zip(3..).filter_map(|(chunk, at)| Some((line.median(at)?, chunk)));
        let (taken, chunk) = chunks.min_by(|a, b| a.0.total_cmp(&b.0))?;
        Some(format!("{} (of\u{a0}{chunk})", percent(taken)))
    })
}

/// Of arguments and results together.
fn megabytes(line: &Line, peer: usize) -> Option<String> {
    let bytes = 2.0 * peers::LARGE as f64;
    line.median(peer).map(|time| format!("{}\u{a0}MB", benches::two_digits(bytes * 1e3 / time)))
}
