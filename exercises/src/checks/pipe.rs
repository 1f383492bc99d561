//! The exercises of the chapter `pipe`.

use crate::exercise;
use crate::exercise::{Exercise, Verdict};
use crate::rest::Rest;
use crate::see::{Program, expect, quoted};
use crate::seen::{End, Live, Seen};
use crate::watch::Act;
use nix::sys::signal::Signal;
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(2);
const CREW_LIMIT: Duration = Duration::from_secs(3);

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
    [3, 40].into_iter().try_for_each(|count| counted_lines(program, count))?;
    let long = "x".repeat(5_000); // it is killed long before it has written all
    let orphaned =
        program.watch_within(LIMIT, &vec![long.as_str(); 100], |live| match live.processes.len() {
            1 => Act::Nothing,
            _ => Act::Kill(0),
        });
    orphaned.map(drop).map_err(|why| {
        format!("The parent was killed, and then the child should see the end of the pipe. {why}")
    })
}

fn counted_lines(program: &Program, count: usize) -> Verdict {
    // More than one read could bring, and more than the pipe holds.
    let long = "x".repeat(5_000);
    let seen = program.run_within(LIMIT, &vec![long.as_str(); count])?;
    seen.has_processes(2)?;
    let line = format!("received {count} lines");
    seen.printed(&[&line])?;
    seen.printed_by_a_child(&line)?;
    seen.waited_for_all()?;
    seen.children_ended_with(End::Exited(0))?;
    seen.succeeded()
}

fn crew(program: &Program) -> Verdict {
    let orders = [["Bob", "Cid", "Ann"], ["Cid", "Ann", "Bob"]];
    orders.into_iter().try_for_each(|order| Crew::new(order).check(program))
}

/// The check kills the three in this order, each when the one before was said to be gone, and all
/// others sleep.
struct Crew {
    order: [&'static str; 3],
    killed: usize,
    rest: Rest,
    printed: String,
    is_wrong: bool,
}

impl Crew {
    fn new(order: [&'static str; 3]) -> Self {
        let (rest, printed) = Default::default();
        Self { order, killed: 0, rest, printed, is_wrong: false }
    }

    fn check(mut self, program: &Program) -> Verdict {
        let seen = program.watch_within(CREW_LIMIT, &[], |live| self.act(live));
        self.said_nothing_wrong()?;
        let seen = seen.map_err(|error| self.hung(&error))?;
        seen.has_processes(4)?;
        self.said_who_is_gone(&seen)?;
        self.rest.was_quiet()?;
        self.rest.was_no_sleep()?;
        seen.waited_for_all()?;
        seen.children_ended_with(End::Killed(Signal::SIGKILL))?;
        seen.succeeded()
    }

    fn act(&mut self, live: &Live) -> Act {
        self.printed.clone_from(&live.stdout);
        let gone = live.stdout.lines().filter(|line| line.ends_with(" is gone")).count();
        self.is_wrong |= gone > self.killed;
        if self.is_wrong {
            let living = live.processes.iter().position(|process| process.end.is_none());
            return living.map_or(Act::Nothing, Act::Kill);
        }
        let is_next = all_are_there(live) && gone == self.killed && gone < 3;
        if !is_next || !self.rest.is_over(live) {
            return Act::Nothing;
        }
        self.killed += 1;
        place(live, self.order[gone]).map_or(Act::Nothing, Act::Kill)
    }

    fn last_killed(&self) -> Option<&str> {
        self.killed.checked_sub(1).map(|place| self.order[place])
    }

    fn said_nothing_wrong(&self) -> Verdict {
        let said = self.said();
        expect(!self.is_wrong, || match self.last_killed() {
            None => format!("All three live, but that one is gone was printed:\n{said}"),
            Some(name) => format!(
                "{name} was killed, but that one is gone was printed more often than one was \
                 killed:\n{said}"
            ),
        })
    }

    fn hung(&self, error: &str) -> String {
        let said = self.said();
        match self.last_killed() {
            None => format!(
                "Three children have each sent a message, and live on. Printed was only\n\
                 {said}{error}"
            ),
            Some(name) => {
                format!("{name} was killed. Up to then, and after it, was printed\n{said}{error}")
            }
        }
    }

    fn said(&self) -> String {
        quoted(&self.printed.lines().take(12).collect::<Vec<_>>())
    }

    fn said_who_is_gone(&self, seen: &Seen) -> Verdict {
        let gone: Vec<_> = seen.lines().into_iter().skip(3).collect();
        let expected = self.order.map(|name| format!("{name} is gone"));
        expect(self.killed == 3 && gone == expected, || {
            format!(
                "The check killed {}, each when the one before was said to be gone. After the \
                 three messages should be printed\n{}but it was\n{}",
                self.order.join(", then "),
                quoted(&expected.each_ref().map(String::as_str)),
                quoted(&gone)
            )
        })
    }
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
