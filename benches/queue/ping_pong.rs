//! A number there and back, through two queues.

use benches::plan::Plan;
use benches::there_and_back::{Answers, Figures, lines_of, sockets, time_all, use_core};
use benches::turns::Line;
use crossbeam_channel::bounded;
use multiprocessing::{Process, Queue};
use std::thread;

pub const COLUMNS: [&str; 3] = ["socket pair", "`Queue`", "crossbeam"];

pub fn lines(plan: &Plan) -> Vec<Line> {
    lines_of(plan, &COLUMNS, &[sockets, queues, channels])
}

fn queues((core, count): Answers) -> Figures {
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

fn channels((core, count): Answers) -> Figures {
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
