//! The table at `Process`: what a child inherits and what happens at its end, by each
//! start method.

use libtest_mimic::Arguments;
use multiprocessing::{Descriptor, Error, ForkServer, Process};
use nix::fcntl::{FcntlArg, FdFlag, fcntl};
use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, sigaction, signal};
use nix::unistd::{dup2_stderr, dup2_stdin, pause};
use serde::{Deserialize, Serialize};
use std::error::Error as StdError;
use std::fs::{self, File};
use std::io::pipe;
use std::os::fd::{IntoRawFd, RawFd};
use std::os::unix::fs::MetadataExt;
use std::process::{ExitCode, id};
use std::sync::atomic::{AtomicI32, Ordering::Relaxed};
use std::{env, thread};
use tests::child::read_all;
use tests::helper::{self, printed};
use tests::{Outcome, trials};

fn main() -> ExitCode {
    multiprocessing::init();
    helper::run_or_fail(&[("inherited", inherited), ("ends", ends)]);
    let trials = trials![
        a_spawned_child_inherits,
        a_forked_child_inherits,
        a_child_of_a_fork_server_inherits,
        a_spawned_child_runs_exit_handlers,
        a_forked_child_runs_no_exit_handlers,
        a_child_of_a_fork_server_runs_no_exit_handlers,
    ];
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

const METHOD: &str = "METHOD";

/// A helper's output: it has one thread, and may change what its children inherit.
fn said(helper: &str, method: &str) -> Result<String, libtest_mimic::Failed> {
    let mut command = helper::command(helper);
    printed({
        command.env(METHOD, method).arg("argument");
        command
    })
}

fn start<A, R>(server: &ForkServer, f: fn(A) -> R, args: A) -> Result<Process<R>, Error>
where
    A: Serialize + for<'a> Deserialize<'a>,
    R: Serialize + for<'a> Deserialize<'a>,
{
    match env::var(METHOD).as_deref() {
        Ok("spawn") => Process::spawn(f, args),
        // SAFETY: a helper has one thread.
        Ok("fork") => unsafe { Process::fork(|| f(args)) },
        _ => server.spawn(f, args),
    }
}

static MEMORY: AtomicI32 = AtomicI32::new(0);

/// What is changed before the fork server is started, after it, and both, in the parent.
fn change() -> Result<(ForkServer, [RawFd; 2]), Box<dyn StdError>> {
    extern "C" fn nothing(_: i32) {}
    let handler = SigAction::new(SigHandler::Handler(nothing), SaFlags::empty(), SigSet::empty());
    for (number, action) in [
        (Signal::SIGHUP, &handler),
        (Signal::SIGUSR2, &SigAction::new(SigHandler::SigIgn, SaFlags::empty(), SigSet::empty())),
    ] {
        // SAFETY: the handler does nothing.
        unsafe { sigaction(number, action) }?;
    }
    // SAFETY: no handler is set.
    unsafe { signal(Signal::SIGCHLD, SigHandler::SigIgn) }?;
    SigSet::from(Signal::SIGTERM).thread_block()?;
    let zero = File::open("/dev/zero")?;
    dup2_stdin(&zero)?;
    // SAFETY: this process has one thread.
    unsafe { env::set_var("BEFORE", "1") };
    let server = ForkServer::start()?;
    // SAFETY: this process has one thread.
    unsafe { env::set_var("AFTER", "1") };
    env::set_current_dir("/proc")?;
    dup2_stderr(File::create("/dev/null")?)?;
    MEMORY.store(1, Relaxed);
    let inheritable = zero.try_clone()?;
    fcntl(&inheritable, FcntlArg::F_SETFD(FdFlag::empty()))?;
    Ok((server, [zero.into_raw_fd(), inheritable.into_raw_fd()]))
}

fn look(descriptors: [RawFd; 2]) -> Result<Vec<String>, String> {
    let link = |number| fs::read_link(format!("/proc/self/fd/{number}"));
    let open = descriptors.map(|number| link(number).is_ok_and(|path| path.ends_with("zero")));
    let status = fs::read_to_string("/proc/self/status").map_err(|e| e.to_string())?;
    let set = |name: &str| -> Option<u64> {
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        u64::from_str_radix(line.trim(), 16).ok()
    };
    let has =
        |name, signal: Signal| set(name).is_some_and(|set| set >> (signal as i32 - 1) & 1 == 1);
    let threads = fs::metadata("/proc/self/task").map_err(|e| e.to_string())?.nlink() - 2;
    let lines = [
        format!("memory {}", MEMORY.load(Relaxed)),
        format!("descriptors {open:?}"),
        format!("stdin {}", link(0).map_err(|e| e.to_string())?.display()),
        format!("stderr {}", link(2).is_ok_and(|path| path.ends_with("null"))),
        format!("variables {:?}", ["BEFORE", "AFTER"].map(|name| env::var(name).is_ok())),
        format!("in /proc: {}", env::current_dir().is_ok_and(|folder| folder.ends_with("proc"))),
        format!("blocked {}", has("SigBlk:", Signal::SIGTERM)),
        format!("ignored {}", has("SigIgn:", Signal::SIGUSR2)),
        format!("SIGCHLD ignored {}", has("SigIgn:", Signal::SIGCHLD)),
        format!("handled {}", has("SigCgt:", Signal::SIGHUP)),
        format!("argument {}", env::args().nth(1) == Some("argument".to_string())),
        format!("threads {threads}"),
    ];
    Ok(lines.to_vec())
}

fn inherited() -> Result<(), Box<dyn StdError>> {
    let (server, descriptors) = change()?;
    let output = |()| {
        let file = fs::metadata("/proc/self/fd/1").ok();
        (file.map(|file| (file.dev(), file.ino())), id())
    };
    let child = start(&server, output, ())?;
    let pid = child.pid();
    assert_eq!(child.join()?, (output(()).0, pid), "its output is not the parent's");
    println!("{}", start(&server, look, descriptors)?.join()??.join("; "));
    Ok(())
}

fn a_spawned_child_inherits() -> Outcome {
    let expected = "memory 0; descriptors [false, false]; stdin /dev/null; stderr true; variables [true, true]; \
                    in /proc: true; blocked false; ignored true; SIGCHLD ignored false; \
                    handled false; argument true; threads 1\n";
    assert_eq!(said("inherited", "spawn")?, expected);
    Ok(())
}

fn a_forked_child_inherits() -> Outcome {
    let expected = "memory 1; descriptors [true, true]; stdin /dev/zero; stderr true; variables [true, true]; \
                    in /proc: true; blocked true; ignored true; SIGCHLD ignored true; \
                    handled true; argument true; threads 1\n";
    assert_eq!(said("inherited", "fork")?, expected);
    Ok(())
}

fn a_child_of_a_fork_server_inherits() -> Outcome {
    let expected = "memory 0; descriptors [false, false]; stdin /dev/null; stderr false; variables [true, false]; \
                    in /proc: false; blocked false; ignored true; SIGCHLD ignored false; \
                    handled false; argument true; threads 1\n";
    assert_eq!(said("inherited", "fork server")?, expected);
    Ok(())
}

static AT_EXIT: AtomicI32 = AtomicI32::new(-1);

fn say(text: &str) {
    // SAFETY: the bytes live during the call, and the descriptor was leaked for it.
    unsafe { libc::write(AT_EXIT.load(Relaxed), text.as_ptr().cast(), text.len()) };
}

extern "C" fn at_exit() {
    say("handler");
}

struct Says(&'static str);

impl Drop for Says {
    fn drop(&mut self) {
        say(self.0);
    }
}

thread_local! {
    static LOCAL: Says = const { Says("thread-local; ") };
}

/// Prints without a newline, registers an exit handler, and has a thread that does not end.
fn end(output: Descriptor) -> u32 {
    print!("printed; ");
    AT_EXIT.store(output.into_fd().into_raw_fd(), Relaxed);
    let _owned = Says("owned; ");
    LOCAL.with(|_| ()); // makes it
    // SAFETY: the handler may be called at exit.
    unsafe { libc::atexit(at_exit) };
    thread::spawn(|| {
        pause(); // it would go on for ever
    });
    id()
}

fn ends() -> Result<(), Box<dyn StdError>> {
    let (reader, writer) = pipe()?;
    let server = ForkServer::start()?;
    let child = start(&server, end, writer.into())?;
    let pid = child.pid();
    let text = read_all(reader)?; // the thread has ended, too
    assert_eq!(child.join()?, pid);
    println!("{text}");
    Ok(())
}

fn a_spawned_child_runs_exit_handlers() -> Outcome {
    assert_eq!(said("ends", "spawn")?, "printed; owned; thread-local; handler\n");
    Ok(())
}

fn a_forked_child_runs_no_exit_handlers() -> Outcome {
    assert_eq!(said("ends", "fork")?, "printed; owned; \n");
    Ok(())
}

fn a_child_of_a_fork_server_runs_no_exit_handlers() -> Outcome {
    assert_eq!(said("ends", "fork server")?, "printed; owned; \n");
    Ok(())
}
