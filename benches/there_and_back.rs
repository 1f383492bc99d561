//! A number there and back between two processes, both of them pinned: to two cores or to one.

use crate::plan::Plan;
use crate::turns::{Line, in_turns};
use multiprocessing::Process;
use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::unistd::Pid;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::time::Instant;

/// Before the time is taken.
pub const WARM_UP: u64 = 1_000;

/// The core of the other side, and how many numbers go there and back.
pub type Answers = (usize, u64);

/// The median and the 99th percentile, in nanoseconds; none if this peer is not here.
pub type Figures = Option<[f64; 2]>;

/// Measures all peers on two cores, if there are two, and on one. For each, there are two lines:
/// the median and the 99th percentile.
pub fn lines_of(plan: &Plan, columns: &[&str], peers: &[fn(Answers) -> Figures]) -> Vec<Line> {
    let all = sched_getaffinity(Pid::from_raw(0)).expect("the cores of this process");
    let cores: Vec<usize> =
        (0..CpuSet::count()).filter(|core| all.is_set(*core).unwrap_or(false)).collect();
    let two = cores.get(1).map(|other| ("two cores", *other));
    let places = two.into_iter().chain([("one core", cores[0])]);
    let mut lines = Vec::new();
    for (place, other) in places.filter(|(place, _)| plan.wants(place)) {
        use_core(cores[0]);
        let new = measure(plan, place, other, peers);
        new.iter().for_each(|line| line.print(columns));
        lines.extend(new);
        sched_setaffinity(Pid::from_raw(0), &all).expect("the cores it had");
    }
    lines
}

fn measure(plan: &Plan, place: &str, other: usize, peers: &[fn(Answers) -> Figures]) -> [Line; 2] {
    let answers = (other, WARM_UP + if plan.quick { 100 } else { 10_000 });
    let labels = [format!("{place}, median"), format!("{place}, 99 %")];
    let measures: Vec<_> = peers.iter().map(|peer| move || peer(answers)).collect();
    let in_turn: Vec<&dyn Fn() -> Figures> = measures.iter().map(|measure| measure as _).collect();
    in_turns(labels, plan.rounds(), &in_turn)
}

/// This thread, and what it starts, runs on this core.
pub fn use_core(core: usize) {
    let mut cores = CpuSet::new();
    cores.set(core).expect("a core");
    sched_setaffinity(Pid::from_raw(0), &cores).expect("a core of this process");
}

/// The median and the 99th percentile of so many times, without the first ones.
pub fn time_all(count: u64, mut there_and_back: impl FnMut(u64) -> u64) -> Figures {
    let mut time = |number| {
        let start = Instant::now();
        assert_eq!(there_and_back(number), number);
        start.elapsed().as_nanos() as f64
    };
    let mut times: Vec<f64> = (0..count).map(&mut time).skip(WARM_UP as usize).collect();
    times.sort_by(f64::total_cmp);
    Some([times[times.len() / 2], times[times.len() * 99 / 100]])
}

/// The measure: a socket pair, by hand.
pub fn sockets((core, count): Answers) -> Figures {
    let (ours, theirs) = UnixStream::pair().expect("a pair");
    let answer_all = || {
        use_core(core);
        (0..count).for_each(|_| send(&theirs, receive(&theirs)));
    };
    // SAFETY: the other threads of this program have ended.
    let child = unsafe { Process::fork(answer_all) }.expect("fork");
    let figures = time_all(count, |number| {
        send(&ours, number);
        receive(&ours)
    });
    child.join().expect("it has answered all");
    figures
}

fn send(mut socket: &UnixStream, number: u64) {
    socket.write_all(&number.to_ne_bytes()).expect("the other reads");
}

fn receive(mut socket: &UnixStream) -> u64 {
    let mut bytes = [0; 8];
    socket.read_exact(&mut bytes).expect("the other writes");
    u64::from_ne_bytes(bytes)
}
