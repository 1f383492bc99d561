//! The exercises of the chapter `process`.

use crate::exercise;
use crate::exercise::{Exercise, Verdict};
use crate::hang::is_running;
use crate::rest::Rest;
use crate::see::{Program, expect, workers};
use crate::seen::{End, Process, Seen};
use crate::waits::Waits;
use crate::watch::Act;
use std::time::{Duration, Instant};

/// Until then a child starts, and its parent may wait for several things.
const STARTING: Duration = Duration::from_millis(300);

/// The limit wakes the program, and so does what it does then. A pool has work of its own.
const MOST_WAKES: i32 = 12;

pub const EXERCISES: &[Exercise] = &[
    exercise!(
        "process_quickest", "process",
        look: "Which of them ends first?",
        goal: "Take the answer of the child that ends first, and end the others.",
        hints: [
            "`join` waits for one child, the one that you ask. Which function waits for the first of many?",
            "`multiprocessing::wait(&children, None)?` returns the places of those that have ended. `children.remove(place)` takes one out.",
            "A child that you do not need is killed by `kill()`, which does not wait for its end. `wait()` does.",
        ],
        quickest
    ),
    exercise!(
        "process_limit", "process",
        look: "How do I wait, but not for ever?",
        goal: "Wait for a result, but a second at most; then end the child.",
        hints: [
            "There is a wait with a limit. What does it return?",
            "If `child.wait_timeout(LIMIT)` is true, `join` returns at once. If not, the child still runs.",
            "After the limit: `child.kill()?`, then `child.wait()`, so that it is gone when the program goes on.",
        ],
        limit
    ),
    exercise!(
        "process_retry", "process",
        look: "Did it work?",
        goal: "Work on all tasks at once, and replace a child that breaks, twice at most.",
        hints: [
            "Two `Result`s lie in each other: the outer one says whether the child broke, the inner one is what the function returned.",
            "Start a child for each task, and keep the handles in a `Vec`. Only then join them.",
            "Keep a `Vec` of results, `None` at first. In each of three rounds, start a child for each task that has none, and join them all.",
        ],
        retry
    ),
];

fn quickest(program: &Program) -> Verdict {
    for quick in ["1", "0", "2"] {
        program.with(&[quick], |seen| {
            seen.has_children(3)?;
            seen.succeeded()?;
            let answered = seen.children().find(|child| child.end == Some(End::Exited(0)));
            let said = |child: &Process| format!("process {}", child.pid);
            let is_child = seen.children().any(|child| seen.lines() == [said(child)]);
            match answered {
                Some(child) => seen.printed(&[&said(child)])?,
                None => expect(is_child, || {
                    "Every child was killed, and the program did not print which had answered."
                        .into()
                })?,
            }
            seen.worked_in_children("ask", 1)?;
            seen.waited_for_all()
        })?;
    }
    let nobody = Rest::of(program, &["3"], 3);
    nobody.map_err(|why| format!("It was run with `3`, so that no child answers. {why}"))
}

fn limit(program: &Program) -> Verdict {
    for (word, line) in [("word", "4 letters"), ("anything", "8 letters")] {
        let once = || program.with(&[word], |seen| in_time(seen, line));
        once().or_else(|_| once())?; // a busy machine may have been too slow
    }
    never(program).map_err(|why| format!("It was run with `never`. {why}"))
}

fn in_time(seen: &Seen, line: &str) -> Verdict {
    seen.has_children(1)?;
    let child = seen.children().next().map_or(0, |child| child.pid);
    seen.printed(&[&format!("{line}, says process {child}")])?;
    seen.worked_in_children("work", 1)?;
    seen.waited_for_all()?;
    seen.succeeded()
}

fn never(program: &Program) -> Verdict {
    let (mut waits, mut begun) = (Waits::default(), None);
    let seen = program.watch(&["never"], |live| {
        if live.processes.len() > 1 && begun.get_or_insert_with(Instant::now).elapsed() > STARTING {
            waits.look(live);
        }
        Act::Nothing
    });
    waits.judge(MOST_WAKES)?;
    let seen = seen?;
    seen.printed(&["too late"])?;
    expect(seen.time >= Duration::from_secs(1), || {
        let time = seen.time.as_millis();
        format!("It should wait a second for the child, but it ended after {time} ms.")
    })?;
    seen.waited_for_all()?;
    seen.succeeded()
}

fn retry(program: &Program) -> Verdict {
    let tasks = ["7", "flaky", "bad", "wrong"];
    program.with(&tasks, |seen| {
        seen.printed(&[
            "7: attempt 1",
            "flaky: attempt 3",
            "bad: given up",
            "wrong: no such task",
        ])?;
        has_workers(seen, 8)?;
        seen.succeeded()
    })?;
    all_killed(program).map_err(|why| format!("It was run with `slow slow slow`. {why}"))
}

/// All three first children say that they are at work, and are then killed.
fn all_killed(program: &Program) -> Verdict {
    let (mut begun, mut at_once) = (None, 0);
    let mut doomed: Option<Vec<usize>> = None;
    let seen = program.watch(&["slow", "slow", "slow"], |live| {
        if doomed.is_none() && live.stdout.contains("slow") {
            at_once = live.stdout.lines().filter(|line| *line == "slow").count();
            let begun = begun.get_or_insert_with(Instant::now);
            let is_idle = !live.processes.iter().any(|p| p.end.is_none() && is_running(p.pid));
            match is_idle && begun.elapsed() > Duration::from_secs(2) {
                _ if at_once == 3 => doomed = Some(workers(&live.processes).collect()),
                true => doomed = Some((0..live.processes.len()).collect()),
                false => (),
            }
        }
        let doomed = doomed.as_mut().filter(|doomed| !doomed.is_empty());
        doomed.map_or(Act::Nothing, |doomed| Act::Kill(doomed.remove(0)))
    })?;
    expect(at_once == 3, || {
        format!(
            "Three children should work at the same time, but two seconds after the first had begun, {at_once} did."
        )
    })?;
    let attempts: Vec<_> = seen.lines().into_iter().filter(|line| *line != "slow").collect();
    expect(attempts == ["slow: attempt 2"; 3], || {
        format!(
            "When all three had begun, the check killed them. It should then print `slow: attempt 2` three times, but it printed {attempts:?}."
        )
    })?;
    has_workers(&seen, 6)?;
    seen.succeeded()
}

fn has_workers(seen: &Seen, expected: usize) -> Verdict {
    let count = workers(&seen.processes).count();
    expect(count == expected, || {
        format!("Your program should start {expected} children, but it started {count} children.")
    })?;
    seen.waited_for_workers()
}
