//! What a call of a `Manager`'s object costs, beside a round trip of the same bytes through a bare
//! socket, Python's manager and a lock in shared memory; with 1,000 clients that wait; and its start.
//!
//!     cargo bench --bench manager               run it
//!     cargo bench --bench manager -- TCP        only the lines with this in their label
//!     RECORD=1 cargo bench --bench manager      and write benches/manager.md
//!
//! The peers take turns, and a ratio is the median of those of single rounds: see `turns.rs`. A
//! call sets a value in a dictionary. Each client is a process. All of them, and the server, are
//! pinned to one core: where the kernel puts them would decide, not what a call costs. The time
//! runs in the clients, from a common start to the end of the last one.

#[path = "manager/peers.rs"]
mod peers;

use benches::plan::Plan;
use benches::there_and_back::use_core;
use benches::turns::{Line, Peer, one_line, table};
use multiprocessing::{Manager, Process};
use peers::{Load, Through};
use std::path::Path;
use std::time::Instant;
use std::{fs, io};

const CALLS: [&str; 4] = ["bare socket", "`Manager`", "Python", "`Lock`"];
const STARTS: [&str; 3] = ["`Process`", "`Manager`", "Python"];

const LOADS: &[(&str, Load)] = &[
    ("1 client", Load { clients: 1, through: Through::Pair }),
    ("2 clients", Load { clients: 2, through: Through::Pair }),
    ("4 clients", Load { clients: 4, through: Through::Pair }),
    ("16 clients", Load { clients: 16, through: Through::Pair }),
    ("a Unix socket", Load { clients: 1, through: Through::Unix }),
    ("TCP", Load { clients: 1, through: Through::Tcp }),
];

fn main() -> io::Result<()> {
    multiprocessing::init();
    let plan = Plan::of_arguments();
    use_core(0);
    let mut calls: Vec<Line> =
        LOADS.iter().filter_map(|(label, load)| calls(&plan, label, load)).collect();
    calls.extend(waiting(&plan));
    let starts: Vec<Line> = starts(&plan).into_iter().collect();
    let memory = if plan.wants("memory") { memory(&plan)? } else { String::new() };
    println!("{memory}");
    if !plan.is_whole() {
        return Ok(());
    }
    let tables = table("time of a call", &CALLS, &calls) + &table("start", &STARTS, &starts);
    benches::record_text("manager", &(tables + &memory))
}

fn calls(plan: &Plan, label: &str, load: &Load) -> Option<Line> {
    let count = plan.some(20_000) / load.clients as u64;
    let measured = |run: peers::Run| -> Peer {
        Box::new(move || Some(run(load, count)? / (load.clients as u64 * count) as f64))
    };
    let runs = [peers::raw, peers::manager, peers::python, peers::lock].map(measured);
    line(plan, label, &CALLS, &runs)
}

fn line(plan: &Plan, label: &str, columns: &[&str], peers: &[Peer]) -> Option<Line> {
    plan.wants(label).then(|| {
        let line = one_line(label, plan.rounds(), peers);
        line.print(columns);
        line
    })
}

/// As many clients as wait, in the lines about waiting.
fn crowd(plan: &Plan) -> u64 {
    plan.some(1_000)
}

/// A call while others wait for the same object; and a put for each of those who wait. Only the
/// measure and the manager do it.
fn waiting(plan: &Plan) -> Vec<Line> {
    let (crowd, count) = (crowd(plan), plan.some(20_000));
    let alone = Load { clients: 1, through: Through::Pair };
    let times: [(&str, &dyn Fn() -> f64); 2] = [
        ("1,000 others wait", &|| peers::call_beside(crowd, count) / count as f64),
        ("a put for each of 1,000 that wait", &|| peers::put_for_all(crowd) / crowd as f64),
    ];
    let lines = times.map(|(label, time)| {
        let peers: [Peer; 4] = [
            Box::new(|| Some(peers::raw(&alone, count)? / count as f64)),
            Box::new(|| Some(time())),
            Box::new(|| None),
            Box::new(|| None),
        ];
        line(plan, label, &CALLS, &peers)
    });
    lines.into_iter().flatten().collect()
}

fn starts(plan: &Plan) -> Option<Line> {
    let count = plan.some(100);
    let each = |time: f64| Some(time / count as f64);
    let timed = |start: fn()| {
        move || {
            let begin = Instant::now();
            (0..count).for_each(|_| start());
            each(begin.elapsed().as_nanos() as f64)
        }
    };
    let peers: [Peer; 3] = [
        Box::new(timed(|| Process::spawn(|()| (), ()).and_then(Process::join).expect("it starts"))),
        Box::new(timed(|| drop(Manager::start().and_then(|m| m.event()).expect("it starts")))),
        Box::new(move || {
            let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("manager.py");
            let seconds = || benches::python(&script, "start-1", count).as_nanos() as f64;
            benches::has_python().then(seconds).and_then(each)
        }),
    ];
    line(plan, "there, and its end", &STARTS, &peers)
}

/// What the server's memory grows by for each client.
fn memory(plan: &Plan) -> io::Result<String> {
    let crowd = crowd(plan);
    let (before, after) = peers::memory_for(crowd, |pid| {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
        let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        resident.and_then(|kb| kb.trim().strip_suffix(" kB")?.parse().ok()).unwrap_or(0)
    });
    let each = (after - before) as f64 / crowd as f64;
    Ok(format!("The server has {before} KB, and for each client that waits {each:.0} KB more.\n"))
}
