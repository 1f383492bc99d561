//! What a message costs that goes through a `Queue`, beside crossbeam-channel between threads,
//! ipc-channel, iceoryx2, a pipe and Python's queues; a message there and back; and how many
//! pass through with more and more processes.
//!
//!     cargo bench --bench queue               run it
//!     cargo bench --bench queue -- 64         only the lines with this in their label
//!     RECORD=1 cargo bench --bench queue      and write benches/queue.md
//!
//! With `--features iceoryx2`, that crate is among the peers. It takes a minute to compile.
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

use benches::turns::{Line, ROUNDS, in_turns, rates, table};
use peers::{Load, Run};
use std::time::Duration;
use std::{env, io};

const PEERS: &[(&str, Run)] = &[
    ("crossbeam", peers::crossbeam),
    ("`Queue`", peers::queue),
    ("`put_many`", peers::queue_many),
    ("ipc-channel", peers::ipc_channel),
    ("iceoryx2", iceoryx),
    ("pipe", peers::pipe),
    ("Python `Queue`", peers::python_queue),
    ("`SimpleQueue`", peers::python_simple_queue),
    ("faster-fifo", peers::python_faster_fifo),
];

const LOADS: &[(&str, Load)] = &[
    ("40 B, 1:1", Load::new(1, 1, 40)),
    ("40 B, 4:1", Load::new(4, 1, 40)),
    ("40 B, 1:4", Load::new(1, 4, 40)),
    ("40 B, 4:4", Load::new(4, 4, 40)),
    ("1 KB, 1:1", Load::new(1, 1, 1 << 10)),
    ("1 KB, 4:4", Load::new(4, 4, 1 << 10)),
    ("64 KB, 1:1", Load::new(1, 1, 64 << 10)),
];

#[cfg(feature = "iceoryx2")]
use iceoryx::iceoryx;

#[cfg(not(feature = "iceoryx2"))]
fn iceoryx(_: &Load) -> Option<Duration> {
    None
}

/// As many producers as consumers.
const CROWDS: [u64; 5] = [1, 2, 4, 8, 16];

/// How long one measurement takes, about.
const TARGET: Duration = Duration::from_millis(150);

fn main() -> io::Result<()> {
    multiprocessing::init();
    let plan = Plan::of_arguments();
    let columns: Vec<&str> = PEERS.iter().map(|(label, _)| *label).collect();
    let lines: Vec<Line> =
        LOADS.iter().filter_map(|(label, load)| plan.line(label, load, PEERS)).collect();
    let ping_pong = ping_pong::lines(&plan);
    let crowds: Vec<Line> = CROWDS.iter().filter_map(|n| plan.crowd(*n)).collect();
    if plan.only.is_some() {
        return Ok(());
    }
    let tables = table("Producers to consumers", &columns, &lines)
        + &table("There and back", &ping_pong::COLUMNS, &ping_pong)
        + &rates("In a second", &columns[..2], &crowds);
    let crates = ["crossbeam-channel", "ipc-channel", "iceoryx2"];
    benches::record_with("queue", &tables, &crates)
}

/// How much to do.
struct Plan {
    /// `cargo test`: everything once, with few messages.
    quick: bool,
    only: Option<String>,
}

impl Plan {
    fn of_arguments() -> Self {
        let quick = !env::args().any(|argument| argument == "--bench");
        Self { quick, only: env::args().skip(1).find(|argument| !argument.starts_with('-')) }
    }

    fn wants(&self, label: &str) -> bool {
        self.only.as_ref().is_none_or(|part| label.contains(part))
    }

    fn rounds(&self) -> usize {
        if self.quick { 1 } else { ROUNDS }
    }

    /// How long a message takes, of each peer.
    fn line(&self, label: &str, load: &Load, peers: &[(&str, Run)]) -> Option<Line> {
        if !self.wants(label) {
            return None;
        }
        let measure = |run: Run| {
            let load = self.load(load, run);
            move || Some([run(load.as_ref()?)?.as_nanos() as f64 / load.as_ref()?.messages as f64])
        };
        let measures: Vec<_> = peers.iter().map(|(_, run)| measure(*run)).collect();
        let peers_in_turn: Vec<&dyn Fn() -> Option<[f64; 1]>> =
            measures.iter().map(|measure| measure as _).collect();
        let [line] = in_turns([label.into()], self.rounds(), &peers_in_turn);
        line.print(&peers.iter().map(|(label, _)| *label).collect::<Vec<_>>());
        Some(line)
    }

    fn crowd(&self, n: u64) -> Option<Line> {
        self.line(&format!("{n} and {n}"), &Load::new(n, n, 40), &PEERS[..2])
    }

    /// With so many messages that it takes long enough; nothing if the peer cannot do it.
    fn load(&self, load: &Load, run: Run) -> Option<Load> {
        let mut load = load.with(if self.quick { 256 } else { 1024 });
        loop {
            let time = run(&load)?;
            if self.quick || time >= TARGET / 8 {
                let factor = TARGET.as_secs_f64() / time.as_secs_f64();
                return Some(if self.quick { load } else { load.times(factor) });
            }
            load = load.times(4.0);
        }
    }
}
