//! The exercises of the chapter `manager`. The last one joins what the part taught.

use crate::exercise;
use crate::exercise::{Exercise, Verdict};
use crate::see::{Program, expect};
use crate::watch::{End, Seen};
use nix::sys::signal::Signal;

pub const EXERCISES: &[Exercise] = &[
    exercise!(
        "manager_count", "manager",
        look: "Two calls are not one",
        goal: "Two processes count words in one dictionary. Let no addition be lost.",
        hints: [
            "What can the other process do between `get` and `insert`?",
            "A proxy has a method that reads, changes and writes in one step.",
            "`counts.update(word.into(), |old| …)`: the closure gets what is there, if anything, and returns what should be there, `Some(…)`.",
        ],
        count
    ),
    exercise!(
        "manager_steps", "manager",
        look: "What can it keep?",
        goal: "One job kills its worker. Say in which step that was, and do all the others.",
        hints: [
            "First let no error end the program: `match task.get()`, with an arm for `Error::WorkerDied { .. }`.",
            "Make a manager and a dictionary in `main`, and give each task a clone of the proxy. `work` writes there which step the job is in.",
            "In `work`, note the step before it begins: `steps.insert(job, number)?`. For a lost job, `main` asks the dictionary: `steps.get(&job)?`.",
        ],
        steps
    ),
];

fn count(program: &Program) -> Verdict {
    [300, 400]
        .into_iter()
        .try_for_each(|times: u32| program.with(&[&times.to_string()], |seen| counted(seen, times)))
}

fn counted(seen: &Seen, times: u32) -> Verdict {
    seen.succeeded()?;
    let number = |word: &str| {
        let lines = seen.lines();
        let number = lines.iter().find_map(|line| line.strip_prefix(word)?.strip_prefix(": "));
        number.and_then(|number| number.parse::<u32>().ok())
    };
    if let (Some(forks), Some(pipes)) = (number("fork"), number("pipe")) {
        let printed = format!("It printed “fork: {forks}” and “pipe: {pipes}”");
        expect((forks, pipes) != (times, times), || {
            format!(
                "{printed}, and should print {} for both: only one of the two processes' counts is \
                 there. Did one replace what the other had written?",
                2 * times
            )
        })?;
        expect(forks >= 2 * times && pipes >= 2 * times, || {
            format!(
                "{printed}, and should print {} for both: two processes counted each word {times} \
                 times. Some additions were lost.",
                2 * times
            )
        })?;
    }
    let expected = ["fork", "pipe"].map(|word| format!("{word}: {}", 2 * times));
    seen.printed(&expected.each_ref().map(String::as_str))?;
    let count = seen.children().count();
    expect(count >= 3, || {
        format!(
            "Two child processes should count, and the manager is a third one, but your program \
             started {count} in all."
        )
    })?;
    expect(seen.most >= 4, || {
        "The two processes should count at the same time, but one had ended before the other was \
         started."
            .into()
    })
}

fn steps(program: &Program) -> Verdict {
    [(2, 3), (4, 1)].into_iter().try_for_each(|(job, step)| {
        let arguments = [job.to_string(), step.to_string()];
        let seen = program.run(&arguments.each_ref().map(String::as_str));
        let verdict = seen.and_then(|seen| told_the_step(&seen, job, step));
        verdict.map_err(|why| {
            format!("In a run in which job {job} kills its worker in step {step}: {why}")
        })
    })
}

fn told_the_step(seen: &Seen, job: u32, step: u32) -> Verdict {
    seen.succeeded()?;
    let line = |other| match other {
        _ if other == job => format!("job {job}: lost in step {step}"),
        _ => format!("job {other}: done"),
    };
    let lines = [1, 2, 3, 4].map(line);
    seen.printed(&lines.each_ref().map(String::as_str))?;
    let killed = Some(End::Killed(Signal::SIGKILL));
    expect(seen.processes.iter().any(|process| process.end == killed), || {
        format!("Job {job} should be begun, and its worker be killed by SIGKILL. No child was.")
    })
}
