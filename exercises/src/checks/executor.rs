//! The exercises of the chapter `executor`.

use crate::exercise;
use crate::exercise::{Exercise, Verdict};
use crate::rest::Rest;
use crate::see::{Program, expect};
use crate::seen::{End, Seen};
use nix::sys::signal::Signal;
use std::time::Duration;

pub const EXERCISES: &[Exercise] = &[
    exercise!(
        "executor_wall", "executor",
        look: "A worker dies",
        goal: "A library aborts for one of the texts. Get the results of all others.",
        hints: [
            "What ends when a task calls `abort`: the thread that runs it, or its whole process?",
            "`print_all` takes any `Executor`. Give it one whose workers are processes.",
            "`ProcessPoolExecutor::new(2)`. Its workers are spawned, so `main` begins with `multiprocessing::init();`.",
        ],
        wall
    ),
    exercise!(
        "executor_first", "executor",
        look: "Which result do I get first?",
        goal: "Ask three mirrors, print the first answer, and end the tasks that still wait.",
        hints: [
            "Nobody knows which task is done first. Which function waits for one of several tasks, and leaves you the tasks?",
            "`wait_for_tasks(&tasks, WaitFor::First, None)` returns the indices of those that are done.",
            "Take the task that is done out of the `Vec` (`swap_remove`), call `cancel` on those that are left, and then `get` on the first.",
        ],
        first
    ),
];

fn wall(program: &Program) -> Verdict {
    let runs: [&[&str]; 2] = [&["fork", "pipe!", "queue"], &["a!", "lock", "spawn", "bc!"]];
    runs.into_iter().try_for_each(|texts| program.with(texts, |seen| wall_stood(seen, texts)))
}

fn wall_stood(seen: &Seen, texts: &[&str]) -> Verdict {
    let aborted = End::Killed(Signal::SIGABRT);
    expect(seen.main().end != Some(aborted), || {
        "One of the texts made `letters` abort, and your program itself was aborted (SIGABRT). It \
         should print the other results, and end with exit status 0."
            .into()
    })?;
    seen.succeeded()?;
    let line = |text: &&str| match text.contains('!') {
        true => format!("{text}: lost"),
        false => format!("{text}: {}", text.len()),
    };
    let lines: Vec<_> = texts.iter().map(line).collect();
    seen.printed(&lines.iter().map(String::as_str).collect::<Vec<_>>())?;
    let aborts = seen.processes.iter().filter(|process| process.end == Some(aborted)).count();
    let bad: Vec<_> = texts.iter().filter(|text| text.contains('!')).collect();
    expect(aborts >= bad.len(), || {
        let bad: Vec<_> = bad.iter().map(|text| format!("“{text}”")).collect();
        let count = if aborts == 0 { "none".to_string() } else { format!("only {aborts}") };
        format!(
            "`letters` should be called with {}, too, each time in a process that it aborts. Of your \
             processes, {count} was aborted.",
            bad.join(" and ")
        )
    })?;
    seen.worked_in_children("letters", texts.len())
}

fn first(program: &Program) -> Verdict {
    ["b", "c", "a"].into_iter().try_for_each(|mirror| {
        let seen = program.run_within(Duration::from_secs(3), &[mirror]);
        let verdict = seen.and_then(|seen| first_came(&seen, mirror));
        verdict.map_err(|why| format!("It was run with `{mirror}`. {why}"))
    })?;
    let nobody = Rest::of(program, &["d"], 3);
    nobody.map_err(|why| format!("It was run with `d`, so that no mirror answers. {why}"))
}

fn first_came(seen: &Seen, mirror: &str) -> Verdict {
    seen.succeeded()?;
    seen.printed(&[&format!("the file, from {mirror}")])?;
    let count = seen.children().count();
    expect(count >= 3, || {
        let started = if count == 0 { "no process".to_string() } else { format!("only {count}") };
        format!(
            "Each mirror should be asked in a process of its own, but your program started {started}."
        )
    })?;
    seen.worked_in_children("ask", 1)?;
    seen.waited_for_all()
}
