//! The exercises of the chapter `queue`.

use crate::exercise;
use crate::exercise::{Exercise, Verdict};
use crate::hang::{self, Doing};
use crate::rest::Rest;
use crate::see::{Program, expect, quoted};
use crate::seen::{End, Seen};
use crate::watch::Act;
use nix::sys::signal::Signal;
use std::time::{Duration, Instant};

const LIMIT: Duration = Duration::from_secs(5);
/// So long the program itself sleeps at least, before the last number comes.
const ASLEEP: Duration = Duration::from_millis(900);

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
    [(1, 10), (2, 50), (5, 100)].into_iter().try_for_each(|(workers, last): (usize, u64)| {
        let verdict = added_up(program, workers, last);
        verdict.map_err(|error| format!("With the arguments {workers} and {last}: {error}"))
    })
}

fn added_up(program: &Program, workers: usize, last: u64) -> Verdict {
    let (mut rest, mut begun, mut waiting) = (Rest::default(), None, None);
    let arguments = [workers.to_string(), last.to_string()];
    let seen = program.watch_within(LIMIT, &arguments.each_ref().map(String::as_str), |live| {
        // The last number comes late. All others have come, so the workers have nothing to do.
        if hang::doing(live.processes[0].pid) == Doing::Sleeping {
            rest.is_over(live);
        }
        let is_asleep = live.processes[0].sleeps > 0
            && begun.get_or_insert_with(Instant::now).elapsed() < ASLEEP;
        if is_asleep {
            waiting = Some(live.processes[1..].iter().filter(|p| p.end.is_none()).count());
        }
        Act::Nothing
    })?;
    seen.succeeded()?;
    seen.has_children(workers)?;
    seen.printed(&[&format!("the sum is {}", last * (last + 1) / 2)])?;
    expect(waiting.is_none_or(|waiting| waiting >= workers), || {
        format!(
            "Before the last number came, {} of the workers had ended.",
            workers - waiting.unwrap_or(0)
        )
    })?;
    rest.was_quiet()?;
    seen.children_ended_with(End::Exited(0))?;
    seen.waited_for_all()
}

fn order(program: &Program) -> Verdict {
    [4_usize, 0, 300].into_iter().try_for_each(|last| {
        let verdict = ordered(program, last);
        verdict.map_err(|error| format!("With the argument {last}: {error}"))
    })
}

fn ordered(program: &Program, last: usize) -> Verdict {
    let mut rest = Rest::default();
    let seen = program.watch_within(LIMIT, &[&last.to_string()], |live| {
        // A worker is at 0, which takes a second. The few other numbers are soon done.
        if last < 10 && live.processes.iter().any(|p| hang::doing(p.pid) == Doing::Sleeping) {
            rest.is_over(live);
        }
        Act::Nothing
    })?;
    squared_in_order(&seen, last)?;
    rest.was_quiet()
}

fn squared_in_order(seen: &Seen, last: usize) -> Verdict {
    seen.succeeded()?;
    let is_worker = |line: &&str| line.starts_with("a worker squares ");
    let (works, lines): (Vec<_>, Vec<_>) = seen.lines().into_iter().partition(is_worker);
    let expected: Vec<_> = (0..=last).map(|number| (number * number).to_string()).collect();
    expect(lines == expected, || {
        let (expected, lines) = (part(&expected), part(&lines));
        format!(
            "It should print the squares in the order of the numbers,\n{expected}but it printed\n\
             {lines}"
        )
    })?;
    expect(works.len() == last + 1, || {
        format!(
            "The workers should square each number once, {} in all, but they have squared {}.",
            last + 1,
            works.len()
        )
    })?;
    (0..=last).try_for_each(|number| {
        seen.printed_by_a_child(&format!("a worker squares {number}")).map(drop)
    })?;
    seen.worked_in_children("work", 1)?;
    seen.has_children(3)?;
    seen.children_ended_with(End::Exited(0))?;
    seen.waited_for_all()
}

fn redo(program: &Program) -> Verdict {
    [6_usize, 10, 45].into_iter().try_for_each(|last| {
        let seen = program.run(&[&last.to_string()]);
        let verdict = seen.and_then(|seen| {
            seen.succeeded()?;
            some_were_killed(&seen, last)?;
            squares_are_there(&seen, last)?;
            all_were_reported(&seen, last)?;
            seen.waited_for_all()
        });
        verdict.map_err(|error| format!("With the argument {last}: {error}"))
    })
}

fn some_were_killed(seen: &Seen, last: usize) -> Verdict {
    let killed = Some(End::Killed(Signal::SIGKILL));
    let deaths = seen.children().filter(|child| child.end == killed).count();
    expect(deaths == last / 7, || {
        format!(
            "Each multiple of 7 should kill its first worker, that is {}, but {deaths} were killed.",
            last / 7
        )
    })
}

fn squares_are_there(seen: &Seen, last: usize) -> Verdict {
    let lines = seen.lines();
    let squares: Vec<_> = lines.into_iter().filter(|line| !line.starts_with("stored")).collect();
    let expected: Vec<_> = (1..=last).map(|number| (number * number).to_string()).collect();
    expect(squares == expected, || {
        let (expected, squares) = (part(&expected), part(&squares));
        format!("In the end it should print the squares,\n{expected}but it printed\n{squares}")
    })
}

fn all_were_reported(seen: &Seen, last: usize) -> Verdict {
    let lines = seen.lines();
    let reported = lines.iter().filter_map(|line| line.strip_prefix("stored ")?.parse().ok());
    let mut reported: Vec<usize> = reported.collect();
    reported.sort_unstable();
    expect(reported.iter().copied().eq(1..=last), || {
        let missing = (1..=last).find(|number| !reported.contains(number));
        format!(
            "Each number should be reported once, as stored. {} reports were printed{}.",
            reported.len(),
            missing.map_or(String::new(), |number| format!(", and none of {number}"))
        )
    })
}

/// The lines, or the first ones of many.
fn part<T: AsRef<str>>(lines: &[T]) -> String {
    let shown: Vec<_> = lines.iter().take(25).map(AsRef::as_ref).collect();
    let rest = lines.len() - shown.len();
    let rest = if rest > 0 { format!("  and {rest} more lines\n") } else { String::new() };
    quoted(&shown) + &rest
}
