//! Each exercise's file as given fails its check, the solution passes it, and each wrong answer is
//! refused with the message that is written in its first lines.
//!
//! All answers are in this program. It becomes one of them if a variable says so. Every process that
//! ends below a checker counts as the program's, so each check has a process of its own, and a few
//! run at once: most of their time is waiting.

use exercises::exercise::{Exercise, Verdict, all};
use exercises::see::Program;
use libtest_mimic::{Arguments, Failed, Trial};
use std::process::{Command, ExitCode};
use std::{env, fs};
use tests::{Outcome, root};

#[allow(
    dead_code,
    unreachable_code,
    unused_imports,
    clippy::all,
    reason = "wrong answers are like that"
)]
mod answers {
    include!(concat!(env!("OUT_DIR"), "/answers.rs"));
}

const ANSWER: &str = "EXERCISE_ANSWER";
/// The exercise whose check a process makes, of the answer in its first argument.
const CHECK: &str = "EXERCISE_CHECK";
const AT_ONCE: usize = 6;

fn main() -> ExitCode {
    if let Ok(name) = env::var(ANSWER) {
        let found = answers::ANSWERS.iter().find(|(answer, _)| *answer == name);
        return found.map_or(ExitCode::from(99), |(_, answer)| answer());
    }
    if let Ok(name) = env::var(CHECK) {
        return check_here(&name);
    }
    if !cfg!(debug_assertions) {
        println!(
            "Readers' programs are compiled without optimisation: test them without --release."
        );
        return ExitCode::SUCCESS;
    }
    let mut arguments = Arguments::from_args();
    arguments.test_threads = Some(AT_ONCE);
    let trials = all().flat_map(|exercise| {
        [
            Trial::test(format!("{}_given", exercise.name), || given_fails(exercise)),
            Trial::test(format!("{}_solution", exercise.name), || solution_passes(exercise)),
            Trial::test(format!("{}_wrong", exercise.name), || wrong_are_refused(exercise)),
            Trial::test(format!("{}_look", exercise.name), || heading_is_there(exercise)),
        ]
    });
    libtest_mimic::run(&arguments, trials.collect()).exit_code()
}

/// What the check of an exercise finds of an answer.
fn check(exercise: &Exercise, answer: &str) -> Result<Verdict, Failed> {
    let mut checker = Command::new(env::current_exe()?);
    let found = checker.arg(answer).env(CHECK, exercise.name).output()?;
    let said = String::from_utf8(found.stdout)?;
    match found.status.code() {
        Some(0) => Ok(Ok(())),
        Some(1) => Ok(Err(said)),
        _ => Err(format!(
            "{answer}: the checker {}: {}",
            found.status,
            String::from_utf8_lossy(&found.stderr)
        )
        .into()),
    }
}

/// Makes the check, in this process, and says what it has found.
fn check_here(exercise: &str) -> ExitCode {
    let exercise = all().find(|other| other.name == exercise).expect("there is this exercise");
    let answer = env::args().nth(1).expect("there is an answer");
    let path = env::current_exe().expect("this program has a file");
    match (exercise.check)(&Program { path, variable: Some((ANSWER, answer)) }) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            print!("{why}");
            ExitCode::FAILURE
        }
    }
}

fn given_fails(exercise: &Exercise) -> Outcome {
    let found = check(exercise, &format!("given/{}", exercise.name))?;
    found.err().ok_or("the file as given passes")?;
    let file = root().join("exercises").join(exercise.name).with_extension("rs");
    let is_given = env::var_os("CI").is_none() || fs::read_to_string(&file)? == exercise.given;
    is_given.then_some(()).ok_or(Failed::from("the file to edit is not as given"))
}

fn solution_passes(exercise: &Exercise) -> Outcome {
    Ok(check(exercise, &format!("solutions/{}", exercise.name))??)
}

fn wrong_are_refused(exercise: &Exercise) -> Outcome {
    let mut messages = Vec::new();
    for (name, text) in wrong_answers(exercise)? {
        let found = check(exercise, &format!("wrong/{name}"))?;
        let said = found.err().ok_or(format!("{name} passes"))?;
        let expected: Vec<_> =
            text.lines().filter_map(|line| line.strip_prefix("//! Refused: ")).collect();
        if !expected.iter().any(|expected| said.contains(expected)) {
            return Err(format!(
                "{name} should be refused with one of {expected:?}, not with\n{said}"
            )
            .into());
        }
        messages.push(expected.concat());
    }
    messages.sort();
    messages.dedup();
    match messages.len() {
        0 | 1 => Err("there should be two wrong answers, each with a message of its own".into()),
        _ => Ok(()),
    }
}

/// The heading that the reader is told to look at stands in the chapter.
fn heading_is_there(exercise: &Exercise) -> Outcome {
    let page = root().join("book").join(exercise.chapter).with_extension("md");
    let page = fs::read_to_string(page)?;
    let headings = page.lines().filter_map(|line| line.strip_prefix('#'));
    let mut texts = headings.map(|line| line.trim_start_matches('#').split(" {#").next());
    let is_there = texts.any(|text| text.is_some_and(|text| text.trim() == exercise.look));
    is_there.then_some(()).ok_or_else(|| format!("no heading “{}”", exercise.look).into())
}

/// The names and texts of the wrong answers: `NAME_what.rs`.
fn wrong_answers(exercise: &Exercise) -> Result<Vec<(String, String)>, Failed> {
    let mut found = Vec::new();
    for file in fs::read_dir(root().join("exercises/wrong"))? {
        let path = file?.path();
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let of = all().filter(|other| name.starts_with(&format!("{}_", other.name)));
        if of.max_by_key(|other| other.name.len()).is_some_and(|of| of.name == exercise.name) {
            found.push((name, fs::read_to_string(path)?));
        }
    }
    Ok(found)
}
