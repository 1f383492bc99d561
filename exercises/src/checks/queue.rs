//! The exercises of the chapter `queue`.

use crate::exercise;
use crate::exercise::{Exercise, Verdict};
use crate::see::{Program, expect, quoted};
use crate::watch::End;
use nix::sys::signal::Signal;
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(3);

pub const EXERCISES: &[Exercise] = &[
    exercise!(
        "queue_end", "queue",
        look: "How does a consumer learn that nothing more comes?",
        goal: "Tell all workers that no number comes any more, however many they are.",
        hints: [
            "`None` is a value like any other. How many of the workers get it?",
            "A queue that is empty may get another number later. What is there in the crate's queue that ends the loops of all?",
            "`numbers.close()` instead of the `None`; the workers loop over `numbers.iter()`.",
        ],
        end
    ),
    exercise!(
        "queue_order", "queue",
        look: "What do I write instead of Queue()?",
        goal: "Give three workers their tasks, and put the results in order.",
        hints: [
            "There is room for five tasks and five results. Who waits for whom if you put a hundred tasks before you get a result?",
            "Put the tasks in a second thread (`std::thread::scope`), and get the results in this one, as many as there are tasks.",
            "The results come in any order, but each has its number: `squares[number] = square`.",
        ],
        order
    ),
    exercise!(
        "queue_redo", "queue",
        look: "One process was killed, and all others wait",
        goal: "Lose no number, though workers die while they hold the lock.",
        hints: [
            "Three things stand in the way: `join` of a dead worker is an error; the lock that it held tells of its death; and its number is in nobody's hands.",
            "`lock_or_repair` (chapter sync) takes the lock of a dead worker. Can something be half changed, with this array?",
            "After a round, the numbers whose square is still 0 are missing. Do another round with these, until there are none.",
        ],
        redo
    ),
];

fn end(program: &Program) -> Verdict {
    for (workers, last) in [(1, 10_u64), (2, 50), (5, 100)] {
        let seen = program.run_within(LIMIT, &[&workers.to_string(), &last.to_string()]);
        let seen =
            seen.map_err(|error| format!("With the arguments {workers} and {last}: {error}"))?;
        seen.succeeded()?;
        seen.has_children(workers)?;
        seen.printed(&[&format!("the sum is {}", last * (last + 1) / 2)])?;
        seen.children_ended_with(End::Exited(0))?;
        seen.waited_for_all()?;
    }
    Ok(())
}

fn order(program: &Program) -> Verdict {
    for last in [4_usize, 0, 300] {
        let seen = program.run_within(LIMIT, &[&last.to_string()]);
        let seen = seen.map_err(|error| format!("With the argument {last}: {error}"))?;
        seen.succeeded()?;
        let expected: Vec<_> = (0..=last).map(|number| (number * number).to_string()).collect();
        let is_worker = |line: &&str| line.starts_with("a worker squares ");
        let (works, lines): (Vec<_>, Vec<_>) = seen.lines().into_iter().partition(is_worker);
        expect(lines == expected, || {
            let (expected, lines) = (part(&expected), part(&lines));
            format!(
                "With the argument {last}, it should print the squares in the order of the numbers,\n\
                 {expected}but it printed\n{lines}"
            )
        })?;
        expect(works.len() == last + 1, || {
            format!(
                "The workers should square each number once, {} in all, but they have squared {}.",
                last + 1,
                works.len()
            )
        })?;
        seen.has_children(3)?;
        seen.children_ended_with(End::Exited(0))?;
        seen.waited_for_all()?;
    }
    Ok(())
}

fn redo(program: &Program) -> Verdict {
    for last in [6_usize, 10, 45] {
        let seen = program.run(&[&last.to_string()]);
        let seen = seen.map_err(|error| format!("With the argument {last}: {error}"))?;
        seen.succeeded()?;
        let killed = End::Killed(Signal::SIGKILL);
        let deaths = seen.children().filter(|child| child.end == Some(killed)).count();
        expect(deaths == last / 7, || {
            format!(
                "Up to {last}, each multiple of 7 should kill its first worker, that is {}, but {deaths} \
                 were killed.",
                last / 7
            )
        })?;
        let lines = seen.lines();
        let mut stored: Vec<usize> =
            lines.iter().filter_map(|line| line.strip_prefix("stored ")?.parse().ok()).collect();
        stored.sort_unstable();
        let squares: Vec<_> = lines.iter().filter(|line| !line.starts_with("stored")).collect();
        let expected: Vec<_> = (1..=last).map(|number| (number * number).to_string()).collect();
        expect(squares.iter().map(ToString::to_string).eq(expected.iter().cloned()), || {
            format!(
                "In the end it should print the squares from 1 to {last},\n{}but it printed\n{}",
                part(&expected),
                part(&squares)
            )
        })?;
        let missing = (1..=last).find(|number| !stored.contains(number));
        expect(stored.len() == last && missing.is_none(), || {
            format!(
                "The workers should report each number once, as stored. Up to {last}, {} reports \
                 were printed{}.",
                stored.len(),
                missing.map_or(String::new(), |number| format!(", and none of {number}"))
            )
        })?;
        seen.waited_for_all()?;
    }
    Ok(())
}

/// The lines, or the first ones of many.
fn part<T: AsRef<str>>(lines: &[T]) -> String {
    let shown: Vec<_> = lines.iter().take(25).map(AsRef::as_ref).collect();
    let rest = lines.len() - shown.len();
    let rest = if rest > 0 { format!("  and {rest} more lines\n") } else { String::new() };
    quoted(&shown) + &rest
}
