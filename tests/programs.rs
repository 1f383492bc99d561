//! Runs every program of `examples/` and `project/examples/`, and compares what it prints, and how it
//! ends, with its `.out`.
//!
//!     cargo test --test programs                    all of them
//!     cargo test --test programs -- fork_wait       those with this in their name
//!     RECORD=1 cargo test --test programs           write each .out anew

use libtest_mimic::{Arguments, Failed, Trial};
use std::path::PathBuf;
use std::process::{Command, ExitCode, Stdio};
use std::time::Duration;
use std::{env, fs, io};
use tests::compare::compare;
use tests::program::{Program, build, programs};
use tests::run::{End, Run, run};

/// A program ends in a second or two; a loaded machine gets more. One that is
/// declared to hang is watched for less.
const LIMIT: Duration = Duration::from_secs(30);
const HANG: Duration = Duration::from_secs(3);

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    // One program at a time: what is left behind is that one's.
    arguments.test_threads = Some(1);
    match trials(&arguments) {
        Ok(trials) => libtest_mimic::run(&arguments, trials).exit_code(),
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn trials(arguments: &Arguments) -> io::Result<Vec<Trial>> {
    let programs = programs(&tests::root())?;
    let is_wanted = |program: &&Program| {
        let name = format!("{}.rs", program.name);
        arguments.filter.as_ref().is_none_or(|filter| name.contains(filter))
    };
    let wanted = programs.iter().filter(is_wanted).filter(|program| program.rust.is_some());
    let wanted: Vec<_> = wanted.map(|program| program.name.as_str()).collect();
    let folder = if arguments.list { PathBuf::new() } else { build(&wanted)? };
    let python = has_python();
    let mut trials = Vec::new();
    let mut skipped = 0;
    for program in programs {
        if program.expect().is_ok_and(|expect| expect.for_people) {
            continue;
        }
        if program.rust.is_some() {
            let mut command = Command::new(folder.join(&program.name));
            command.args(program.arguments()?);
            let is_skipped = !python && program.expect().is_ok_and(|expect| expect.needs_python);
            skipped += usize::from(is_skipped);
            trials.push(trial(&program, "rs", command)?.with_ignored_flag(is_skipped));
        }
        if let Some(file) = &program.python {
            let mut command = Command::new("python3");
            command.arg(file);
            skipped += usize::from(!python);
            trials.push(trial(&program, "py", command)?.with_ignored_flag(!python));
        }
    }
    if skipped > 0 {
        println!("python3 is not here: {skipped} programs are skipped");
    }
    if skipped > 0 && env::var_os("CI").is_some_and(|ci| ci == "true") {
        return Err(io::Error::other("with CI=true, python3 must be here"));
    }
    Ok(trials)
}

fn has_python() -> bool {
    let mut python = Command::new("python3");
    let quiet = python.arg("--version").stdout(Stdio::null()).stderr(Stdio::null());
    quiet.status().is_ok_and(|status| status.success())
}

fn trial(program: &Program, language: &str, mut command: Command) -> io::Result<Trial> {
    command.current_dir(tests::root());
    let name = format!("{}.{language}", program.name);
    let folder = tests::root().join(program.folder);
    // The twin prints what the Rust program has printed, unless what differs is the
    // point: then there is a NAME.py.out.
    let own = folder.join(format!("{name}.out"));
    let is_twin = language == "py" && program.rust.is_some() && !own.exists();
    let recorded = if own.exists() { own } else { folder.join(format!("{}.out", program.name)) };
    let records = env::var_os("RECORD").is_some() && !is_twin;
    let expect = program.expect().map_err(|e| io::Error::other(format!("{name}: {e}")))?;
    Ok(Trial::test(name, move || {
        let limit = if expect.ends.contains(&End::Hung) { HANG } else { LIMIT };
        let seen = run(command, expect.on_a_pipe, limit)?;
        check_end(&seen, &expect.ends)?;
        if records {
            fs::write(&recorded, &seen.output)?;
        }
        let missing = |e| format!("{}: {e}; RECORD=1 writes it", recorded.display());
        let recorded = fs::read_to_string(&recorded).map_err(missing)?;
        Ok(compare(&recorded, &seen.output, &expect)?)
    }))
}

fn check_end(seen: &Run, ends: &[End]) -> Result<(), Failed> {
    if !ends.contains(&seen.end) {
        let ends: Vec<_> = ends.iter().map(End::to_string).collect();
        let (end, output) = (&seen.end, &seen.output);
        return Err(format!(
            "ended: {end}; declared: {}; it printed:\n{output}",
            ends.join(" or ")
        )
        .into());
    }
    if !seen.left_behind.is_empty() {
        return Err(format!("left behind: {}", seen.left_behind.join(", ")).into());
    }
    Ok(())
}
