//! A broken or hostile answer to an exercise takes neither the checker nor the machine with it.
//!
//! The answers are in this program. It becomes one of them if a variable says so.

use exercises::files::guarded;
use exercises::seen::{End, Seen, Stopped};
use exercises::watch::Watch;
use libtest_mimic::Arguments;
use nix::errno::Errno;
use nix::libc;
use nix::sys::ptrace;
use nix::sys::resource::{Resource, getrlimit};
use nix::sys::signal::{SigHandler, Signal, kill, raise, signal};
use nix::unistd::{ForkResult, Pid, fork};
use std::io::{Seek, Write};
use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::Duration;
use std::{env, fs, hint, thread};
use tests::{Outcome, helper, trials};

const ANSWER: &str = "HOSTILE_ANSWER";

fn main() -> ExitCode {
    if let Ok(name) = env::var(ANSWER) {
        answer(&name);
        return ExitCode::SUCCESS;
    }
    let mut arguments = Arguments::from_args();
    arguments.test_threads = Some(1);
    let trials = trials![
        a_bomb_of_forks_is_stopped,
        a_bomb_of_threads_and_forks_is_stopped,
        endless_output_is_stopped,
        much_memory_is_refused_or_stopped,
        who_ignores_sigterm_is_killed,
        who_kills_its_group_kills_only_itself,
        some_calls_are_refused,
        who_leaves_its_group_is_found,
        who_forks_twice_and_hides_is_found,
        many_threads_are_stopped,
        a_full_disk_is_prevented,
        a_stop_does_not_last,
        who_closes_everything_is_ended,
        no_core_file_is_written,
        a_hang_is_described,
        a_short_life_is_seen,
        a_busy_wait_is_seen,
        who_changes_the_exercises_is_found,
    ];
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn forked() -> ForkResult {
    // SAFETY: these answers have one thread, or do as they please.
    unsafe { fork() }.unwrap_or(ForkResult::Child)
}

fn answer(name: &str) {
    match name {
        "bomb" => loop {
            forked();
        },
        "threads" => loop {
            thread::spawn(|| {
                forked();
            });
        },
        "output" => loop {
            println!("{}", "all work and no play ".repeat(100));
        },
        "memory" => {
            for _ in 0..10 {
                hint::black_box(vec![1u8; 1 << 30].leak());
            }
        }
        "deaf" => {
            // SAFETY: to ignore a signal installs no function.
            unsafe { signal(Signal::SIGTERM, SigHandler::SigIgn) }.expect("it can be ignored");
            loop {
                thread::park();
            }
        }
        "group" => kill(Pid::from_raw(0), Signal::SIGKILL).expect("it has a group"),
        "refused" => refused(),
        "session" => {
            if let ForkResult::Child = forked() {
                nix::unistd::setsid().expect("it leads no group");
                loop {
                    thread::park();
                }
            }
            println!("left");
        }
        "twice" => {
            if let (ForkResult::Child, ForkResult::Child) = (forked(), forked()) {
                nix::unistd::setsid().expect("it leads no group");
                // SAFETY: to ignore a signal installs no function.
                unsafe { signal(Signal::SIGTERM, SigHandler::SigIgn) }.expect("it can be ignored");
                loop {
                    thread::park();
                }
            }
        }
        "many threads" => loop {
            let started = thread::Builder::new().stack_size(1 << 14).spawn(thread::park);
            started.expect("there is room");
        },
        "disk" => {
            let mut file = tempfile::tempfile().expect("it is a file without a name");
            loop {
                file.write_all(&[1; 1 << 20]).expect("the disk is not full");
                file.rewind().expect("a file has a beginning");
            }
        }
        "stop" => {
            raise(Signal::SIGSTOP).expect("it goes on");
            raise(Signal::SIGTSTP).expect("it goes on");
            println!("goes on");
        }
        "closed" => {
            for descriptor in 0..100 {
                // SAFETY: nothing here uses a descriptor any more.
                unsafe { libc::close(descriptor) };
            }
            loop {
                thread::park();
            }
        }
        "core" => println!("{:?}", getrlimit(Resource::RLIMIT_CORE)),
        "pipe" => {
            let (mut reader, writer) = std::io::pipe().expect("a pipe");
            std::io::Read::read(&mut reader, &mut [0]).expect("it waits for ever");
            drop(writer);
        }
        "short" => {
            if let ForkResult::Child = forked() {
                // SAFETY: it takes any number.
                unsafe { libc::_exit(7) }
            }
            nix::sys::wait::wait().expect("it has a child");
        }
        "busy" => {
            while helper::processor_time().expect("it is known") < Duration::from_millis(400) {
                hint::spin_loop();
            }
        }
        "forger" => {
            fs::write("exercises/given/one.rs", "mine").expect("it may write");
            fs::remove_file("exercises/one.rs").expect("it may remove");
            fs::write("results/one-1", "passed\n").expect("it may write");
            fs::write("results/two-2", "passed\n").expect("it may write");
        }
        _ => unreachable!(),
    }
}

/// What would reach others, or hide from the checker. Signal 0 only asks: if nothing refuses it,
/// nobody is hurt.
fn refused() {
    println!("{:?}", kill(Pid::from_raw(-1), None));
    println!("{:?}", kill(Pid::parent(), None));
    println!("{:?}", ptrace::attach(Pid::parent()));
    let flags = libc::CLONE_UNTRACED | libc::SIGCHLD;
    // SAFETY: it is a fork, if it is one, of a process with one thread.
    let new = unsafe { libc::syscall(libc::SYS_clone, flags, 0, 0, 0, 0) };
    println!("{:?}", Errno::result(new));
}

fn watch(name: &str, seconds: u64) -> Seen {
    watch_in(Path::new("."), name, seconds)
}

fn watch_in(folder: &Path, name: &str, seconds: u64) -> Seen {
    let mut command = Command::new(env::current_exe().expect("it has a file"));
    command.env(ANSWER, name).current_dir(folder);
    let seen =
        Watch::new(command).limit(Duration::from_secs(seconds)).run().expect("it is watched");
    for process in &seen.processes {
        assert!(process.end.is_some(), "{} was not seen to end", process.pid);
        assert!(fs::metadata(format!("/proc/{}", process.pid)).is_err(), "{} lives", process.pid);
    }
    seen
}

fn a_bomb_of_forks_is_stopped() -> Outcome {
    let seen = watch("bomb", 20);
    assert!(matches!(seen.stopped, Some(Stopped::TooManyProcesses(_))), "{:?}", seen.stopped);
    assert!(seen.most < 100, "{} lived at once", seen.most);
    Ok(())
}

fn a_bomb_of_threads_and_forks_is_stopped() -> Outcome {
    // Which limit it passes first is a matter of luck.
    assert!(watch("threads", 20).stopped.is_some());
    Ok(())
}

fn endless_output_is_stopped() -> Outcome {
    assert_eq!(watch("output", 20).stopped, Some(Stopped::TooMuchOutput));
    Ok(())
}

fn much_memory_is_refused_or_stopped() -> Outcome {
    let seen = watch("memory", 20);
    let is_refused = seen.main().end == Some(End::Killed(Signal::SIGABRT));
    assert!(is_refused || seen.stopped == Some(Stopped::TooMuchMemory), "{seen:?}");
    Ok(())
}

fn who_ignores_sigterm_is_killed() -> Outcome {
    let seen = watch("deaf", 1);
    assert!(matches!(seen.stopped, Some(Stopped::Hung(..))));
    assert_eq!(seen.main().end, Some(End::Killed(Signal::SIGKILL)));
    Ok(())
}

fn who_kills_its_group_kills_only_itself() -> Outcome {
    assert_eq!(watch("group", 5).main().end, Some(End::Killed(Signal::SIGKILL)));
    Ok(())
}

fn some_calls_are_refused() -> Outcome {
    assert_eq!(watch("refused", 5).stdout, "Err(EPERM)\n".repeat(4));
    Ok(())
}

fn who_leaves_its_group_is_found() -> Outcome {
    let seen = watch("session", 1);
    assert_eq!(seen.stdout, "left\n");
    assert_eq!(seen.processes.len(), 2);
    Ok(())
}

fn who_forks_twice_and_hides_is_found() -> Outcome {
    let seen = watch("twice", 5);
    assert!(matches!(seen.stopped, Some(Stopped::LeftBehind(_))), "{:?}", seen.stopped);
    Ok(())
}

fn many_threads_are_stopped() -> Outcome {
    let stopped = watch("many threads", 20).stopped;
    assert!(matches!(stopped, Some(Stopped::TooManyThreads(_))), "{stopped:?}");
    Ok(())
}

fn a_full_disk_is_prevented() -> Outcome {
    assert_eq!(watch("disk", 20).stopped, Some(Stopped::TooMuchWritten));
    Ok(())
}

fn a_stop_does_not_last() -> Outcome {
    assert_eq!(watch("stop", 5).stdout, "goes on\n");
    Ok(())
}

fn who_closes_everything_is_ended() -> Outcome {
    assert!(matches!(watch("closed", 1).stopped, Some(Stopped::Hung(..))));
    Ok(())
}

fn no_core_file_is_written() -> Outcome {
    assert_eq!(watch("core", 5).stdout, "Ok((0, 0))\n");
    Ok(())
}

fn a_hang_is_described() -> Outcome {
    let Some(Stopped::Hung(_, states)) = watch("pipe", 1).stopped else {
        return Err("it has not hung".into());
    };
    assert_eq!(
        states,
        ["your program waits to read from a pipe, which only your program has open"]
    );
    Ok(())
}

fn a_short_life_is_seen() -> Outcome {
    let seen = watch("short", 5);
    let ends: Vec<_> = seen.processes.iter().map(|process| process.end).collect();
    assert_eq!(ends, [Some(End::Exited(0)), Some(End::Exited(7))]);
    Ok(())
}

fn a_busy_wait_is_seen() -> Outcome {
    let time = watch("busy", 10).main().processor;
    assert!(time >= Duration::from_millis(300), "{time:?}");
    Ok(())
}

fn who_changes_the_exercises_is_found() -> Outcome {
    let folder = tempfile::tempdir()?;
    let (own, results) = (folder.path().join("exercises"), folder.path().join("results"));
    fs::create_dir_all(own.join("given"))?;
    fs::create_dir(&results)?;
    fs::write(own.join("given/one.rs"), "theirs")?;
    fs::write(own.join("one.rs"), "theirs")?;
    fs::write(results.join("one-1"), "failed\nwhy")?;
    let found = guarded(&own, &results, || {
        assert_eq!(watch_in(folder.path(), "forger", 5).main().end, Some(End::Exited(0)));
        Ok(())
    });
    let said = found.err().ok_or("nobody has noticed it")?;
    assert!(said.contains("exercises/given/one.rs was changed"), "{said}");
    assert_eq!(fs::read_to_string(results.join("one-1"))?, "failed\nwhy");
    assert!(!results.join("two-2").exists(), "a result was added");
    assert_eq!(guarded(&own, &results, || Ok(()))?, Ok(()));
    Ok(())
}
