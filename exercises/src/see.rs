//! The words of the checks: they run the program and compare what was seen with what was expected.

use crate::exercise::Verdict;
use crate::hang;
use crate::seen::{AtTheEnd, End, Live, Process, Seen, Stopped};
use crate::watch::{Act, Watch};
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

/// The reader's program.
pub struct Program {
    pub path: PathBuf,
    /// A variable of the environment, with its value.
    pub variable: Option<(&'static str, String)>,
}

impl Program {
    /// Runs it with these arguments. An error is a sentence to the reader: it hung, or was stopped
    /// for passing a limit.
    pub fn run(&self, arguments: &[&str]) -> Result<Seen, String> {
        self.watch(arguments, |_| Act::Nothing)
    }

    /// Runs it with these arguments, and judges what was seen. A fault is told with the arguments.
    pub fn with(&self, arguments: &[&str], judge: impl FnOnce(&Seen) -> Verdict) -> Verdict {
        let verdict = self.run(arguments).and_then(|seen| judge(&seen));
        verdict.map_err(|why| format!("It was run with `{}`. {why}", arguments.join(" ")))
    }

    /// The same, for a program that hangs as it is given: it need not be waited for so long.
    pub fn run_within(&self, limit: Duration, arguments: &[&str]) -> Result<Seen, String> {
        self.watch_within(limit, arguments, |_| Act::Nothing)
    }

    /// The same as `run`; `react` is asked after each event.
    pub fn watch(
        &self,
        arguments: &[&str],
        react: impl FnMut(&Live) -> Act,
    ) -> Result<Seen, String> {
        self.watch_within(Watch::LIMIT, arguments, react)
    }

    /// Runs it with these arguments, and lets its processes [meet](crate::watch::meeting).
    pub fn meet(&self, arguments: &[&str]) -> Result<Seen, String> {
        self.see(arguments, |watch| watch.meet(true))
    }

    pub fn watch_within(
        &self,
        limit: Duration,
        arguments: &[&str],
        react: impl FnMut(&Live) -> Act,
    ) -> Result<Seen, String> {
        self.see(arguments, |watch| watch.limit(limit).react(react))
    }

    fn see<'a>(
        &self,
        arguments: &[&str],
        how: impl FnOnce(Watch<'a>) -> Watch<'a>,
    ) -> Result<Seen, String> {
        let mut command = Command::new(&self.path);
        command.args(arguments).env("RUST_BACKTRACE", "0");
        if let Some((name, value)) = &self.variable {
            command.env(name, value);
        }
        let seen = how(Watch::new(command)).run();
        let seen = seen.map_err(|error| format!("the program cannot be watched: {error}"))?;
        seen.stopped.as_ref().map_or(Ok(()), |stopped| Err(told(stopped, &seen)))?;
        Ok(seen)
    }
}

fn told(stopped: &Stopped, seen: &Seen) -> String {
    match stopped {
        Stopped::Hung(limit, states) => format!(
            "Your program had not ended after {} s, so it was killed. At that moment:\n  {}",
            limit.as_secs(),
            states.join("\n  ")
        ),
        Stopped::LeftBehind(states) => format!(
            "Your program {}, and left processes behind that went on, so they were killed:\n  {}{}",
            ended(seen.main().end),
            states.join("\n  "),
            said(&seen.stderr)
        ),
        Stopped::TooManyProcesses(count) => format!(
            "Your program started {count} processes, so all were killed. Does a child run code that \
             is meant for its parent?"
        ),
        Stopped::TooManyThreads(count) => {
            format!("Your program had {count} threads, so it was killed. Does a loop never end?")
        }
        Stopped::TooMuchWritten => {
            "Your program wrote more than 200 MB into files or pipes, so it was killed. Does a loop \
             never end?"
                .into()
        }
        Stopped::TooMuchOutput => {
            "Your program printed more than a megabyte, so it was killed. Does a loop never end?"
                .into()
        }
        Stopped::TooMuchMemory => {
            "Your program used more than 2 GB of memory, so it was killed.".into()
        }
    }
}

/// `Ok` if it holds, else the sentence.
pub fn expect(holds: bool, otherwise: impl FnOnce() -> String) -> Verdict {
    if holds { Ok(()) } else { Err(otherwise()) }
}

impl Seen {
    /// The program ended with exit status 0.
    pub fn succeeded(&self) -> Verdict {
        self.ended_with(End::Exited(0))
    }

    pub fn ended_with(&self, expected: End) -> Verdict {
        let end = self.main().end;
        expect(end == Some(expected), || {
            let said = said(&self.stderr);
            format!("Your program should {}, but it {}.{said}", ends(expected), ended(end))
        })
    }

    /// It printed these lines, in this order.
    pub fn printed(&self, expected: &[&str]) -> Verdict {
        expect(self.lines() == expected, || {
            format!(
                "It should print\n{}but it printed\n{}",
                quoted(expected),
                quoted(&self.lines())
            )
        })
    }

    /// It printed these lines, in any order.
    pub fn printed_in_any_order(&self, expected: &[&str]) -> Verdict {
        let sorted = |lines: &[&str]| {
            let mut lines: Vec<_> = lines.iter().map(ToString::to_string).collect();
            lines.sort();
            lines
        };
        expect(sorted(&self.lines()) == sorted(expected), || {
            format!(
                "It should print, in any order,\n{}but it printed\n{}",
                quoted(expected),
                quoted(&self.lines())
            )
        })
    }

    /// These lines were printed by children, each by another one.
    pub fn each_printed_by_a_child(&self, lines: &[&str]) -> Verdict {
        let mut before = Vec::new();
        for line in lines {
            let place = self.printed_by_a_child(line)?;
            expect(!before.contains(&place), || {
                let by = hang::name(place, &self.processes);
                format!("Each child should print a line, but {by} printed “{line}”, too.")
            })?;
            before.push(place);
        }
        Ok(())
    }

    /// A child printed this line. Returns the child's place.
    pub fn printed_by_a_child(&self, line: &str) -> Result<usize, String> {
        let place = self.who_printed(line);
        let name = |place| hang::name(place, &self.processes);
        place.filter(|place| *place != 0).ok_or_else(|| {
            let by = place.map_or("nobody".into(), name);
            format!("A child should print “{line}”, but it was printed by {by}.")
        })
    }

    /// Processes that it has started worked this often: each time, the function sleeps for a moment.
    pub fn worked_in_children(&self, function: &str, expected: usize) -> Verdict {
        let children: usize = self.processes[1..].iter().map(|process| process.sleeps).sum();
        expect(children >= expected, || {
            let own = match self.main().sleeps {
                0 => String::new(),
                count => format!(" Your program itself has slept {}.", times(count)),
            };
            format!(
                "`{function}` should be called in child processes, {}. It sleeps for a moment each \
                 time, but the children have slept {}.{own}",
                times(expected),
                times(children)
            )
        })
    }

    /// The place of the process that printed this line.
    pub fn who_printed(&self, line: &str) -> Option<usize> {
        self.processes.iter().position(|process| process.printed.lines().any(|one| one == line))
    }

    /// It consisted of this many processes: itself, its children, and theirs.
    pub fn has_processes(&self, expected: usize) -> Verdict {
        let count = self.processes.len();
        expect(count == expected, || {
            format!("There should be {expected} processes in all, but there were {count}.")
        })
    }

    /// So many of its processes lived at the same time.
    pub fn were_alive_at_once(&self, expected: usize) -> Verdict {
        expect(self.most >= expected, || {
            format!(
                "At least {expected} processes should live at the same time, your program among them, but \
                 there were never more than {}: one had ended before another was started.",
                self.most
            )
        })
    }

    /// It started this many processes itself.
    pub fn has_children(&self, expected: usize) -> Verdict {
        let count = self.children().count();
        expect(count == expected, || {
            format!(
                "Your program should start {}, but it started {}.",
                children(expected),
                children(count)
            )
        })
    }

    /// Each child ended in this way.
    pub fn children_ended_with(&self, expected: End) -> Verdict {
        self.each_child(|child| {
            (child.end != Some(expected))
                .then(|| format!("should {}, but {}", ends(expected), ended(child.end)))
        })
    }

    /// Each child is a new program, as `spawn` starts it, and no copy, as `fork` does.
    pub fn children_are_spawned(&self) -> Verdict {
        self.each_child(|child| {
            let fault = "is a copy of your program (a fork). It should be a new process that \
                         starts the program from its beginning (a spawn)";
            (child.execs == 0).then(|| fault.into())
        })
    }

    /// Every child had ended and was waited for before the program ended.
    pub fn waited_for_all(&self) -> Verdict {
        self.each_child(|child| match child.at_the_end {
            AtTheEnd::Gone => None,
            AtTheEnd::Zombie => {
                Some("was a zombie when your program ended: nobody had waited for it".into())
            }
            AtTheEnd::Running => Some("was still running when your program ended".into()),
        })
    }

    /// The same, where a fork server may have started them.
    pub fn waited_for_workers(&self) -> Verdict {
        // The server waits for its children, perhaps a moment later.
        let ended = |process: &Process| match process.at_the_end {
            AtTheEnd::Gone => true,
            AtTheEnd::Zombie => process.parent != Some(0),
            AtTheEnd::Running => false,
        };
        let all = workers(&self.processes).all(|place| ended(&self.processes[place]));
        let otherwise = "Your program should wait for the end of each child, but it ended first.";
        expect(all, || otherwise.into())
    }

    /// It left no name in /dev/shm.
    pub fn left_no_names(&self) -> Verdict {
        self.names_left().next().map_or(Ok(()), |name| {
            Err(format!("When your program had ended, {} was still there.", name.display()))
        })
    }

    fn each_child(&self, fault: impl Fn(&Process) -> Option<String>) -> Verdict {
        for (place, process) in
            self.processes.iter().enumerate().filter(|(_, p)| p.parent == Some(0))
        {
            if let Some(fault) = fault(process) {
                let name = hang::name(place, &self.processes);
                return Err(format!("{} {fault}.", capital(&name)));
            }
        }
        Ok(())
    }
}

/// The places of the processes that have started no other: a fork server, too, may start workers.
pub fn workers(processes: &[Process]) -> impl Iterator<Item = usize> {
    let has_child = |place| processes.iter().any(|other| other.parent == Some(place));
    (1..processes.len()).filter(move |place| !has_child(*place))
}

/// What it said on standard error, if anything.
pub fn said(stderr: &str) -> String {
    match stderr.trim() {
        "" => String::new(),
        text => format!("\nIt said:\n  {}", text.replace('\n', "\n  ")),
    }
}

fn ends(end: End) -> String {
    match end {
        End::Exited(status) => format!("end with exit status {status}"),
        End::Killed(signal) => format!("be killed by {signal}"),
    }
}

fn ended(end: Option<End>) -> String {
    match end {
        Some(End::Exited(status)) => format!("ended with exit status {status}"),
        Some(End::Killed(signal)) => format!("was killed by {signal}"),
        None => "has not ended".into(),
    }
}

pub fn children(count: usize) -> String {
    match count {
        0 => "no child".into(),
        1 => "one child".into(),
        count => format!("{count} children"),
    }
}

fn times(count: usize) -> String {
    if count == 1 { "once".into() } else { format!("{count} times") }
}

/// The lines, each on a line of its own.
pub fn quoted(lines: &[&str]) -> String {
    match lines {
        [] => "  (nothing)\n".into(),
        lines => lines.iter().map(|line| format!("  {line}\n")).collect(),
    }
}

pub fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).collect())
}
