//! The exercises of the chapter `fork`.

use crate::exercise;
use crate::exercise::{Exercise, Verdict};
use crate::see::Program;
use crate::watch::End;

pub const EXERCISES: &[Exercise] = &[exercise!(
    "fork_three", "fork",
    look: "The child goes on after the call, too",
    goal: "Start exactly three children, each of which says its number, and wait for all.",
    hints: [
        "After `fork`, both processes go on with the loop. How many processes are there after the second turn?",
        "In the child, end the process when its line is printed: `exit(0)` in the arm `ForkResult::Child`.",
    ],
    three
)];

fn three(program: &Program) -> Verdict {
    let seen = program.run(&[])?;
    seen.has_processes(4)?;
    seen.has_children(3)?;
    seen.printed_in_any_order(&["child 1", "child 2", "child 3"])?;
    seen.children_ended_with(End::Exited(0))?;
    seen.waited_for_all()?;
    seen.succeeded()
}
