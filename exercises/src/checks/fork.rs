//! The exercises of the chapter `fork`.

use crate::exercise;
use crate::exercise::{Exercise, Verdict};
use crate::see::{Program, expect};
use crate::seen::End;
use nix::sys::signal::Signal;

pub const EXERCISES: &[Exercise] = &[
    exercise!(
        "fork_three", "fork",
        look: "How many lines will this print?",
        goal: "Start exactly three children, each of which says its number, and wait for all.",
        hints: [
            "After `fork`, both processes go on with the loop. How many processes are there after the second turn?",
            "In the child, end the process when its line is printed: `exit(0)` in the arm `ForkResult::Child`.",
            "One `wait` takes the end of one child. How many children are there?",
        ],
        three
    ),
    exercise!(
        "fork_end", "fork",
        look: "How did the child end?",
        goal: "Call a function in a child, and say how the child ended.",
        hints: [
            "`work` never returns, so it must be the child that calls it. What does the parent do meanwhile?",
            "`waitpid(child, None)?` returns a `WaitStatus`. A child that ended by itself is `Exited`, one that was killed is `Signaled`.",
            "`match waitpid(child, None)? { WaitStatus::Exited(_, status) => …, WaitStatus::Signaled(_, signal, _) => …, other => … }`; a signal prints as its name.",
        ],
        end
    ),
    exercise!(
        "fork_report", "fork",
        look: "The error that returns into the parent's code",
        goal: "Let no error leave the child, so that only the parent reports.",
        hints: [
            "Where does the child go on when `double` fails? Follow the `?` out of `start`.",
            "In the arm `ForkResult::Child` there must be no `?`: whatever `double` returns, the child ends there.",
            "`match double(text) { Ok(()) => exit(0), Err(error) => { eprintln!(\"{error}\"); exit(1) } }`",
        ],
        report
    ),
];

fn three(program: &Program) -> Verdict {
    let seen = program.run(&[])?;
    seen.has_processes(4)?;
    seen.has_children(3)?;
    let lines = ["child 1", "child 2", "child 3"];
    seen.printed_in_any_order(&lines)?;
    seen.each_printed_by_a_child(&lines)?;
    seen.children_ended_with(End::Exited(0))?;
    seen.waited_for_all()?;
    seen.succeeded()
}

fn end(program: &Program) -> Verdict {
    let ends = [
        (["exit", "7"], "exit status 7", End::Exited(7)),
        (["exit", "0"], "exit status 0", End::Exited(0)),
        (["exit", "300"], "exit status 44", End::Exited(44)),
        (["signal", "15"], "killed by SIGTERM", End::Killed(Signal::SIGTERM)),
        (["signal", "9"], "killed by SIGKILL", End::Killed(Signal::SIGKILL)),
    ];
    for (arguments, line, end) in ends {
        program.with(&arguments, |seen| {
            seen.has_children(1)?;
            seen.has_processes(2)?;
            seen.printed(&[line])?;
            seen.children_ended_with(end)?;
            seen.waited_for_all()?;
            seen.succeeded()
        })?;
    }
    Ok(())
}

fn report(program: &Program) -> Verdict {
    let runs: [(&[&str], &[&str]); 3] = [
        (&["4", "five", "6"], &["8", "12", "1 failed"]),
        (&["one", "2", "three", "four"], &["4", "3 failed"]),
        (&["1", "2"], &["2", "4", "0 failed"]),
    ];
    for (arguments, lines) in runs {
        program.with(arguments, |seen| {
            seen.has_children(arguments.len())?;
            seen.has_processes(1 + arguments.len())?;
            seen.printed_in_any_order(lines)?;
            seen.each_printed_by_a_child(&lines[..lines.len() - 1])?;
            let last = seen.lines().last().copied();
            expect(last == lines.last().copied(), || {
                "The report came before a child's line: your program should wait for all first."
                    .into()
            })?;
            seen.waited_for_all()?;
            seen.succeeded()
        })?;
    }
    Ok(())
}
