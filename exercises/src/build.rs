//! Compiles the reader's files, with cargo. A profile of their own gives them a folder of their own
//! in `target`, so that they and an editor's checks do not wait for each other.

use crate::commands::folder;
use crate::exercise::Exercise;
use std::collections::HashMap;
use std::env;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// What became of a file.
pub enum Built {
    Program(PathBuf),
    /// It does not compile. cargo has said why.
    Faulty,
}

/// Compiles one. cargo's own messages are shown.
pub fn build(exercise: &Exercise) -> Result<Built, String> {
    let mut command = cargo();
    command.args(["--quiet", "--bin", exercise.name]);
    let status = command.status().map_err(|error| format!("cargo cannot be started: {error}"))?;
    Ok(match status.success() {
        true => Built::Program(program(exercise)),
        false => Built::Faulty,
    })
}

/// Compiles these. Returns the programs of those that compile.
pub fn build_all(exercises: &[&Exercise]) -> Result<HashMap<&'static str, PathBuf>, String> {
    let mut command = cargo();
    command.args(["--quiet", "--keep-going"]).stderr(Stdio::null());
    command.args(exercises.iter().flat_map(|exercise| ["--bin", exercise.name]));
    let all = command.status().map_err(|error| format!("cargo cannot be started: {error}"))?;
    let mut programs = HashMap::new();
    for exercise in exercises {
        if all.success() || compiles(exercise)? {
            programs.insert(exercise.name, program(exercise));
        }
    }
    Ok(programs)
}

/// Whether one that others were built with compiles, too.
fn compiles(exercise: &Exercise) -> Result<bool, String> {
    let mut command = cargo();
    command.args(["--quiet", "--bin", exercise.name]).stderr(Stdio::null());
    let status = command.status().map_err(|error| format!("cargo cannot be started: {error}"))?;
    Ok(status.success())
}

fn cargo() -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or("cargo".into()));
    command.args(["build", "--profile", "exercise", "--package", "exercises"]);
    command.current_dir(folder());
    command
}

fn program(exercise: &Exercise) -> PathBuf {
    let target = env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
    target.unwrap_or_else(|| folder().join("../target")).join("exercise").join(exercise.name)
}
