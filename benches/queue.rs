//! What a message costs that goes through a `Queue`, beside crossbeam-channel between threads,
//! ipc-channel, iceoryx2, a pipe and Python's queues; a message there and back; and how many
//! pass through with more and more processes.
//!
//!     cargo bench --bench queue               run it
//!     cargo bench --bench queue -- 64         only the lines with this in their label
//!     RECORD=1 cargo bench --bench queue      and write benches/queue.md
//!
//! With `--features iceoryx2`, that crate is among the peers, also of what is recorded. It takes
//! a minute to compile.
//!
//! The peers take turns, and a ratio is the median of those of single rounds: see `turns.rs`. The
//! time runs from a common start, a barrier, to the last message got, so no start of a process is
//! in it. A message is made anew each time, as bytes that serde knows as such, and each consumer
//! gets its share of the messages. crossbeam-channel carries what postcard makes of them, as the
//! `Queue` does.
//!
//! Nothing is pinned to a core there, as a program would not do it either: four producers and four
//! consumers share what cores there are. There and back, both sides are pinned, to two cores or to
//! one, because these are two different questions: how fast a waiting process sees a message, and
//! how fast it is woken.

#[cfg(feature = "iceoryx2")]
#[path = "queue/iceoryx.rs"]
mod iceoryx;
#[path = "queue/peers.rs"]
mod peers;
#[path = "queue/ping_pong.rs"]
mod ping_pong;

use benches::plan::Plan;
use benches::turns::{Line, Peer, one_line, rates, table, times};
use peers::{Load, Run};
use std::io;
use std::time::Duration;

const PEERS: &[(&str, Run)] = &[
    ("crossbeam", peers::crossbeam),
    ("`Queue`", peers::queue),
    ("`put_many`", peers::queue_many),
    ("ipc-channel", peers::ipc_channel),
    #[cfg(feature = "iceoryx2")]
    ("iceoryx2", iceoryx::iceoryx),
    ("pipe", peers::pipe),
    ("Python `Queue`", peers::python_queue),
    ("`SimpleQueue`", peers::python_simple_queue),
    ("faster-fifo", peers::python_faster_fifo),
];

const LOADS: &[(&str, Load)] = &[
    ("40 bytes, 1 producer, 1 consumer", Load::new(1, 1, 40)),
    ("40 bytes, 4 producers, 1 consumer", Load::new(4, 1, 40)),
    ("40 bytes, 1 producer, 4 consumers", Load::new(1, 4, 40)),
    ("40 bytes, 4 producers, 4 consumers", Load::new(4, 4, 40)),
    ("1 KB, 1 producer, 1 consumer", Load::new(1, 1, 1 << 10)),
    ("1 KB, 4 producers, 4 consumers", Load::new(4, 4, 1 << 10)),
    ("64 KB, 1 producer, 1 consumer", Load::new(1, 1, 64 << 10)),
];

const CRATES: &[&str] = &[
    "crossbeam-channel",
    "ipc-channel",
    #[cfg(feature = "iceoryx2")]
    "iceoryx2",
];

/// As many producers as consumers.
const CROWDS: [u64; 5] = [1, 2, 4, 8, 16];

/// How long one measurement takes, about.
const TARGET: Duration = Duration::from_millis(150);

fn main() -> io::Result<()> {
    multiprocessing::init();
    let plan = Plan::of_arguments();
    let columns: Vec<&str> = PEERS.iter().map(|(label, _)| *label).collect();
    let lines: Vec<Line> =
        LOADS.iter().filter_map(|(label, load)| line(&plan, label, load, PEERS)).collect();
    let ping_pong = ping_pong::lines(&plan);
    let crowds: Vec<Line> = CROWDS.iter().filter_map(|n| crowd(&plan, *n)).collect();
    if !plan.is_whole() {
        return Ok(());
    }
    let tables = table("time of a message", &columns, &lines)
        + &times("time there and back", &ping_pong::COLUMNS, &ping_pong)
        + &rates("messages in a second", &columns[..2], &crowds);
    benches::record_with("queue", &tables, CRATES)
}

/// How long a message takes, of each peer.
fn line(plan: &Plan, label: &str, load: &Load, peers: &[(&str, Run)]) -> Option<Line> {
    if !plan.wants(label) {
        return None;
    }
    let measure = |(_, run): &(&str, Run)| -> Peer {
        let (run, load) = (*run, sized(plan, load, *run));
        Box::new(move || {
            let load = load.as_ref()?;
            Some(run(load)?.as_nanos() as f64 / load.messages as f64)
        })
    };
    let measures: Vec<Peer> = peers.iter().map(measure).collect();
    let line = one_line(label, plan.rounds(), &measures);
    line.print(&peers.iter().map(|(label, _)| *label).collect::<Vec<_>>());
    Some(line)
}

fn crowd(plan: &Plan, n: u64) -> Option<Line> {
    let plural = if n == 1 { "" } else { "s" };
    let label = format!("{n} producer{plural}, {n} consumer{plural}");
    line(plan, &label, &Load::new(n, n, 40), &PEERS[..2])
}

/// With so many messages that it takes long enough; nothing if the peer cannot do it.
fn sized(plan: &Plan, load: &Load, run: Run) -> Option<Load> {
    let mut load = load.with(if plan.quick { 256 } else { 1024 });
    loop {
        let time = run(&load)?;
        if plan.quick || time >= TARGET / 8 {
            let factor = TARGET.as_secs_f64() / time.as_secs_f64();
            return Some(if plan.quick { load } else { load.times(factor) });
        }
        load = load.times(4.0);
    }
}
