//! What a builder gives to a child, by each start method; and what a child knows of itself
//! and of its parent.

use libtest_mimic::Arguments;
use multiprocessing::{
    Descriptor, Error, ForkServer, Process, ProcessBuilder, current_process, parent_process, wait,
};
use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, pause};
use serde::{Deserialize, Serialize};
use std::error::Error as StdError;
use std::fs;
use std::io::ErrorKind::InvalidInput;
use std::io::{PipeReader, Read, pipe};
use std::os::fd::AsFd;
use std::path::PathBuf;
use std::process::{ExitCode, Stdio, id};
use std::time::Duration;
use std::{env, thread};
use tempfile::TempDir;
use tests::child::{LONG, read_all, wait_for_end};
use tests::helper::{self, printed};
use tests::{Outcome, trials};

fn main() -> ExitCode {
    multiprocessing::init();
    helper::run_or_fail(&[
        ("all_at_once", all_at_once),
        ("relative", relative),
        ("refused", refused),
        ("no_folder", no_folder),
        ("names", names),
        ("parent_of_daemon", parent_of_daemon),
        ("parent_of_others", parent_of_others),
        ("parent_that_is_watched", parent_that_is_watched),
    ]);
    let trials = trials![
        each_start_method_takes_all_that_a_builder_has,
        a_folder_is_found_from_where_the_program_is,
        what_no_start_method_takes_is_an_error,
        a_folder_that_is_not_there_is_an_error,
        outputs_come_to_their_end,
        names_are_given_or_counted,
        a_daemon_ends_with_a_killed_parent,
        a_child_that_is_no_daemon_goes_on,
        a_daemon_outlives_the_thread_that_started_it,
        the_parent_is_the_program_that_asked,
        a_child_sees_the_end_of_its_parent,
    ];
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

/// A start method: a helper calls it, as `fork` needs a process with one thread.
const METHODS: [&str; 3] = ["spawn", "fork", "fork server"];

const METHOD: &str = "METHOD";

/// The helper's output for each start method.
fn said_by_each(helper: &str) -> Result<[String; 3], libtest_mimic::Failed> {
    let said = METHODS.map(|method| {
        let mut command = helper::command(helper);
        command.env(METHOD, method);
        printed(command)
    });
    let [spawn, fork, server] = said;
    Ok([spawn?, fork?, server?])
}

/// Starts a child by the method that the test names. A fork server's lives as long as the
/// helper.
fn start<R>(builder: ProcessBuilder, f: fn(()) -> R) -> Result<Process<R>, Error>
where
    R: Serialize + for<'a> Deserialize<'a>,
{
    match env::var(METHOD).as_deref() {
        Ok("spawn") => builder.spawn(f, ()),
        // SAFETY: a helper has one thread.
        Ok("fork") => unsafe { builder.fork(|| f(())) },
        _ => builder.spawn_on(Box::leak(Box::new(ForkServer::start()?)), f, ()),
    }
}

/// What a child sees: variables, its folder, its name, whether it is a daemon, its id.
type Seen = ([Option<String>; 3], Option<PathBuf>, String, bool, u32);

fn look(_: ()) -> Seen {
    println!("to its output");
    eprintln!("to its error output");
    let variables = ["ONE", "PATH", "MULTIPROCESSING_PARENT"].map(|name| env::var(name).ok());
    let this = current_process();
    assert_eq!(this.pid(), id());
    (variables, env::current_dir().ok(), this.name().to_string(), this.daemon(), id())
}

fn each_start_method_takes_all_that_a_builder_has() -> Outcome {
    assert_eq!(said_by_each("all_at_once")?, ["all was there\n"; 3]);
    Ok(())
}

fn all_at_once() -> Result<(), Box<dyn StdError>> {
    let (out_reader, out) = pipe()?;
    let (err_reader, err) = pipe()?;
    let builder = Process::builder().name("a long name of mine").daemon(true).current_dir("/proc");
    let builder = builder.env("ONE", "1").env("PATH", "elsewhere").env("ONE", "two");
    let child = start(builder.stdout(out).stderr(err), look)?;
    assert_eq!((child.name(), child.daemon()), ("a long name of mine", true));
    assert_eq!(read_all(out_reader)?, "to its output\n");
    assert_eq!(read_all(err_reader)?, "to its error output\n");
    let variables = [Some("two".to_string()), Some("elsewhere".to_string()), None];
    let name = "a long name of mine".to_string();
    let pid = child.pid();
    assert_eq!(child.join()?, (variables, Some("/proc".into()), name, true, pid));
    assert_eq!(current_process().name(), "MainProcess");
    println!("all was there");
    Ok(())
}

fn a_folder_is_found_from_where_the_program_is() -> Outcome {
    assert_eq!(said_by_each("relative")?, ["in the folder\n"; 3]);
    Ok(())
}

/// The fork server was started elsewhere.
fn relative() -> Result<(), Box<dyn StdError>> {
    let folder = TempDir::new()?;
    let sub = folder.path().canonicalize()?.join("sub");
    fs::create_dir(&sub)?;
    let server = ForkServer::start()?;
    env::set_current_dir(folder.path())?;
    let look = |()| (env::current_dir().ok(), id());
    let builder = Process::builder().current_dir("sub");
    let child = match env::var(METHOD)?.as_str() {
        "fork server" => builder.spawn_on(&server, look, ())?,
        _ => start(builder, look)?,
    };
    let pid = child.pid();
    assert_eq!(child.join()?, (Some(sub), pid));
    println!("in the folder");
    Ok(())
}

fn what_no_start_method_takes_is_an_error() -> Outcome {
    assert_eq!(said_by_each("refused")?, ["refused\n"; 3]);
    Ok(())
}

fn refused() -> Result<(), Box<dyn StdError>> {
    for builder in [
        Process::builder().name("a\0b"),
        Process::builder().current_dir("/\0"),
        Process::builder().env("A", "\0"),
        Process::builder().env("A\0", "A"),
    ] {
        let error = start(builder, |()| ()).err().ok_or("it started")?.to_string();
        assert!(error.contains("a NUL in"), "{error}");
    }
    for name in ["", "A=B"] {
        let child = start(Process::builder().env(name, "C"), |()| ());
        assert!(
            matches!(child, Err(Error::System { source, .. }) if source.kind() == InvalidInput)
        );
    }
    println!("refused");
    Ok(())
}

fn a_folder_that_is_not_there_is_an_error() -> Outcome {
    let (missing, what) = ("/no/such/folder: No such file or directory (os error 2)\n", "cannot");
    let [spawn, fork, server] = said_by_each("no_folder")?;
    assert_eq!(spawn, format!("before: {what} start a child in {missing}"));
    assert_eq!(fork, format!("by join: {what} change to the folder {missing}"));
    assert_eq!(server, fork);
    Ok(())
}

fn no_folder() -> Result<(), Box<dyn StdError>> {
    match start(Process::builder().current_dir("/no/such/folder"), |()| println!("called")) {
        Err(error) => println!("before: {error}"),
        Ok(child) => {
            child.wait();
            assert_eq!(child.exit_code(), Some(1));
            println!("by join: {}", child.join().err().ok_or("it was called")?);
        }
    }
    Ok(())
}

fn outputs_come_to_their_end() -> Outcome {
    let server = ForkServer::start()?;
    let function = |()| {
        println!("out {}", id());
        eprintln!("err {}", id());
    };
    for on_server in [false, true] {
        let (out_reader, out) = pipe()?;
        let (err_reader, err) = pipe()?;
        let builder = Process::builder().stdout(out).stderr(err);
        let child = match on_server {
            false => builder.spawn(function, ())?,
            true => builder.spawn_on(&server, function, ())?,
        };
        let pid = child.pid();
        // Both come to an end: no copy is left in this process, nor in the server.
        assert_eq!(read_all(out_reader)?, format!("out {pid}\n"));
        assert_eq!(read_all(err_reader)?, format!("err {pid}\n"));
        child.join()?;
    }
    Ok(())
}

fn names_are_given_or_counted() -> Outcome {
    assert_eq!(said_by_each("names")?, ["in Process-1\n"; 3]);
    Ok(())
}

fn names() -> Result<(), Box<dyn StdError>> {
    let name =
        |()| (current_process().name().to_string(), fs::read_to_string("/proc/self/comm").ok());
    let child = start(Process::builder().name("a long name of mine"), name)?;
    let expected = ("a long name of mine".to_string(), Some("a long name of \n".to_string()));
    assert_eq!(child.join()?, expected);
    let child = start(Process::builder(), name)?;
    assert_eq!(child.name(), "Process-1");
    println!("in {}", child.join()?.0);
    Ok(())
}

/// Starts a helper that starts a child; the child says its id on its standard output, and
/// holds its standard error open. Kills the helper then. Returns the reader of what the
/// child holds, and its id.
fn orphan(helper: &str, method: &str) -> Result<(PipeReader, Pid), Box<dyn StdError>> {
    let (reader, held) = pipe()?;
    let mut command = helper::command(helper);
    command.env(METHOD, method);
    let mut parent = command.stdout(Stdio::piped()).stderr(held).spawn()?;
    drop(command);
    let mut line = [0; 64];
    let length = parent.stdout.as_mut().ok_or("no pipe")?.read(&mut line)?;
    let child = std::str::from_utf8(&line[..length])?.trim().parse()?;
    parent.kill()?;
    parent.wait()?;
    Ok((reader, Pid::from_raw(child)))
}

fn say_and_wait(_: ()) {
    println!("{}", id());
    pause();
}

fn parent_of_daemon() -> Result<(), Box<dyn StdError>> {
    start(Process::builder().daemon(true), say_and_wait)?.join()?;
    Ok(())
}

fn parent_of_others() -> Result<(), Box<dyn StdError>> {
    start(Process::builder(), say_and_wait)?.join()?;
    Ok(())
}

/// By a fork server, too, which goes on until its last child has ended.
fn a_daemon_ends_with_a_killed_parent() -> Outcome {
    for method in METHODS {
        let (reader, _) = orphan("parent_of_daemon", method)?;
        assert_eq!(wait(&[&reader], Some(LONG))?, [0], "{method}: the daemon goes on");
        assert_eq!(read_all(reader)?, "");
    }
    Ok(())
}

fn a_child_that_is_no_daemon_goes_on() -> Outcome {
    for method in METHODS {
        let (reader, child) = orphan("parent_of_others", method)?;
        assert_eq!(wait(&[&reader], Some(Duration::from_millis(200)))?, [], "{method}: it ended");
        kill(child, Signal::SIGKILL)?;
        assert_eq!(read_all(reader)?, "");
    }
    Ok(())
}

fn a_daemon_outlives_the_thread_that_started_it() -> Outcome {
    let (reader, hold) = pipe()?;
    let start = move || Process::builder().daemon(true).spawn(wait_for_end, reader.into());
    let started = thread::spawn(start).join().map_err(|_| "the thread panicked")?;
    let child = started?;
    assert!(!child.wait_timeout(Duration::from_millis(200)), "the daemon has ended");
    drop(hold);
    let pid = child.pid();
    assert_eq!(child.join()?, pid);
    Ok(())
}

fn the_parent_is_the_program_that_asked() -> Outcome {
    assert!(parent_process().is_none());
    let look = |()| parent_process().map(|parent| (parent.pid(), parent.is_alive(), id()));
    let server = ForkServer::start()?;
    for child in [Process::spawn(look, ())?, server.spawn(look, ())?] {
        let pid = child.pid();
        assert_eq!(child.join()?, Some((id(), true, pid)));
    }
    // And in the next generation.
    let child = Process::spawn(
        |look: Descriptor| {
            drop(look);
            let look = |()| parent_process().map(|parent| parent.pid());
            let grandchild = Process::spawn(look, ()).and_then(Process::join);
            (grandchild.expect("it returns"), id())
        },
        pipe()?.0.into(),
    )?;
    let pid = child.pid();
    assert_eq!(child.join()?, (Some(pid), pid));
    Ok(())
}

/// Waits for its parent, and says so.
fn watch_parent(_: ()) {
    let parent = parent_process().expect("it has a parent");
    assert!(
        parent.is_alive() && wait(&[&parent], Some(Duration::ZERO)).is_ok_and(|r| r.is_empty())
    );
    println!("{}", id());
    parent.wait();
    assert!(!parent.is_alive() && wait(&[parent.as_fd()], None).is_ok_and(|r| r == [0]));
    eprint!("{} has ended, {} has not", parent.pid(), id());
}

fn parent_that_is_watched() -> Result<(), Box<dyn StdError>> {
    start(Process::builder(), watch_parent)?.join()?;
    Ok(())
}

fn a_child_sees_the_end_of_its_parent() -> Outcome {
    for method in METHODS {
        let (reader, child) = orphan("parent_that_is_watched", method)?;
        let said = read_all(reader)?;
        assert!(said.ends_with(&format!(" has ended, {child} has not")), "{method}: {said}");
    }
    Ok(())
}
