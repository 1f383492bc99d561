//! The exercises of the chapter `process`.

use crate::exercise;
use crate::exercise::{Exercise, Verdict};
use crate::see::{Program, Waits, expect};
use crate::watch::{Act, Live};
use std::time::{Duration, Instant};

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
        goal: "Work on all tasks at once, and replace each child that breaks, up to three times.",
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
            seen.printed(&[&format!("child {quick}")])?;
            seen.waited_for_all()?;
            seen.succeeded()
        })?;
    }
    Ok(())
}

fn limit(program: &Program) -> Verdict {
    for (word, line) in [("word", "4 letters"), ("anything", "8 letters")] {
        program.with(&[word], |seen| {
            seen.has_children(1)?;
            seen.printed(&[line])?;
            seen.waited_for_all()?;
            seen.succeeded()
        })?;
    }
    never(program).map_err(|why| format!("It was run with `never`. {why}"))
}

fn never(program: &Program) -> Verdict {
    let mut waits = Waits::default();
    let seen = program.watch(&["never"], |live| {
        if live.processes.len() > 1 {
            waits.look(live);
        }
        Act::Nothing
    })?;
    seen.has_children(1)?;
    seen.printed(&["too late"])?;
    expect(seen.time >= Duration::from_secs(1), || {
        let time = seen.time.as_millis();
        format!("It should wait a second for the child, but it ended after {time} ms.")
    })?;
    waits.judge()?;
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
        seen.has_children(8)?;
        seen.waited_for_all()?;
        seen.succeeded()
    })?;
    let told = "It was run with `slow slow slow`, and the children were killed when all had begun.";
    all_killed(program).map_err(|why| format!("{told} {why}"))
}

/// All three first children say that they are at work, and are then killed.
fn all_killed(program: &Program) -> Verdict {
    let (mut begun, mut at_once) = (None, 0);
    let mut doomed: Option<Vec<usize>> = None;
    let seen = program.watch(&["slow", "slow", "slow"], |live| {
        if doomed.is_none() && live.stdout.contains("slow") {
            at_once = live.stdout.lines().filter(|line| *line == "slow").count();
            let begun = begun.get_or_insert_with(Instant::now);
            match begun.elapsed() > Duration::from_secs(2) {
                _ if at_once == 3 => {
                    doomed = Some(living(live).filter(|place| *place > 0).collect())
                }
                true => doomed = Some(living(live).collect()),
                false => (),
            }
        }
        let next =
            doomed.as_mut().and_then(|doomed| (!doomed.is_empty()).then(|| doomed.remove(0)));
        next.map_or(Act::Nothing, Act::Kill)
    })?;
    expect(at_once == 3, || {
        format!(
            "All three should be at work at the same time, but two seconds after the first it was {at_once}."
        )
    })?;
    let attempts: Vec<_> = seen.lines().into_iter().filter(|line| *line != "slow").collect();
    expect(attempts == ["slow: attempt 2"; 3], || {
        format!("It should then print `slow: attempt 2` three times, but it printed {attempts:?}.")
    })?;
    seen.has_children(6)?;
    seen.waited_for_all()?;
    seen.succeeded()
}

/// The places of the processes that have not ended.
fn living(live: &Live) -> impl Iterator<Item = usize> {
    live.processes.iter().enumerate().filter(|(_, p)| p.end.is_none()).map(|(place, _)| place)
}
