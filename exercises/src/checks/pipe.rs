//! The exercises of the chapter `pipe`.

use crate::exercise;
use crate::exercise::{Exercise, Verdict};
use crate::rest::Rest;
use crate::see::{Program, expect, quoted};
use crate::seen::{End, Live};
use crate::watch::Act;
use nix::sys::signal::Signal;
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(2);

pub const EXERCISES: &[Exercise] = &[
    exercise!(
        "pipe_owner", "pipe",
        look: "When does the child see the end?",
        goal: "Count the lines that come through a pipe, up to its end.",
        hints: [
            "The child waits for the end of the file. Who could still write to the pipe?",
            "`fork` has copied both ends. How many descriptors of the writer are there, and in which processes?",
            "The child drops its writer before it reads, and the parent drops its own before it waits.",
        ],
        owner
    ),
    exercise!(
        "pipe_crew", "pipe",
        look: "How do I receive from several children at once?",
        goal: "Listen to three children at once, and say which one is gone.",
        hints: [
            "`multiprocessing::wait` waits for several receivers at once, and returns the indices of those that are ready. What has it to be given?",
            "A receiver whose `recv` returns `Error::Closed` stays ready for ever: print that its child is gone, and take it out of the list.",
            "Keep names and receivers in two lists: `let (mut names, mut receivers): (Vec<_>, Vec<_>) = crew.into_iter().unzip();`, and take both out, from the back.",
        ],
        crew
    ),
];

fn owner(program: &Program) -> Verdict {
    for count in [3, 40] {
        // More than one read could bring, and more than the pipe holds.
        let line = "x".repeat(5_000);
        let seen = program.run_within(LIMIT, &vec![line.as_str(); count])?;
        seen.has_processes(2)?;
        seen.printed(&[&format!("received {count} lines")])?;
        seen.waited_for_all()?;
        seen.children_ended_with(End::Exited(0))?;
        seen.succeeded()?;
    }
    let orphaned =
        program.watch_within(LIMIT, &["one", "two"], |live| match live.processes.len() {
            1 => Act::Nothing,
            _ => Act::Kill(0),
        });
    orphaned.map(drop).map_err(|why| {
        format!("The parent was killed, and then the child should see the end of the pipe. {why}")
    })
}

fn crew(program: &Program) -> Verdict {
    for order in [["Bob", "Cid", "Ann"], ["Cid", "Ann", "Bob"]] {
        let (mut rest, mut killed, mut printed) = (Rest::default(), 0, String::new());
        let mut said_too_often = false;
        let seen = program.watch_within(Duration::from_secs(3), &[], |live| {
            printed.clone_from(&live.stdout);
            let gone = live.stdout.lines().filter(|line| line.ends_with(" is gone")).count();
            said_too_often |= gone > killed;
            if said_too_often {
                let living = live.processes.iter().position(|process| process.end.is_none());
                return living.map_or(Act::Nothing, Act::Kill);
            }
            if all_are_there(live) && gone == killed && killed < 3 && rest.is_over(live) {
                killed += 1;
                return place(live, order[killed - 1]).map_or(Act::Nothing, Act::Kill);
            }
            Act::Nothing
        });
        let lines: Vec<_> = printed.lines().take(12).collect();
        let said = quoted(&lines);
        expect(!said_too_often, || match killed {
            0 => format!("All three live, but that one is gone was printed:\n{said}"),
            _ => format!(
                "{} was killed, but that one is gone was printed more often than one was killed:\n{said}",
                order[killed - 1]
            ),
        })?;
        let seen = seen.map_err(|error| match killed {
            0 => format!("Three children have each sent a message, and live on. Printed was only\n{said}{error}"),
            _ => format!("{} was killed. Up to then, and after it, was printed\n{said}{error}", order[killed - 1]),
        })?;
        seen.has_processes(4)?;
        let gone: Vec<_> = seen.lines().split_off(3.min(seen.lines().len()));
        let expected: Vec<_> = order.iter().map(|name| format!("{name} is gone")).collect();
        expect(killed == 3 && gone == expected, || {
            let expected: Vec<_> = expected.iter().map(String::as_str).collect();
            format!(
                "The check killed {}, each when the one before was said to be gone. After the three \
                 messages should be printed\n{}but it was\n{}",
                order.join(", then "),
                quoted(&expected),
                quoted(&gone)
            )
        })?;
        rest.was_quiet()?;
        rest.was_no_sleep()?;
        seen.waited_for_all()?;
        seen.children_ended_with(End::Killed(Signal::SIGKILL))?;
        seen.succeeded()?;
    }
    Ok(())
}

/// Whether the messages of all children were printed.
fn all_are_there(live: &Live) -> bool {
    ["Ann", "Bob", "Cid"].iter().all(|name| place(live, name).is_some())
}

/// The place of the child with this name: its message says its process id.
fn place(live: &Live, name: &str) -> Option<usize> {
    let line = live
        .stdout
        .lines()
        .find_map(|line| line.strip_prefix(&format!("{name} is process "))?.parse::<i32>().ok())?;
    live.processes.iter().position(|process| process.pid == line)
}
