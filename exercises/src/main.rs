//! `cargo exercise`: lists the exercises, and checks them.

use exercises::exercise::all;
use exercises::paint::{bold, dim};
use exercises::{Exercise, commands};
use std::env;
use std::process::ExitCode;

const HELP: &str = "\
cargo exercise                  lists all, with what is done
cargo exercise NAME             checks one
cargo exercise next             checks the next one that is not done
cargo exercise hint [NAME]      gives a hint; again for the next one
cargo exercise watch [NAME]     checks at each save
cargo exercise solution NAME    shows the solution of what is done (--show: of any)
cargo exercise reset NAME       puts the file as it was given (--all: all files)";

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match run(&arguments) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::from(2)
        }
    }
}

/// Returns whether all that was checked passed.
fn run(arguments: &[&str]) -> Result<bool, String> {
    match arguments {
        [] | ["list"] => commands::list(),
        ["help" | "--help" | "-h"] => {
            println!("{}", bold("Exercises"));
            println!("{HELP}");
            Ok(true)
        }
        ["next"] => commands::next(),
        ["hint"] => commands::open().map_or(Ok(true), commands::hint),
        ["hint", name] => commands::hint(find(name)?),
        ["watch"] => commands::watch(None),
        ["watch", name] => commands::watch(Some(find(name)?)),
        ["solution", name] => commands::solution(find(name)?, false),
        ["solution", name, "--show"] | ["solution", "--show", name] => {
            commands::solution(find(name)?, true)
        }
        ["reset", "--all"] => all().try_for_each(commands::reset).map(|()| true),
        ["reset", name] => commands::reset(find(name)?).map(|()| true),
        [name] => commands::check(find(name)?),
        _ => Err(format!("This is not a command.\n\n{HELP}")),
    }
}

/// The exercise with this name, or the only one whose name begins so.
fn find(name: &str) -> Result<&'static Exercise, String> {
    let name = name.trim_end_matches(".rs").trim_start_matches("exercises/");
    let exact = all().find(|exercise| exercise.name == name);
    exact.ok_or_else(|| {
        let similar: Vec<_> = all().map(|e| e.name).filter(|other| other.contains(name)).collect();
        let similar = match &similar[..] {
            [] => "`cargo exercise` lists them.".to_string(),
            names => format!("Did you mean {}?", names.join(" or ")),
        };
        format!("There is no exercise {name:?}. {similar} {}", dim("(cargo exercise help)"))
    })
}
