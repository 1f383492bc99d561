//! The handle of a process: its attributes, waiting with a limit, daemons, the
//! builder, fork, the fork server, and what becomes of it all when somebody is
//! killed.

use libtest_mimic::Arguments;
use multiprocessing::{
    Descriptor, Error, ForkServer, Process, RawValue, current_process_name, wait,
};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::signal::{Signal, kill, raise};
use nix::sys::wait::{Id, WaitPidFlag, waitid, waitpid};
use nix::unistd::{Pid, User, pause, setuid};
use std::collections::BTreeSet;
use std::error::Error as StdError;
use std::fs::{self, File};
use std::io::ErrorKind::InvalidInput;
use std::io::{PipeReader, PipeWriter, Read, Write, pipe};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::process::parent_id;
use std::path::Path;
use std::process::{ExitCode, Stdio, exit, id};
use std::sync::atomic::Ordering;
use std::sync::mpsc;
use std::time::{Duration, Instant};
use std::{env, thread};
use tests::helper::{self, printed};
use tests::{Outcome, trials};

/// Far longer than anything here takes: a test that waits so long has failed.
const LONG: Duration = Duration::from_secs(60);

fn main() -> ExitCode {
    multiprocessing::init();
    helper::run_or_fail(&[
        ("parent_of_daemon", parent_of_daemon),
        ("parent_of_others", parent_of_others),
        ("parent_of_answer", parent_of_answer),
        ("forks", forks),
        ("few_descriptors", few_descriptors),
        ("few_for_server", few_for_server),
        ("few_processes", few_processes),
        ("no_threads", no_threads),
        ("a_thousand", a_thousand),
    ]);
    let trials = trials![
        names_are_given_or_counted,
        exit_codes_are_as_in_python,
        a_result_is_taken_once,
        join_timeout_gives_up_and_goes_on,
        terminate_and_kill,
        a_signal_to_a_joined_child_is_an_error,
        wait_returns_those_that_have_ended,
        wait_gives_up,
        the_environment_and_the_folder,
        outputs_go_to_files,
        a_folder_that_is_not_there_is_an_error,
        a_variable_without_a_name_is_an_error,
        a_panic_that_is_thrown_on_has_no_place_of_another,
        a_child_ends_whose_thread_holds_stdout,
        without_threads_no_zombie_stays,
        a_nul_is_an_error,
        arguments_of_a_hundred_megabytes,
        a_hundred_megabytes_keep_no_child_from_ending,
        a_daemon_ends_with_a_killed_parent,
        a_child_that_is_no_daemon_goes_on,
        a_daemon_outlives_the_thread_that_started_it,
        a_fork_gives_its_result_and_inherits,
        a_fork_server_forks_clean_children,
        a_fork_server_tells_how_its_children_ended,
        a_fork_server_runs_many_at_once,
        a_killed_fork_server_is_an_error,
        a_dropped_fork_server_ends_after_its_children,
        killed_at_any_instant_a_child_gives_its_result_or_an_error,
        a_parent_killed_at_any_instant_leaves_no_child_that_hangs,
        after_an_error_of_a_fork_server_nothing_was_called,
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

fn wait_for_end(reader: Descriptor) -> u32 {
    let _ = File::from(reader.into_fd()).read_to_end(&mut Vec::new());
    id()
}

fn read_all(mut reader: PipeReader) -> std::io::Result<String> {
    let mut text = String::new();
    reader.read_to_string(&mut text)?;
    Ok(text)
}

fn names_are_given_or_counted() -> Outcome {
    let name =
        |()| (current_process_name().to_string(), fs::read_to_string("/proc/self/comm").ok());
    let child = Process::builder().name("a long name of mine").spawn(name, ())?;
    assert_eq!(child.name(), "a long name of mine");
    let expected = ("a long name of mine".to_string(), Some("a long name of \n".to_string()));
    assert_eq!(child.join()?, expected);
    let child = Process::spawn(name, ())?;
    let given = child.name().to_string();
    assert!(given.starts_with("Process-"));
    assert_eq!(child.join()?.0, given);
    assert_eq!(current_process_name(), "MainProcess");
    Ok(())
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

fn a_result_is_taken_once() -> Outcome {
    let mut child = Process::spawn(|()| id(), ())?;
    let pid = child.pid();
    assert_eq!(child.join_timeout(LONG)?, Some(pid));
    assert!(matches!(child.join_timeout(LONG), Err(Error::Joined)));
    assert!(matches!(child.join(), Err(Error::Joined)));
    Ok(())
}

fn join_timeout_gives_up_and_goes_on() -> Outcome {
    let (mut child, hold) = held()?;
    let begin = Instant::now();
    assert_eq!(child.join_timeout(Duration::from_millis(50))?, None);
    assert!((Duration::from_millis(50)..LONG).contains(&begin.elapsed()));
    assert_eq!(child.join_timeout(Duration::ZERO)?, None);
    drop(hold);
    assert_eq!(child.join_timeout(Duration::MAX)?, Some(child.pid()));
    Ok(())
}

fn terminate_and_kill() -> Outcome {
    let (child, _hold) = held()?;
    child.terminate()?;
    wait(&[&child], Some(LONG))?;
    assert_eq!(child.exit_code(), Some(-15));
    assert!(matches!(child.join(), Err(Error::Killed { signal: 15 })));
    let (child, _hold) = held()?;
    child.kill()?;
    assert!(matches!(child.join(), Err(Error::Killed { signal: 9 })));
    Ok(())
}

fn a_signal_to_a_joined_child_is_an_error() -> Outcome {
    let mut child = Process::spawn(|()| id(), ())?;
    assert_eq!(child.join_timeout(LONG)?, Some(child.pid()));
    assert!(matches!(child.terminate(), Err(Error::System { .. })));
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

fn the_environment_and_the_folder() -> Outcome {
    let child = Process::builder()
        .env("ONE", "1")
        .env("PATH", "elsewhere")
        .env("ONE", "two")
        .current_dir("/proc")
        .spawn(
            |()| ([env::var("ONE").ok(), env::var("PATH").ok()], env::current_dir().ok(), id()),
            (),
        )?;
    let pid = child.pid();
    let variables = [Some("two".to_string()), Some("elsewhere".to_string())];
    assert_eq!(child.join()?, (variables, Some("/proc".into()), pid));
    Ok(())
}

fn outputs_go_to_files() -> Outcome {
    let (out_reader, out) = pipe()?;
    let (err_reader, err) = pipe()?;
    let function = |()| {
        println!("out {}", id());
        eprintln!("err {}", id());
    };
    let child = Process::builder().stdout(out).stderr(err).spawn(function, ())?;
    let pid = child.pid();
    // Both come to an end: no copy is left in this process.
    assert_eq!(read_all(out_reader)?, format!("out {pid}\n"));
    assert_eq!(read_all(err_reader)?, format!("err {pid}\n"));
    Ok(child.join()?)
}

fn a_folder_that_is_not_there_is_an_error() -> Outcome {
    let started = Process::builder().current_dir("/no/such/folder").spawn(|()| (), ());
    let error = started.err().ok_or("it started")?.to_string();
    assert_eq!(
        error,
        "cannot start a child in /no/such/folder: No such file or directory (os error 2)"
    );
    Ok(())
}

fn a_variable_without_a_name_is_an_error() -> Outcome {
    for name in ["", "A=B"] {
        let child = Process::builder().env(name, "C").spawn(|()| (), ());
        assert!(
            matches!(child, Err(Error::System { source, .. }) if source.kind() == InvalidInput)
        );
    }
    Ok(())
}

fn a_panic_that_is_thrown_on_has_no_place_of_another() -> Outcome {
    let panics = |()| -> () {
        let caught = std::panic::catch_unwind(|| panic!("caught"));
        assert!(caught.is_err());
        std::panic::resume_unwind(Box::new("thrown on"))
    };
    let end = Process::spawn(panics, ())?.join();
    let Err(Error::Panicked { message, location }) = end else { return Err("no panic".into()) };
    assert_eq!((message.as_str(), location.as_str()), ("thrown on", "an unknown place"));
    Ok(())
}

fn a_child_ends_whose_thread_holds_stdout() -> Outcome {
    let hold = |()| {
        let (locked, wait) = mpsc::channel();
        thread::spawn(move || {
            let _guard = std::io::stdout().lock();
            locked.send(()).expect("it waits");
            pause()
        });
        wait.recv().expect("it locks");
        7
    };
    let mut child = ForkServer::start()?.spawn(hold, ())?;
    assert_eq!(child.join_timeout(LONG)?, Some(7));
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

fn a_nul_is_an_error() -> Outcome {
    for builder in [
        Process::builder().name("a\0b"),
        Process::builder().current_dir("/\0"),
        Process::builder().env("A", "\0"),
    ] {
        let error = builder.spawn(|()| (), ()).err().ok_or("it started")?.to_string();
        assert!(error.contains("a NUL in"), "{error}");
    }
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

/// Starts a helper that starts a child; the child holds `held` open and says its
/// id. Returns the reader of what it holds, and the ids of both.
fn parent_and_child(name: &str) -> Result<(PipeReader, Pid, Pid), Box<dyn StdError>> {
    let (reader, held) = pipe()?;
    let mut command = helper::command(name);
    // The child gets it as its standard error.
    let mut parent = command.stdout(Stdio::piped()).stderr(held).spawn()?;
    drop(command);
    let mut line = [0; 64];
    let length = parent.stdout.as_mut().ok_or("no pipe")?.read(&mut line)?;
    let child = std::str::from_utf8(&line[..length])?.trim().parse()?;
    let parent_pid = Pid::from_raw(parent.id() as i32);
    kill(parent_pid, Signal::SIGKILL)?;
    parent.wait()?;
    Ok((reader, parent_pid, Pid::from_raw(child)))
}

fn say_and_wait(_: ()) {
    println!("{}", id());
    pause();
}

fn parent_of_daemon() -> Result<(), Box<dyn StdError>> {
    Process::builder().daemon(true).spawn(say_and_wait, ())?.join()?;
    Ok(())
}

fn parent_of_others() -> Result<(), Box<dyn StdError>> {
    Process::spawn(say_and_wait, ())?.join()?;
    Ok(())
}

fn a_daemon_ends_with_a_killed_parent() -> Outcome {
    let (reader, ..) = parent_and_child("parent_of_daemon")?;
    assert_eq!(read_all(reader)?, ""); // ends when the daemon has
    Ok(())
}

fn a_child_that_is_no_daemon_goes_on() -> Outcome {
    let (reader, _, child) = parent_and_child("parent_of_others")?;
    assert_eq!(wait(&[&reader], Some(Duration::from_millis(200)))?, [], "the child has ended");
    kill(child, Signal::SIGKILL)?;
    assert_eq!(read_all(reader)?, "");
    Ok(())
}

fn a_daemon_outlives_the_thread_that_started_it() -> Outcome {
    let (reader, hold) = pipe()?;
    let start = move || Process::builder().daemon(true).spawn(wait_for_end, reader.into());
    let started = thread::spawn(start).join().map_err(|_| "the thread panicked")?;
    let mut child = started?;
    assert_eq!(child.join_timeout(Duration::from_millis(200))?, None, "the daemon has ended");
    drop(hold);
    let pid = child.pid();
    assert_eq!(child.join()?, pid);
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
        println!("in {}", current_process_name());
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

/// The numbers that are open here, without that of the folder that is read.
fn open_numbers(_: ()) -> BTreeSet<i32> {
    let entries = fs::read_dir("/proc/self/fd").expect("/proc is there");
    let open = entries.filter_map(|entry| {
        let path = entry.ok()?.path();
        let link = fs::read_link(&path).ok()?;
        let number = path.file_name()?.to_str()?.parse().ok()?;
        (!link.to_string_lossy().ends_with("/fd")).then_some(number)
    });
    open.collect()
}

fn a_fork_server_forks_clean_children() -> Outcome {
    let file = File::open("/dev/zero")?;
    let _inheritable = nix::unistd::dup(&file)?;
    let server = ForkServer::start()?;
    let _other = server.spawn(|()| pause(), ())?;
    assert_eq!(server.spawn(open_numbers, ())?.join()?, BTreeSet::from([0, 1, 2, 3]));
    let child = server.spawn(|()| (id(), parent_id(), current_process_name().to_string()), ())?;
    let (pid, name) = (child.pid(), child.name().to_string());
    assert_eq!(child.join()?, (pid, server.pid(), name));
    let (reader, writer) = pipe()?;
    let write = |writer: Descriptor| write!(File::from(writer.into_fd()), "{}", id()).is_ok();
    let child = server.spawn(write, writer.into())?;
    assert_eq!(read_all(reader)?, child.pid().to_string());
    assert!(child.join()?);
    _other.kill()?;
    Ok(())
}

fn a_fork_server_tells_how_its_children_ended() -> Outcome {
    let server = ForkServer::start()?;
    let child = server.spawn(|n: i32| -> i32 { exit(n) }, 7)?;
    wait(&[&child], Some(LONG))?;
    child.terminate()?; // it has ended, but nobody here has asked
    assert_eq!(child.exit_code(), Some(7));
    assert!(matches!(child.join(), Err(Error::Exited { status: 7 })));
    let child = server.spawn(|()| pause(), ())?;
    assert!(child.is_alive());
    child.kill()?;
    assert!(matches!(child.join(), Err(Error::Killed { signal: 9 })));
    let child = server.spawn(|()| -> () { panic!("as asked") }, ())?;
    assert!(matches!(child.join(), Err(Error::Panicked { message, .. }) if message == "as asked"));
    let large = server.spawn(|()| vec![7u8; 10 << 20], ())?;
    assert_eq!(large.join()?, vec![7u8; 10 << 20]);
    Ok(())
}

fn a_fork_server_runs_many_at_once() -> Outcome {
    let server = ForkServer::start()?;
    thread::scope(|scope| {
        for n in 0..4 {
            let server = &server;
            scope.spawn(move || {
                let children: Vec<_> = (0..20)
                    .map(|m| server.spawn(|(n, m)| (n * m, id()), (n, m)).expect("it starts"))
                    .collect();
                for (m, child) in (0..).zip(children) {
                    let pid = child.pid();
                    assert_eq!(child.join().expect("it returns"), (n * m, pid));
                }
            });
        }
    });
    Ok(())
}

fn a_killed_fork_server_is_an_error() -> Outcome {
    let server = ForkServer::start()?;
    let (reader, hold) = pipe()?;
    let returns = server.spawn(wait_for_end, reader.into())?;
    let exits = server.spawn(
        |()| {
            pause();
        },
        (),
    )?;
    kill(Pid::from_raw(server.pid() as i32), Signal::SIGKILL)?;
    wait(&[&server], Some(LONG))?;
    assert!(matches!(server.spawn(|()| (), ()), Err(Error::ForkServerGone)));
    // Its children go on. A result comes; how they ended, nobody knows.
    drop(hold);
    wait(&[&returns], Some(LONG))?;
    assert_eq!(returns.exit_code(), None);
    let pid = returns.pid();
    assert_eq!(returns.join()?, pid);
    exits.kill()?;
    assert!(matches!(exits.join(), Err(Error::EndUnknown)));
    Ok(())
}

fn a_dropped_fork_server_ends_after_its_children() -> Outcome {
    let server = ForkServer::start()?;
    let folder = format!("/proc/{}", server.pid());
    let (reader, hold) = pipe()?;
    let child = server.spawn(wait_for_end, reader.into())?;
    drop(server);
    assert!(Path::new(&folder).exists());
    drop(hold);
    wait(&[&child], Some(LONG))?;
    assert_eq!(child.exit_code(), Some(0));
    while Path::new(&folder).exists() {
        thread::yield_now(); // ends when the server has, and was reaped
    }
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
        let _ = child.kill(); // it may have ended
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

fn after_an_error_of_a_fork_server_nothing_was_called() -> Outcome {
    assert_eq!(printed(helper::command("few_for_server"))?, "called as often as not refused\n");
    Ok(())
}

/// The server has room for less than 30 children.
fn few_for_server() -> Result<(), Box<dyn StdError>> {
    setrlimit(Resource::RLIMIT_NOFILE, 60, 1 << 10)?;
    let server = ForkServer::start()?;
    setrlimit(Resource::RLIMIT_NOFILE, 1 << 10, 1 << 10)?;
    let end = server.as_fd().try_clone_to_owned()?;
    let calls = RawValue::new(0u32)?;
    let call = |calls: RawValue<u32>| {
        calls.atomic().fetch_add(1, Ordering::Relaxed);
        pause();
    };
    let spawned: Vec<_> = (0..100).map(|_| server.spawn(call, calls.try_clone()?)).collect();
    let children: Vec<_> = spawned.into_iter().flatten().collect();
    assert!((1..30).contains(&children.len()), "{} children", children.len());
    while calls.get() as usize != children.len() {
        thread::yield_now(); // if there are more calls, for ever
    }
    children.iter().try_for_each(Process::kill)?;
    drop(server);
    assert_eq!(wait(&[end], Some(LONG))?, [0]); // and so all children have ended
    assert_eq!(calls.get() as usize, children.len());
    println!("called as often as not refused");
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
