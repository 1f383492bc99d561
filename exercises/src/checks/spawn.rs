//! The exercises of the chapter `spawn`.

use crate::exercise;
use crate::exercise::{Exercise, Verdict};
use crate::see::{Program, expect};
use crate::seen::Seen;

pub const EXERCISES: &[Exercise] = &[
    exercise!(
        "spawn_run", "spawn",
        look: "What does the child get?",
        goal: "Say once that a run starts, and let three spawned children know its number.",
        hints: [
            "Each child runs `main` from the top, up to `init()`. What must it not do on the way?",
            "A child has its own `RUN`, with the value that the program begins with. What does travel to it?",
            "Give `work` a pair: `Process::spawn(work, (run, task))` and `fn work((run, task): (u32, u32))`.",
        ],
        run
    ),
    exercise!(
        "spawn_by_hand", "spawn",
        look: "How do I spawn by hand?",
        goal: "Start this program again for each argument, and read what the child prints.",
        hints: [
            "`Command::new(\"/proc/self/exe\")` starts the program again. How does the new process know that it is a child, and which number is its own?",
            "A variable of the environment can tell it both: `.env(\"SQUARE\", text)`. `main` asks for it first, by `env::var(\"SQUARE\")`.",
            "`output()` waits for the child and returns its `status` and what it wrote to `stdout`. If `status.success()` is false, return an error.",
        ],
        by_hand
    ),
];

fn run(program: &Program) -> Verdict {
    let seen = program.run(&[])?;
    seen.succeeded()?;
    seen.has_children(3)?;
    seen.has_processes(4)?;
    let run = seen.main().pid;
    let first = format!("run {run} starts");
    let starts = seen.lines().iter().filter(|line| line.ends_with("starts")).count();
    expect(starts == 1, || {
        format!(
            "One line should say that a run starts, but there were {starts}:\n  {}",
            seen.lines().join("\n  ")
        )
    })?;
    expect(seen.lines().first() == Some(&first.as_str()), || {
        "The line that the run starts should come first.".into()
    })?;
    tasks(&seen)?;
    seen.children_are_spawned()?;
    seen.waited_for_all()
}

/// Each child has done one of the tasks.
fn tasks(seen: &Seen) -> Verdict {
    let lines = seen.lines();
    for task in 1..=3 {
        let begin = format!("run {}: task {task} in process ", seen.main().pid);
        let by = lines.iter().find_map(|line| line.strip_prefix(&begin));
        let by = by.ok_or_else(|| {
            format!("A line should be\n  {begin}PID\nbut the lines were\n  {}", lines.join("\n  "))
        })?;
        expect(seen.children().any(|child| child.pid.to_string() == by), || {
            format!("A child should call `work`, but task {task} was done by process {by}.")
        })?;
        seen.each_printed_by_a_child(&[&format!("{begin}{by}")])?;
    }
    expect(lines.len() == 4, || {
        format!(
            "There should be 4 lines, but there were {}:\n  {}",
            lines.len(),
            lines.join("\n  ")
        )
    })
}

fn by_hand(program: &Program) -> Verdict {
    let runs: [&[(&str, Option<u32>)]; 2] = [
        &[("7", Some(49)), ("seven", None), ("12", Some(144))],
        &[("70000", None), ("0", Some(0))],
    ];
    for numbers in runs {
        let arguments: Vec<_> = numbers.iter().map(|(text, _)| *text).collect();
        program.with(&arguments, |seen| {
            seen.has_children(numbers.len())?;
            seen.has_processes(1 + numbers.len())?;
            seen.children_are_spawned()?;
            let own = format!("from process {}", seen.main().pid);
            expect(!seen.stdout.contains(&own), || {
                format!(
                    "Your program called `square` itself; a child should. It printed\n  {}",
                    seen.lines().join("\n  ")
                )
            })?;
            let lines = numbers.iter().zip(seen.children()).map(|((text, square), child)| {
                square.map_or(format!("{text}: failed"), |square| {
                    format!("{text}: {square}, from process {}", child.pid)
                })
            });
            let lines: Vec<_> = lines.collect();
            seen.printed(&lines.iter().map(String::as_str).collect::<Vec<_>>())?;
            seen.worked_in_children("square", numbers.len())?;
            seen.waited_for_all()?;
            seen.succeeded()
        })?;
    }
    Ok(())
}
