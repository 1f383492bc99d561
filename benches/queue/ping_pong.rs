//! A number there and back, through two queues.

use crate::Plan;
use benches::turns::{Line, in_turns};
use crossbeam_channel::bounded;
use multiprocessing::{Process, Queue};
use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::unistd::Pid;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::thread;
use std::time::Instant;

pub const COLUMNS: [&str; 3] = ["socket pair", "`Queue`", "crossbeam"];

/// Before the time is taken.
const WARM_UP: u64 = 1_000;

/// The core of the other side, and how many numbers go there and back.
type Answers = (usize, u64);

/// The median and the 99th percentile, in nanoseconds.
type Figures = Option<[f64; 2]>;

/// On two cores, if there are two, and on one.
pub fn lines(plan: &Plan) -> Vec<Line> {
    let all = sched_getaffinity(Pid::from_raw(0)).expect("the cores of this process");
    let cores: Vec<usize> =
        (0..CpuSet::count()).filter(|core| all.is_set(*core).unwrap_or(false)).collect();
    let two = cores.get(1).map(|other| ("two cores", *other));
    let places = two.into_iter().chain([("one core", cores[0])]);
    let mut lines = Vec::new();
    for (place, other) in places.filter(|(place, _)| plan.wants(place)) {
        use_core(cores[0]);
        lines.extend(measure(plan, place, other));
        sched_setaffinity(Pid::from_raw(0), &all).expect("the cores it had");
    }
    lines
}

fn measure(plan: &Plan, place: &str, other: usize) -> [Line; 2] {
    let answers = (other, WARM_UP + if plan.quick { 100 } else { 20_000 });
    let labels = [format!("{place}, median"), format!("{place}, 99 %")];
    let peers: [&dyn Fn() -> Figures; 3] =
        [&|| Some(sockets(answers)), &|| Some(queues(answers)), &|| Some(channels(answers))];
    let lines = in_turns(labels, plan.rounds(), &peers);
    lines.iter().for_each(|line| line.print(&COLUMNS));
    lines
}

/// This thread, and what it starts, runs on this core.
fn use_core(core: usize) {
    let mut cores = CpuSet::new();
    cores.set(core).expect("a core");
    sched_setaffinity(Pid::from_raw(0), &cores).expect("a core of this process");
}

fn time_all(count: u64, mut there_and_back: impl FnMut(u64) -> u64) -> [f64; 2] {
    let mut time = |number| {
        let start = Instant::now();
        assert_eq!(there_and_back(number), number);
        start.elapsed().as_nanos() as f64
    };
    let mut times: Vec<f64> = (0..count).map(&mut time).skip(WARM_UP as usize).collect();
    times.sort_by(f64::total_cmp);
    [times[times.len() / 2], times[times.len() * 99 / 100]]
}

fn queues((core, count): Answers) -> [f64; 2] {
    let (there, back) = (Queue::new(16).expect("memory"), Queue::new(16).expect("memory"));
    let queues = (there.clone(), back.clone());
    let child = Process::spawn(answer_all, (queues, (core, count))).expect("it starts");
    let figures = time_all(count, |number| {
        there.put(number).expect("open");
        back.get().expect("open")
    });
    child.join().expect("it has answered all");
    figures
}

fn answer_all(((there, back), (core, count)): ((Queue<u64>, Queue<u64>), Answers)) {
    use_core(core);
    (0..count).for_each(|_| back.put(there.get().expect("open")).expect("open"));
}

fn channels((core, count): Answers) -> [f64; 2] {
    let (there_in, there_out) = bounded::<u64>(16);
    let (back_in, back_out) = bounded(16);
    let answer_all = move || {
        use_core(core);
        (0..count).for_each(|_| back_in.send(there_out.recv().expect("open")).expect("open"));
    };
    let thread = thread::spawn(answer_all);
    let figures = time_all(count, |number| {
        there_in.send(number).expect("open");
        back_out.recv().expect("open")
    });
    thread.join().expect("it has answered all");
    figures
}

fn sockets((core, count): Answers) -> [f64; 2] {
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
