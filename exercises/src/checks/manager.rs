//! The exercises of the chapter `manager`. The last one joins what the part taught.

use crate::exercise;
use crate::exercise::{Exercise, Verdict};
use crate::see::{self, Program, expect, quoted};
use crate::seen::{End, Seen};
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
    for _ in 0..2 {
        let seen = program.run(&[])?;
        seen.succeeded()?;
        let times = counted_by_children(&seen)?;
        none_is_lost(&seen, &times)?;
        seen.were_alive_at_once(4)?;
    }
    Ok(())
}

/// How often each of the two says that it counts. The number depends on the process.
fn counted_by_children(seen: &Seen) -> Result<Vec<u32>, String> {
    let children: Vec<_> = seen.children().map(|child| 500 + child.pid as u32 % 100).collect();
    let times =
        |line: &str| line.strip_prefix("counts each word ")?.strip_suffix(" times")?.parse().ok();
    let times: Vec<u32> = seen.lines().into_iter().filter_map(times).collect();
    let is_by_child = times.iter().all(|number| children.contains(number));
    expect(children.len() >= 3 && times.len() == 2 && is_by_child, || {
        format!(
            "Two child processes should count, and the manager is a third one. Your program started \
             {}, and printed\n{}",
            see::children(children.len()),
            quoted(&seen.lines())
        )
    })?;
    Ok(times)
}

fn none_is_lost(seen: &Seen, times: &[u32]) -> Verdict {
    let sum: u32 = times.iter().sum();
    let number = |word: &str| {
        let lines = seen.lines();
        let number = lines.iter().find_map(|line| line.strip_prefix(word)?.strip_prefix(": "));
        number.and_then(|number| number.parse::<u32>().ok())
    };
    let numbers = ["fork", "pipe"].map(number);
    expect(numbers == [Some(sum); 2], || {
        let why = match numbers {
            [Some(forks), Some(pipes)] if times.contains(&forks) && times.contains(&pipes) => {
                "Only one of the two processes' counts is there. Did one replace what the other had written?"
            }
            [Some(forks), Some(pipes)] if forks < sum || pipes < sum => "Some additions were lost.",
            _ => "",
        };
        format!("The sum is {sum} for both words, but it printed\n{}{why}", quoted(&seen.lines()))
    })
}

fn steps(program: &Program) -> Verdict {
    [2, 4].into_iter().try_for_each(|job: u32| {
        let seen = program.run(&[&job.to_string()]);
        let verdict = seen.and_then(|seen| told_the_step(&seen, job));
        verdict.map_err(|why| format!("In a run in which job {job} kills its worker: {why}"))
    })
}

fn told_the_step(seen: &Seen, job: u32) -> Verdict {
    seen.succeeded()?;
    let step = fatal_step(seen, job)?;
    let lost = |step| format!("job {job}: lost in step {step}");
    expect(!seen.lines().contains(&lost(step - 1).as_str()), || {
        format!(
            "It printed “{}”, but that is the step before: the worker died in step {step}. When does \
             a job note a step, before it or after it?",
            lost(step - 1)
        )
    })?;
    let lines = [1, 2, 3, 4].map(|other| match other {
        _ if other == job => lost(step),
        _ => format!("job {other}: done"),
    });
    seen.printed(&lines.each_ref().map(String::as_str))?;
    seen.worked_in_children("step", 3 * 5 + step as usize)
}

/// In which step the worker died. That depends on the worker.
fn fatal_step(seen: &Seen, job: u32) -> Result<i32, String> {
    let killed = Some(End::Killed(Signal::SIGKILL));
    let worker = seen.processes.iter().find(|process| process.end == killed);
    let worker = worker.ok_or_else(|| {
        format!("Job {job} should be begun, and its worker be killed by SIGKILL. No child was.")
    })?;
    Ok(1 + worker.pid % 5)
}
