//! The exercises of the chapter `processes`.

use crate::exercise;
use crate::exercise::{Exercise, Verdict};
use crate::rest::Rest;
use crate::see::{Program, expect};
use crate::seen::{End, Seen};
use crate::waits::Waits;
use crate::watch::Act;
use std::time::{Duration, Instant};

pub const EXERCISES: &[Exercise] = &[
    exercise!(
        "processes_walls", "processes",
        look: "Threads or processes?",
        goal: "Give each number a process of its own, so that a crash does not end the program.",
        hints: [
            "A thread that aborts ends its process, with all other threads. What would it end if it were in another process?",
            "`Process::spawn(root, number)?` calls `root(number)` in a new process; its `join()` returns a `Result`, as a thread's does.",
            "The first line of `main` must be `multiprocessing::init();`. `main` may return `Result<(), Box<dyn std::error::Error>>`.",
        ],
        walls
    ),
    exercise!(
        "processes_wait", "processes",
        look: "What does waiting cost?",
        goal: "Wait until a child has ended, without using a core.",
        hints: [
            "The loop asks `is_alive` millions of times. Which method of `Process` returns when the child has ended, and not before?",
            "`join()` gives the handle away, and then its exit code cannot be asked. `wait()` keeps it.",
        ],
        wait
    ),
    exercise!(
        "processes_family", "processes",
        look: "Whose child is whose?",
        goal: "End a child with all that it has started.",
        hints: [
            "A signal to a process reaches that process and none of its children. What does a signal to a group reach?",
            "The shell is in your program's group. It gets a group of its own by `.process_group(0)` of `CommandExt`, and then the group's number is the shell's id.",
            "`killpg(Pid::from_raw(shell.id().try_into()?), Signal::SIGTERM)?`, and then wait for the shell.",
        ],
        family
    ),
];

fn walls(program: &Program) -> Verdict {
    let runs: [(&[&str], &[&str]); 2] = [
        (&["9", "-1", "16"], &["9: 3", "-1: crashed", "16: 4"]),
        (&["-4", "25"], &["-4: crashed", "25: 5"]),
    ];
    for (arguments, lines) in runs {
        program.with(arguments, |seen| {
            seen.succeeded()?;
            seen.has_children(arguments.len())?;
            seen.printed(lines)?;
            seen.waited_for_all()?;
            seen.worked_in_children("root", arguments.len())
        })?;
    }
    Ok(())
}

/// So long the program is looked at while its child is at work. Then the child is killed.
const LOOKED_AT: Duration = Duration::from_millis(1_500);
const LONGEST_LOOK: Duration = Duration::from_secs(3);

fn wait(program: &Program) -> Verdict {
    let (mut waits, mut rest) = (Waits::default(), Rest::default());
    let (mut begun, mut is_killed) = (None, false);
    let seen = program.watch(&[], |live| {
        let child = live.processes.get(1).filter(|child| child.end.is_none());
        if child.is_none() || !live.stdout.contains("works") {
            return Act::Nothing;
        }
        waits.look(live);
        let time = begun.get_or_insert_with(Instant::now).elapsed();
        let has_waited = waits.has_waited() || time > LONGEST_LOOK;
        is_killed = rest.is_over(live) && has_waited && time > LOOKED_AT;
        if is_killed { Act::Kill(1) } else { Act::Nothing }
    });
    waits.judge(1)?;
    rest.was_quiet()?;
    seen.and_then(|seen| told_the_end(&seen, is_killed))
}

fn told_the_end(seen: &Seen, is_killed: bool) -> Verdict {
    seen.has_children(1)?;
    expect(is_killed, || {
        "The child ended within a second or two, before its work was done. Your program should wait \
         for it, and leave it alone."
            .into()
    })?;
    let killed = "When the child was at work, the check killed it.";
    seen.printed(&["The child works", "The child has ended: -9"])
        .and_then(|()| seen.printed_by_a_child("The child works").map(drop))
        .and_then(|()| seen.waited_for_all())
        .and_then(|()| seen.succeeded())
        .map_err(|why| format!("{killed} {why}"))
}

fn family(program: &Program) -> Verdict {
    let seen = program.run(&[])?;
    seen.succeeded()?;
    expect(seen.processes.len() >= 4, || {
        let count = seen.processes.len();
        format!(
            "There should be at least 4 processes, the shell's two among them, but there were {count}."
        )
    })?;
    let sleepers = seen.processes.iter().filter(|process| process.parent == Some(1));
    for sleeper in sleepers {
        expect(matches!(sleeper.end, Some(End::Killed(_))), || {
            "A signal should end what the shell has started, but it ended by itself.".into()
        })?;
    }
    seen.waited_for_all()?;
    seen.printed(&["all ended"])
}
