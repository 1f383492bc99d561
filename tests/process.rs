//! The handle of a process: waiting, results, signals, and what becomes of it all when
//! somebody is killed or something is used up.

use libtest_mimic::Arguments;
use multiprocessing::{Error, ForkServer, Process, current_process, wait};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::signal::{SigHandler, Signal, raise, signal};
use nix::sys::wait::{Id, WaitPidFlag, waitid, waitpid};
use nix::unistd::{Pid, User, setuid};
use std::error::Error as StdError;
use std::fs;
use std::io::{PipeWriter, Read, pipe};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::path::Path;
use std::process::{ExitCode, Stdio, exit, id};
use std::time::{Duration, Instant};
use tests::child::{LONG, open_numbers, read_all, wait_for_end};
use tests::helper::{self, printed};
use tests::{Outcome, trials};

fn main() -> ExitCode {
    multiprocessing::init();
    helper::run_or_fail(&[
        ("parent_of_answer", parent_of_answer),
        ("forks", forks),
        ("signals_with_sigchld_ignored", signals_with_sigchld_ignored),
        ("few_descriptors", few_descriptors),
        ("few_processes", few_processes),
        ("no_threads", no_threads),
        ("a_thousand", a_thousand),
    ]);
    let trials = trials![
        exit_codes_are_as_in_python,
        waiting_takes_nothing,
        waiting_reaps_nobody,
        wait_timeout_gives_up_and_goes_on,
        a_function_that_fails_returns_its_error,
        each_signal_ends_a_child,
        a_signal_to_a_child_that_has_ended_is_no_error,
        a_signal_is_no_error_even_if_sigchld_is_ignored,
        a_number_that_is_no_signal_is_an_error,
        wait_returns_those_that_have_ended,
        wait_gives_up,
        a_panic_that_is_thrown_on_has_no_location_of_another,
        without_threads_no_zombie_stays,
        arguments_of_a_hundred_megabytes,
        a_hundred_megabytes_keep_no_child_from_ending,
        a_fork_gives_its_result_and_inherits,
        killed_at_any_instant_a_child_gives_its_result_or_an_error,
        a_parent_killed_at_any_instant_leaves_no_child_that_hangs,
        few_descriptors_are_an_error,
        few_processes_are_an_error,
        a_thousand_children_leave_nothing,
    ];
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

/// A child that waits until `hold` is dropped, then returns its id.
fn held() -> Result<(Process<u32>, PipeWriter), Box<dyn StdError>> {
    let (reader, hold) = pipe()?;
    Ok((Process::spawn(wait_for_end, reader.into())?, hold))
}

fn exit_codes_are_as_in_python() -> Outcome {
    let function = |how: i32| -> i32 {
        match how {
            101 => panic!("as asked"),
            -9 => drop(raise(Signal::SIGKILL)),
            -6 => std::process::abort(),
            -34 => assert!(raise_number(34)),
            0 => (),
            status => exit(status),
        }
        how
    };
    for code in [0, 1, 255, 101, -9, -6, -34] {
        let child = Process::spawn(function, code)?;
        wait(&[&child], Some(LONG))?;
        assert_eq!((child.is_alive(), child.exit_code()), (false, Some(code)));
        assert_eq!(child.exit_code(), Some(code), "asked twice");
        assert_eq!(child.join().is_ok(), code == 0);
    }
    let (child, _hold) = held()?;
    assert_eq!((child.is_alive(), child.exit_code()), (true, None));
    Ok(())
}

/// A real-time signal has a number, but no name in nix.
fn raise_number(signal: i32) -> bool {
    // SAFETY: it takes any number.
    unsafe { libc::raise(signal) == 0 }
}

fn waiting_takes_nothing() -> Outcome {
    let child = Process::spawn(|()| id(), ())?;
    let pid = child.pid();
    child.wait();
    child.wait();
    assert!(child.wait_timeout(Duration::ZERO) && child.wait_timeout(Duration::MAX));
    assert_eq!(child.as_raw_fd(), child.as_fd().as_raw_fd());
    assert_eq!((child.exit_code(), child.join()?), (Some(0), pid));
    Ok(())
}

fn waiting_reaps_nobody() -> Outcome {
    let child = Process::spawn(|()| id(), ())?;
    let folder = format!("/proc/{}", child.pid());
    child.wait();
    assert!(child.wait_timeout(LONG) && Path::new(&folder).exists(), "there is no zombie");
    assert!(!child.is_alive() && !Path::new(&folder).exists(), "there is a zombie");
    assert_eq!(child.exit_code(), Some(0));
    Ok(())
}

fn wait_timeout_gives_up_and_goes_on() -> Outcome {
    let (child, hold) = held()?;
    let begin = Instant::now();
    assert!(!child.wait_timeout(Duration::from_millis(50)));
    assert!((Duration::from_millis(50)..LONG).contains(&begin.elapsed()));
    assert!(!child.wait_timeout(Duration::ZERO) && child.is_alive());
    drop(hold);
    assert!(child.wait_timeout(Duration::MAX));
    let pid = child.pid();
    assert_eq!(child.join()?, pid);
    Ok(())
}

fn a_function_that_fails_returns_its_error() -> Outcome {
    fn half(number: u32) -> Result<(u32, u32), Error> {
        match number % 2 {
            0 => Ok((number / 2, id())),
            _ => Err(Error::OutOfRange { index: id() as usize, length: 0 }),
        }
    }
    let child = Process::spawn(half, 42)?;
    let pid = child.pid();
    assert_eq!(child.join()??, (21, pid));
    let child = Process::spawn(half, 1)?;
    let pid = child.pid() as usize;
    child.wait();
    assert_eq!(child.exit_code(), Some(0));
    assert!(matches!(child.join()?, Err(Error::OutOfRange { index, .. }) if index == pid));
    Ok(())
}

fn each_signal_ends_a_child() -> Outcome {
    type Send = fn(&Process<u32>) -> Result<(), Error>;
    let signals: [(Send, i32); 5] = [
        (Process::terminate, 15),
        (Process::kill, 9),
        (Process::interrupt, 2),
        (|child| child.signal(libc::SIGUSR1), libc::SIGUSR1),
        (|child| child.signal(34), 34), // a real-time signal
    ];
    for (send, number) in signals {
        let (child, _hold) = held()?;
        child.signal(0)?; // sends nothing
        assert!(child.is_alive());
        send(&child)?;
        child.wait();
        assert_eq!(child.exit_code(), Some(-number));
        assert!(matches!(child.join(), Err(Error::Killed { signal }) if signal == number));
    }
    Ok(())
}

/// Whoever has looked first: nobody, the handle, another part of the program.
fn a_signal_to_a_child_that_has_ended_is_no_error() -> Outcome {
    let looks: [fn(&Process<u32>); 4] = [
        |_| (),
        |child| assert_eq!(child.exit_code(), Some(0)),
        |child| assert!(!child.is_alive()),
        |child| assert!(waitpid(Pid::from_raw(child.pid() as i32), None).is_ok()),
    ];
    for look in looks {
        let child = Process::spawn(|()| id(), ())?;
        let pid = child.pid();
        child.wait();
        look(&child);
        child.terminate()?;
        child.kill()?;
        child.interrupt()?;
        child.signal(10)?;
        assert_eq!(child.join()?, pid);
    }
    Ok(())
}

fn a_signal_is_no_error_even_if_sigchld_is_ignored() -> Outcome {
    assert_eq!(printed(helper::command("signals_with_sigchld_ignored"))?, "no error\n");
    Ok(())
}

/// The system reaps the children then, some of them before there is a handle.
fn signals_with_sigchld_ignored() -> Result<(), Box<dyn StdError>> {
    // SAFETY: no handler is set, the signal is ignored.
    unsafe { signal(Signal::SIGCHLD, SigHandler::SigIgn) }?;
    for _ in 0..20 {
        let child = Process::spawn(|()| id(), ())?;
        child.wait();
        child.terminate()?;
        assert_eq!((child.is_alive(), child.exit_code()), (false, None));
        child.kill()?;
        let pid = child.pid();
        assert_eq!(child.join()?, pid);
    }
    println!("no error");
    Ok(())
}

fn a_number_that_is_no_signal_is_an_error() -> Outcome {
    let (child, hold) = held()?;
    let ended = Process::spawn(|()| id(), ())?;
    ended.wait();
    for number in [-1, 65, 1000, i32::MIN] {
        assert!(matches!(child.signal(number), Err(Error::System { .. })), "{number}");
        assert!(matches!(ended.signal(number), Err(Error::System { .. })), "{number}");
    }
    drop(hold);
    let pid = child.pid();
    assert_eq!(child.join()?, pid);
    Ok(())
}

fn wait_returns_those_that_have_ended() -> Outcome {
    let (first, _hold_first) = held()?;
    let (second, hold_second) = held()?;
    let (third, hold_third) = held()?;
    assert_eq!(wait(&[&first, &second, &third], Some(Duration::ZERO))?, []);
    drop(hold_second);
    assert_eq!(wait(&[&first, &second, &third], None)?, [1]);
    drop(hold_third);
    assert_eq!(wait(&[&first, &third], None)?, [1]);
    assert_eq!(wait(&[&first, &second, &third], None)?, [1, 2]);
    let (reader, writer) = pipe()?;
    drop(writer);
    assert_eq!(wait(&[&first as &dyn AsFd, &reader], None)?, [1]);
    assert_eq!(second.join()? > 0, third.join()? > 0);
    first.kill()?;
    Ok(())
}

fn wait_gives_up() -> Outcome {
    let (child, _hold) = held()?;
    let begin = Instant::now();
    assert_eq!(wait(&[&child], Some(Duration::from_millis(50)))?, []);
    assert!((Duration::from_millis(50)..LONG).contains(&begin.elapsed()));
    assert_eq!(wait::<OwnedFd>(&[], Some(Duration::ZERO))?, []);
    Ok(())
}

fn a_panic_that_is_thrown_on_has_no_location_of_another() -> Outcome {
    let panics = |()| -> () {
        let caught = std::panic::catch_unwind(|| panic!("caught"));
        assert!(caught.is_err());
        std::panic::resume_unwind(Box::new("thrown on"))
    };
    let end = Process::spawn(panics, ())?.join();
    let Err(Error::Panicked { message, location }) = end else { return Err("no panic".into()) };
    assert_eq!((message.as_str(), location.as_str()), ("thrown on", "an unknown location"));
    Ok(())
}

fn without_threads_no_zombie_stays() -> Outcome {
    assert_eq!(printed(helper::command("no_threads"))?, "no zombie is left\n");
    Ok(())
}

fn no_threads() -> Result<(), Box<dyn StdError>> {
    if nix::unistd::geteuid().is_root() {
        setuid(User::from_name("nobody")?.ok_or("there is no user nobody")?.uid)?; // root has no limit
    }
    let held: Vec<_> = (0..5).map(|_| held()).collect::<Result<_, _>>()?;
    let (children, holds): (Vec<_>, Vec<_>) = held.into_iter().unzip();
    let ends = children.iter().map(|child| child.as_fd().try_clone_to_owned());
    let ends: Vec<OwnedFd> = ends.collect::<Result<_, _>>()?;
    let (_, hard) = getrlimit(Resource::RLIMIT_NPROC)?;
    setrlimit(Resource::RLIMIT_NPROC, 0, hard)?;
    drop(children);
    drop(holds);
    for end in ends {
        assert_eq!(wait(&[end], Some(LONG))?, [0]);
    }
    let look = WaitPidFlag::WEXITED | WaitPidFlag::WNOHANG | WaitPidFlag::WNOWAIT;
    assert!(waitid(Id::All, look)?.pid().is_some(), "there was a thread");
    setrlimit(Resource::RLIMIT_NPROC, hard, hard)?;
    Process::spawn(|()| (), ())?.join()?;
    assert!(waitpid(None, Some(WaitPidFlag::WNOHANG)).is_err(), "a zombie is left");
    println!("no zombie is left");
    Ok(())
}

fn arguments_of_a_hundred_megabytes() -> Outcome {
    let text = "0123456789".repeat(10 << 20);
    let child = Process::spawn(|text: String| (text.len(), id()), text)?;
    let pid = child.pid();
    assert_eq!(child.join()?, (100 << 20, pid));
    Ok(())
}

fn a_hundred_megabytes_keep_no_child_from_ending() -> Outcome {
    let child = Process::spawn(|()| "0123456789".repeat(10 << 20), ())?;
    assert_eq!(wait(&[&child], Some(LONG))?, [0]);
    assert_eq!(child.exit_code(), Some(0));
    assert_eq!(child.join()?.len(), 100 << 20);
    Ok(())
}

fn a_fork_gives_its_result_and_inherits() -> Outcome {
    let said = printed(helper::command("forks"))?;
    assert_eq!(said, "once; in Process-1\nsum 6\npanicked: as asked\nexit code -9\n");
    Ok(())
}

/// In a process with one thread.
fn forks() -> Result<(), Box<dyn StdError>> {
    print!("once; ");
    let numbers = [1, 2, 3];
    let sum = || {
        println!("in {}", current_process().name());
        (numbers.iter().sum::<i32>(), id())
    };
    // SAFETY: this process has one thread.
    let child = unsafe { Process::fork(sum) }?;
    let pid = child.pid();
    let (sum, child_id) = child.join()?;
    assert_eq!(pid, child_id);
    println!("sum {sum}");
    std::panic::set_hook(Box::new(|_| ()));
    // SAFETY: this process has one thread.
    match unsafe { Process::fork(|| -> i32 { panic!("as asked") }) }?.join() {
        Err(Error::Panicked { message, location }) if location.contains("process.rs:") => {
            println!("panicked: {message}")
        }
        other => println!("{other:?}"),
    }
    // SAFETY: this process has one thread.
    let child = unsafe { Process::fork(|| raise(Signal::SIGKILL).is_ok()) }?;
    wait(&[&child], Some(LONG))?;
    println!("exit code {}", child.exit_code().ok_or("unknown")?);
    Ok(())
}

/// As many as `KILLS` says, of each kind.
fn killed_at_any_instant_a_child_gives_its_result_or_an_error() -> Outcome {
    let kills = helper::kills();
    let answer = |n: u64| (vec![n; 20_000], id()); // too long for a packet
    let server = ForkServer::start()?;
    let (mut results, mut killed) = (0, 0);
    for n in 0..2 * kills {
        let child = match n % 2 {
            0 => Process::spawn(answer, n)?,
            _ => server.spawn(answer, n)?,
        };
        let pid = child.pid();
        // From "not started yet" to "ended": a child takes about a millisecond.
        wait(&[&child], Some(Duration::from_micros(n * 37 % 2500)))?;
        child.kill()?;
        match child.join() {
            Ok(result) => {
                assert!(result == (vec![n; 20_000], pid));
                results += 1;
            }
            Err(Error::Killed { signal: 9 }) => killed += 1,
            Err(other) => return Err(other.into()),
        }
    }
    assert_eq!(results + killed, 2 * kills);
    assert!(killed > 0, "no child was killed in time");
    Ok(())
}

/// Starts children one after another, by spawn and by a fork server, until it is
/// killed.
fn parent_of_answer() -> Result<(), Box<dyn StdError>> {
    let server = ForkServer::start()?;
    println!("started");
    for n in 0.. {
        let answer = |n: u64| vec![n; 20_000];
        let spawned = Process::spawn(answer, n)?;
        let forked = server.spawn(answer, n)?;
        assert_eq!(spawned.join()?, forked.join()?);
    }
    Ok(())
}

/// A child whose parent is gone before it has read, while it works or when it
/// answers ends, and so does the fork server.
fn a_parent_killed_at_any_instant_leaves_no_child_that_hangs() -> Outcome {
    for n in 0..100 {
        let (reader, held) = pipe()?;
        let mut command = helper::command("parent_of_answer");
        let mut parent = command.stdout(Stdio::piped()).stderr(held).spawn()?;
        drop(command);
        parent.stdout.as_mut().ok_or("no pipe")?.read_exact(&mut [0])?;
        wait::<OwnedFd>(&[], Some(Duration::from_micros(n * 41 % 3000)))?;
        parent.kill()?;
        parent.wait()?;
        // Comes to its end when the last of its children has ended.
        assert_eq!(wait(&[&reader], Some(LONG))?, [0], "a child hangs");
        assert_eq!(read_all(reader)?, "");
    }
    Ok(())
}

fn few_descriptors_are_an_error() -> Outcome {
    assert_eq!(printed(helper::command("few_descriptors"))?, "errors, and nothing is left\n");
    Ok(())
}

/// With each number of free descriptors, from none to enough: an error, no child
/// left, no descriptor lost.
fn few_descriptors() -> Result<(), Box<dyn StdError>> {
    let before = open_numbers(());
    let first_free = (0..).find(|n| !before.contains(n)).ok_or("none is free")? as u64;
    let mut errors = 0;
    for free in 0..20 {
        setrlimit(Resource::RLIMIT_NOFILE, first_free + free, 1 << 10)?;
        match Process::spawn(|()| id(), ()) {
            Ok(child) => drop(child.join()),
            Err(Error::System { .. }) => errors += 1,
            Err(Error::Encode { .. }) => errors += 1,
            Err(other) => return Err(other.into()),
        }
        setrlimit(Resource::RLIMIT_NOFILE, 1 << 10, 1 << 10)?;
        assert_eq!(open_numbers(()), before, "with {free} free");
        assert!(waitpid(None, Some(WaitPidFlag::WNOHANG)).is_err(), "a child is left");
    }
    assert!((1..20).contains(&errors), "{errors} errors");
    println!("errors, and nothing is left");
    Ok(())
}

fn few_processes_are_an_error() -> Outcome {
    assert_eq!(printed(helper::command("few_processes"))?, "Resource temporarily unavailable\n");
    Ok(())
}

/// Root has no limit of processes: so as somebody else.
fn few_processes() -> Result<(), Box<dyn StdError>> {
    let server = ForkServer::start()?;
    if nix::unistd::geteuid().is_root() {
        setuid(User::from_name("nobody")?.ok_or("there is no user nobody")?.uid)?;
    }
    setrlimit(Resource::RLIMIT_NPROC, 0, 0)?;
    let before = open_numbers(());
    let error = Process::spawn(|()| (), ()).err().ok_or("it started")?.to_string();
    assert!(error.starts_with("cannot start a child"), "{error}");
    assert_eq!(open_numbers(()), before);
    drop(server);
    println!("{}", error.split(": ").nth(1).and_then(|e| e.split(" (").next()).unwrap_or(&error));
    Ok(())
}

fn a_thousand_children_leave_nothing() -> Outcome {
    assert_eq!(printed(helper::command("a_thousand"))?, "nothing is left\n");
    Ok(())
}

fn a_thousand() -> Result<(), Box<dyn StdError>> {
    let square = |n: u64| (n * n, id());
    let start = |n| -> Result<(), Error> {
        let child = Process::spawn(square, n)?;
        let pid = child.pid();
        assert_eq!(child.join()?, (n * n, pid));
        Ok(())
    };
    let server = ForkServer::start()?;
    let fork = |n| -> Result<(), Error> {
        let child = server.spawn(square, n)?;
        let pid = child.pid();
        assert_eq!(child.join()?, (n * n, pid));
        Ok(())
    };
    (0..20).try_for_each(start)?;
    (0..20).try_for_each(fork)?; // what is allocated once is allocated now
    let before = (open_numbers(()), resident()?);
    (0..1000).try_for_each(start)?;
    (0..1000).try_for_each(fork)?;
    let after = (open_numbers(()), resident()?);
    assert_eq!(after.0, before.0);
    assert!(after.1 < before.1 + 4 * 1024, "from {} to {} kB", before.1, after.1);
    assert_eq!(waitpid(None, Some(WaitPidFlag::WNOHANG))?, nix::sys::wait::WaitStatus::StillAlive);
    println!("nothing is left"); // but the server
    Ok(())
}

/// The memory of this process, in kB (proc_pid_status(5)).
fn resident() -> Result<u64, Box<dyn StdError>> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    Ok(line.ok_or("no VmRSS")?.trim_end_matches("kB").trim().parse()?)
}
