//! The watch that `programs.rs` keeps over a program, seen to bite: each trial
//! runs a program with a fault.

use libtest_mimic::{Arguments, Failed, Trial};
use nix::sys::signal::Signal;
use std::io;
use std::process::{Command, ExitCode};
use std::time::Duration;
use tests::run::{End, Run, run};

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    arguments.test_threads = Some(1);
    let trials = vec![
        Trial::test("what_is_printed_and_the_exit_status_are_seen", status),
        Trial::test("a_signal_is_seen", signal),
        Trial::test("a_terminal_or_a_pipe", terminal),
        Trial::test("no_python_variable_reaches_a_program", environment),
        Trial::test("a_hang_is_ended", hang),
        Trial::test("a_process_left_behind_is_named_and_killed", stray),
        Trial::test("a_process_that_called_setsid_is_found", setsid),
        Trial::test("a_short_lived_helper_is_no_stray", helper),
        Trial::test("a_name_in_dev_shm_is_found", shm),
        Trial::test("a_temporary_file_is_found", temporary),
    ];
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn shell(script: &str) -> io::Result<Run> {
    let mut command = Command::new("sh");
    command.args(["-c", script]);
    run(command, false, Duration::from_secs(20))
}

fn status() -> Result<(), Failed> {
    let seen = shell("echo out; echo err >&2; exit 3")?;
    assert_eq!((seen.output.as_str(), seen.end), ("out\nerr\n", End::Exited(3)));
    assert!(seen.left_behind.is_empty());
    Ok(())
}

fn signal() -> Result<(), Failed> {
    assert_eq!(shell("kill -KILL $$")?.end, End::Killed(Signal::SIGKILL));
    Ok(())
}

fn terminal() -> Result<(), Failed> {
    for (on_a_pipe, output) in [(false, "terminal\n"), (true, "pipe\n")] {
        let mut command = Command::new("sh");
        command.args(["-c", "test -t 1 && echo terminal || echo pipe"]);
        assert_eq!(run(command, on_a_pipe, Duration::from_secs(20))?.output, output);
    }
    Ok(())
}

fn environment() -> Result<(), Failed> {
    let mut command = Command::new("sh");
    command.args(["-c", "env | grep ^PYTHON; echo end"]);
    // SAFETY: no other thread reads the environment meanwhile.
    unsafe { std::env::set_var("PYTHONUNBUFFERED", "1") };
    assert_eq!(run(command, true, Duration::from_secs(20))?.output, "end\n");
    Ok(())
}

fn hang() -> Result<(), Failed> {
    let mut command = Command::new("sh");
    command.args(["-c", "echo before; (sleep 1000) & sleep 1000"]);
    let seen = run(command, false, Duration::from_millis(500))?;
    assert_eq!((seen.output.as_str(), seen.end), ("before\n", End::Hung));
    Ok(())
}

fn stray() -> Result<(), Failed> {
    let left_behind = shell("sleep 1001 &")?.left_behind;
    assert!(left_behind.len() == 1 && left_behind[0].ends_with(": sleep 1001"), "{left_behind:?}");
    Ok(())
}

fn setsid() -> Result<(), Failed> {
    let left_behind = shell("setsid sleep 1002 >/dev/null 2>&1 </dev/null &")?.left_behind;
    assert!(left_behind.len() == 1 && left_behind[0].ends_with("sleep 1002"), "{left_behind:?}");
    Ok(())
}

fn helper() -> Result<(), Failed> {
    assert!(shell("sleep 0.1 &")?.left_behind.is_empty());
    Ok(())
}

fn shm() -> Result<(), Failed> {
    let name = format!("/dev/shm/runner-{}", std::process::id());
    let seen = shell(&format!("echo > {name}"))?;
    std::fs::remove_file(&name)?;
    assert_eq!(seen.left_behind, [name]);
    Ok(())
}

fn temporary() -> Result<(), Failed> {
    let left_behind = shell("echo > $TMPDIR/forgotten")?.left_behind;
    assert!(left_behind.len() == 1 && left_behind[0].ends_with("/forgotten"), "{left_behind:?}");
    Ok(())
}
