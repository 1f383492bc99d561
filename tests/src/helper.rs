//! A test in a process of its own: the test program runs itself again, and
//! `main` calls a helper instead of the tests. For what would disturb the other
//! tests: no `init()`, a descriptor 3 of its own, a program that is deleted.

use std::env;
use std::path::Path;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

/// Names the helper.
pub const VARIABLE: &str = "TEST_HELPER";

/// What a helper does; it prints what it saw.
pub type Helper = fn() -> Result<(), Box<dyn std::error::Error>>;

/// Calls the helper that this process was started for, if it is one of these, and
/// ends the process.
pub fn run_if_asked(helpers: &[(&str, Helper)]) {
    let Ok(name) = env::var(VARIABLE) else { return };
    let Some((_, helper)) = helpers.iter().find(|(known, _)| *known == name) else { return };
    match helper() {
        Ok(()) => std::process::exit(0),
        Err(error) => println!("{error}"),
    }
    std::process::exit(1)
}

/// The same for the last list: a helper that is in none must not run the tests.
pub fn run_or_fail(helpers: &[(&str, Helper)]) {
    run_if_asked(helpers);
    if let Ok(name) = env::var(VARIABLE) {
        println!("no helper {name}");
        std::process::exit(1);
    }
}

/// The command for a helper in this program.
pub fn command(name: &str) -> Command {
    command_of(Path::new("/proc/self/exe"), name)
}

/// The command for a helper in a copy of this program.
pub fn command_of(program: &Path, name: &str) -> Command {
    let mut command = Command::new(program);
    command.env(VARIABLE, name);
    command
}

/// What a command printed; it must have ended with exit status 0.
pub fn printed(mut command: Command) -> Result<String, libtest_mimic::Failed> {
    let Output { status, stdout, stderr } = command.output()?;
    let text = String::from_utf8_lossy(&stdout).into_owned();
    match status.success() {
        true => Ok(text),
        false => Err(format!("{status}: {text}{}", String::from_utf8_lossy(&stderr)).into()),
    }
}

/// How many kills a test makes, of each kind.
pub fn kills() -> u64 {
    env::var("KILLS").ok().and_then(|kills| kills.parse().ok()).unwrap_or(100)
}

/// Lets a short time pass, to the microsecond, before a kill: no event is waited
/// for.
pub fn pass(time: Duration) {
    let start = Instant::now();
    while start.elapsed() < time {
        std::hint::spin_loop();
    }
}
