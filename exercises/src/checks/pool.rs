//! The exercises of the chapter `pool`.

use crate::exercise;
use crate::exercise::{Exercise, Verdict};
use crate::see::{Program, expect};
use crate::seen::End;
use nix::sys::signal::Signal;

pub const EXERCISES: &[Exercise] = &[
    exercise!(
        "pool_together", "pool",
        look: "Why do my tasks run one after the other?",
        goal: "Three tasks wait for each other. Let them run at the same time.",
        hints: [
            "When is the second task given to the pool: before the result of the first has come, or after?",
            "`apply` gives a task and waits for its result. Which call gives a task and returns at once?",
            "Collect the tasks of `apply_async` into a `Vec`, and call `get` in a second loop. Or give all items to one `map`.",
        ],
        together
    ),
    exercise!(
        "pool_lost", "pool",
        look: "Which call do I take?",
        goal: "A task kills its worker, another panics. Say what became of each of six.",
        hints: [
            "`map` returns the first error, or all results. Which call has a result or an error for each task, in the order of the items?",
            "With `imap`, each item of the iteration is a `Result`. Write a `match` with an arm for `Ok(square)`.",
            "The other arms are `Err(Error::WorkerDied { .. })`, `Err(Error::Panicked { .. })`, and `Err(other) => return Err(other)`.",
        ],
        lost
    ),
];

fn together(program: &Program) -> Verdict {
    let seen = program.meet(&[])?;
    expect(!seen.stderr.contains("the barrier is broken"), || {
        "A task waited at the barrier for three seconds, and the others did not come: they had not \
         begun. So it gave up, and your program ended with its error."
            .into()
    })?;
    seen.succeeded()?;
    seen.printed_in_any_order(&["task 1 waits", "task 2 waits", "task 3 waits", "1", "4", "9"])?;
    let lines = seen.lines();
    let first = lines.iter().position(|line| !line.ends_with("waits")).unwrap_or(0);
    let late = lines[first..].iter().find(|line| line.ends_with("waits"));
    late.map_or(Ok(()), |late| {
        Err(format!(
            "{} should begin before the first result is there, but your program printed\n  {}",
            late.trim_end_matches(" waits").replace("task", "Task"),
            lines.join("\n  ")
        ))
    })?;
    seen.each_printed_by_a_child(&["task 1 waits", "task 2 waits", "task 3 waits"])?;
    expect(seen.met >= 3, || {
        "The check let each task stand still when it had begun. So all three should have stood \
         still at the same time, but one of them did not begin before another went on."
            .into()
    })
}

fn lost(program: &Program) -> Verdict {
    lost_in(program, 2, 5)?;
    lost_in(program, 4, 1)
}

/// One task of six kills its worker, another panics.
fn lost_in(program: &Program, kills: u64, panics: u64) -> Verdict {
    let seen = program.run(&[&kills.to_string(), &panics.to_string()])?;
    let did = format!("In a run where task {kills} kills its worker and task {panics} panics: ");
    let told = |verdict: Verdict| verdict.map_err(|why| format!("{did}{why}"));
    told(seen.succeeded())?;
    let expected = |n| match n {
        n if n == kills => format!("{n}: worker died"),
        n if n == panics => format!("{n}: panicked"),
        n => format!("{n}: {}", n * n),
    };
    let expected: Vec<_> = (1..=6).map(expected).collect();
    let lines = seen.lines();
    let is_cut = lines.len() < 6 && lines.iter().zip(&expected).all(|(a, b)| a == b);
    told(expect(!is_cut, || {
        format!(
            "The results of the good tasks should be printed, too, but your program printed {} of 6 \
             lines.",
            lines.len()
        )
    }))?;
    told(seen.printed(&expected.iter().map(String::as_str).collect::<Vec<_>>()))?;
    let killed = Some(End::Killed(Signal::SIGKILL));
    let was_killed = seen.processes.iter().any(|process| process.end == killed);
    told(expect(was_killed, || {
        format!(
            "Task {kills} should be given to the pool, and its worker be killed by SIGKILL. No child \
             was killed."
        )
    }))?;
    told(seen.worked_in_children("square", 6))
}
