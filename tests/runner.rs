//! The watch that `programs.rs` keeps over a program, seen to bite: each trial
//! runs a program with a fault.

use libtest_mimic::Arguments;
use nix::sys::signal::Signal;
use std::fs::File;
use std::io;
use std::path::Path;
use std::process::{Command, ExitCode};
use std::thread;
use std::time::Duration;
use tests::Outcome;
use tests::run::{End, Run, run};

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    arguments.test_threads = Some(1);
    let trials = tests::trials![
        what_is_printed_and_the_exit_status_are_seen,
        a_signal_is_seen,
        a_terminal_or_a_pipe,
        no_python_variable_reaches_a_program,
        a_hang_is_ended,
        a_hang_is_ended_for_all_at_once,
        a_process_left_behind_is_named_and_killed,
        a_process_that_called_setsid_is_found,
        a_short_lived_helper_is_no_stray,
        a_name_in_dev_shm_is_found,
        a_name_that_another_program_has_is_not_counted,
        a_temporary_file_is_found,
    ];
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn shell(script: &str) -> io::Result<Run> {
    let mut command = Command::new("sh");
    command.args(["-c", script]);
    run(command, false, Duration::from_secs(20))
}

fn what_is_printed_and_the_exit_status_are_seen() -> Outcome {
    let seen = shell("echo out; echo err >&2; exit 3")?;
    assert_eq!((seen.output.as_str(), seen.end), ("out\nerr\n", End::Exited(3)));
    assert!(seen.left_behind.is_empty());
    Ok(())
}

fn a_signal_is_seen() -> Outcome {
    assert_eq!(shell("kill -KILL $$")?.end, End::Killed(Signal::SIGKILL));
    Ok(())
}

fn a_terminal_or_a_pipe() -> Outcome {
    for (on_a_pipe, output) in [(false, "terminal\n"), (true, "pipe\n")] {
        let mut command = Command::new("sh");
        command.args(["-c", "test -t 1 && echo terminal || echo pipe"]);
        assert_eq!(run(command, on_a_pipe, Duration::from_secs(20))?.output, output);
    }
    Ok(())
}

fn no_python_variable_reaches_a_program() -> Outcome {
    let mut command = Command::new("sh");
    command.args(["-c", "env | grep ^PYTHON; echo end"]);
    // SAFETY: no other thread reads the environment meanwhile.
    unsafe { std::env::set_var("PYTHONUNBUFFERED", "1") };
    assert_eq!(run(command, true, Duration::from_secs(20))?.output, "end\n");
    Ok(())
}

fn a_hang_is_ended() -> Outcome {
    let mut command = Command::new("sh");
    command.args(["-c", "echo before; (sleep 1000) & sleep 1000"]);
    let seen = run(command, false, Duration::from_millis(500))?;
    assert_eq!((seen.output.as_str(), seen.end), ("before\n", End::Hung));
    Ok(())
}

/// None of a hanging program's processes sees the end of another, and says something.
fn a_hang_is_ended_for_all_at_once() -> Outcome {
    let mut command = Command::new("sh");
    let readers = "for n in $(seq 100); do (cat <&3; echo $n) & done; wait";
    command.args(["-c", &format!("sleep 1000 | (exec 3<&0; {readers})")]);
    let seen = run(command, true, Duration::from_millis(500))?;
    assert_eq!((seen.output.as_str(), seen.end), ("", End::Hung));
    Ok(())
}

fn a_process_left_behind_is_named_and_killed() -> Outcome {
    let left_behind = shell("sleep 1001 &")?.left_behind;
    assert!(left_behind.len() == 1 && left_behind[0].ends_with(": sleep 1001"), "{left_behind:?}");
    Ok(())
}

fn a_process_that_called_setsid_is_found() -> Outcome {
    let left_behind = shell("setsid sleep 1002 >/dev/null 2>&1 </dev/null &")?.left_behind;
    assert!(left_behind.len() == 1 && left_behind[0].ends_with("sleep 1002"), "{left_behind:?}");
    Ok(())
}

fn a_short_lived_helper_is_no_stray() -> Outcome {
    assert!(shell("sleep 0.1 &")?.left_behind.is_empty());
    Ok(())
}

fn a_name_in_dev_shm_is_found() -> Outcome {
    let name = format!("/dev/shm/runner-{}", std::process::id());
    let seen = shell(&format!("echo > {name}"))?;
    std::fs::remove_file(&name)?;
    assert_eq!(seen.left_behind, [name]);
    Ok(())
}

fn a_name_that_another_program_has_is_not_counted() -> Outcome {
    let name = format!("/dev/shm/runner-in-use-{}", std::process::id());
    let runs = format!("{name}-runs");
    let script = format!("echo > {runs}; until [ -e {name} ]; do :; done; rm {runs}");
    let program = thread::spawn(move || shell(&script));
    while !Path::new(&runs).exists() {
        thread::yield_now();
    }
    let _open = File::create(&name)?;
    let seen = program.join().map_err(|_| "it panicked")??;
    std::fs::remove_file(&name)?;
    assert!(seen.left_behind.is_empty(), "{:?}", seen.left_behind);
    Ok(())
}

fn a_temporary_file_is_found() -> Outcome {
    let left_behind = shell("echo > $TMPDIR/forgotten")?.left_behind;
    assert!(left_behind.len() == 1 && left_behind[0].ends_with("/forgotten"), "{left_behind:?}");
    Ok(())
}
