//! The fork server: its children, what prepares it, and what it survives.

use libtest_mimic::Arguments;
use multiprocessing::{
    Array, Descriptor, Error, ForkServer, Process, current_process, parent_process, wait,
};
use nix::sys::resource::{Resource, setrlimit};
use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, kill, sigaction, signal};
use nix::unistd::{Pid, pause};
use std::collections::BTreeSet;
use std::error::Error as StdError;
use std::fs::{self, File};
use std::io::{Read, pipe};
use std::mem::forget;
use std::os::fd::AsFd;
use std::os::unix::process::{CommandExt, parent_id};
use std::path::Path;
use std::process::{ExitCode, exit, id};
use std::sync::{OnceLock, mpsc};
use std::thread;
use tests::child::{LONG, open_numbers, read_all, wait_for_end, write_all};
use tests::helper::{self, printed};
use tests::{Outcome, trials};

fn main() -> ExitCode {
    multiprocessing::init();
    helper::run_or_fail(&[
        ("few_for_server", few_for_server),
        ("few_for_requests", few_for_requests),
        ("handles_interrupts", handles_interrupts),
        ("ignores_interrupts", ignores_interrupts),
        ("sigchld_ignored", sigchld_ignored),
    ]);
    let trials = trials![
        a_fork_server_forks_clean_children,
        a_fork_server_tells_how_its_children_ended,
        a_fork_server_runs_many_at_once,
        a_killed_fork_server_is_an_error,
        a_dropped_fork_server_ends_after_its_children,
        a_child_ends_whose_thread_holds_stdout,
        what_prepares_it_is_inherited,
        what_prepares_it_may_be_large,
        a_panic_of_what_prepares_it_is_an_error,
        threads_of_what_prepares_it_are_an_error,
        a_guard_that_what_prepares_it_leaks_is_an_error,
        an_exit_of_what_prepares_it_is_an_error,
        a_kill_of_what_prepares_it_is_an_error,
        after_an_error_of_a_fork_server_nothing_was_called,
        a_request_without_descriptors_left_is_lost_alone,
        a_request_without_memory_left_is_lost_alone,
        nobody_waits_for_a_stopped_server,
        an_interrupt_does_not_end_it,
        an_ignored_interrupt_stays_ignored,
        with_sigchld_ignored_it_tells_how_its_children_ended,
    ];
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

fn a_fork_server_forks_clean_children() -> Outcome {
    let file = File::open("/dev/zero")?;
    let _inheritable = nix::unistd::dup(&file)?;
    let server = ForkServer::start()?;
    let other = server.spawn(|()| pause(), ())?;
    // And the pidfd of its parent.
    let open = server.spawn(open_numbers, ())?.join()?;
    assert!(open.len() == 5 && open.is_superset(&BTreeSet::from([0, 1, 2, 3])), "{open:?}");
    let look = |()| (id(), parent_id(), current_process().name().to_string());
    let child = server.spawn(look, ())?;
    let (pid, name) = (child.pid(), child.name().to_string());
    assert_eq!(child.join()?, (pid, server.pid(), name));
    let (reader, writer) = pipe()?;
    let child = server.spawn(|writer| write_all(writer, &id().to_string()), writer.into())?;
    assert_eq!(read_all(reader)?, child.pid().to_string());
    child.join()?;
    other.kill()?;
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

fn after_an_error_of_a_fork_server_nothing_was_called() -> Outcome {
    assert_eq!(printed(helper::command("few_for_server"))?, "called as often as not refused\n");
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
        id()
    };
    let child = ForkServer::start()?.spawn(hold, ())?;
    let pid = child.pid();
    assert!(child.wait_timeout(LONG));
    assert_eq!(child.join()?, pid);
    Ok(())
}

/// Who prepared the server, and with what.
static PREPARED: OnceLock<(u32, String)> = OnceLock::new();

fn what_prepares_it_is_inherited() -> Outcome {
    fn prepare((text, bytes): (&str, &[u8])) {
        let text = format!("{text} {bytes:?}");
        PREPARED.set((id(), text)).expect("it is called once");
    }
    let server = ForkServer::start_with(prepare, ("text", &[1, 2]))?;
    for _ in 0..3 {
        let child = server.spawn(|()| (PREPARED.get().cloned(), id()), ())?;
        let pid = child.pid();
        let prepared = (server.pid(), "text [1, 2]".to_string());
        assert_eq!(child.join()?, (Some(prepared), pid));
    }
    assert_eq!(PREPARED.get(), None);
    let child = ForkServer::start()?.spawn(|()| PREPARED.get().cloned(), ())?;
    assert_eq!(child.join()?, None);
    Ok(())
}

fn what_prepares_it_may_be_large() -> Outcome {
    static LARGE: OnceLock<&str> = OnceLock::new();
    fn keep(text: &'static str) {
        LARGE.set(text).expect("it is called once");
    }
    let server = ForkServer::start_with(keep, "x".repeat(10 << 20).leak())?;
    let child = server.spawn(|()| (LARGE.get().map(|text| text.len()), id()), ())?;
    let pid = child.pid();
    assert_eq!(child.join()?, (Some(10 << 20), pid));
    Ok(())
}

fn a_panic_of_what_prepares_it_is_an_error() -> Outcome {
    let server = ForkServer::start_with(|n: u32| panic!("number {n} in {}", id()), 7);
    let Err(Error::Panicked { message, location }) = server else { return Err("no panic".into()) };
    assert!(message.starts_with("number 7 in ") && !message.ends_with(&format!(" {}", id())));
    assert!(location.contains("process_fork_server.rs:"), "{location}");
    Ok(())
}

fn threads_of_what_prepares_it_are_an_error() -> Outcome {
    let threads = |threads: u32| (0..threads).for_each(|_| drop(thread::spawn(pause)));
    let error = ForkServer::start_with(threads, 2).err().ok_or("it started")?.to_string();
    assert!(error.contains("has left 2 threads running"), "{error}");
    // One that was joined is none, also while the system still lists it.
    let scoped = |()| thread::scope(|scope| drop(scope.spawn(|| ())));
    for _ in 0..20 {
        let server = ForkServer::start_with(scoped, ())?;
        let child = server.spawn(|()| id(), ())?;
        let pid = child.pid();
        assert_eq!(child.join()?, pid);
    }
    Ok(())
}

/// Each child would have a copy of the guard, and could write without the lock.
fn a_guard_that_what_prepares_it_leaks_is_an_error() -> Outcome {
    let leak = |array: Array<u64>| forget(Box::leak(Box::new(array)).lock().expect("it is free"));
    let error = ForkServer::start_with(leak, Array::new(1)?).err().ok_or("it started")?.to_string();
    assert!(error.contains("holds a lock"), "{error}");
    let drops = |array: Array<u64>| array.lock().expect("it is free")[0] = 1;
    let array = Array::new(1)?;
    let server = ForkServer::start_with(drops, array.clone())?;
    let child = server.spawn(|array: Array<u64>| array.lock().map(|array| array[0]), array)?;
    assert_eq!(child.join()??, 1);
    Ok(())
}

fn an_exit_of_what_prepares_it_is_an_error() -> Outcome {
    let server = ForkServer::start_with(|status| exit(status), 3);
    assert!(matches!(server, Err(Error::Exited { status: 3 })), "{server:?}");
    Ok(())
}

fn a_kill_of_what_prepares_it_is_an_error() -> Outcome {
    let die = |()| kill(Pid::this(), Signal::SIGKILL).expect("it is this process");
    let server = ForkServer::start_with(die, ());
    assert!(matches!(server, Err(Error::Killed { signal: 9 })), "{server:?}");
    Ok(())
}

/// The server has room for less than 30 children. Each one that is called writes a byte.
fn few_for_server() -> Result<(), Box<dyn StdError>> {
    setrlimit(Resource::RLIMIT_NOFILE, 60, 1 << 10)?;
    let server = ForkServer::start()?;
    setrlimit(Resource::RLIMIT_NOFILE, 1 << 10, 1 << 10)?;
    let end = server.as_fd().try_clone_to_owned()?;
    let (mut reader, writer) = pipe()?;
    let call = |writer: Descriptor| {
        write_all(writer, ".");
        pause();
    };
    let spawn = |_| Ok(server.spawn(call, writer.try_clone()?.into())?);
    let spawned: Vec<Result<_, Box<dyn StdError>>> = (0..100).map(spawn).collect();
    let children: Vec<_> = spawned.into_iter().flatten().collect();
    assert!((1..30).contains(&children.len()), "{} children", children.len());
    reader.read_exact(&mut vec![0; children.len()])?; // if there are fewer calls, for ever
    children.iter().try_for_each(Process::kill)?;
    drop((server, writer));
    assert_eq!(wait(&[end], Some(LONG))?, [0]); // and so all children have ended
    assert_eq!(read_all(reader)?, "", "there were more calls");
    println!("called as often as not refused");
    Ok(())
}

fn a_request_without_descriptors_left_is_lost_alone() -> Outcome {
    assert_eq!(printed(helper::command("few_for_requests"))?, "lost alone\n");
    Ok(())
}

fn few_for_requests() -> Result<(), Box<dyn StdError>> {
    setrlimit(Resource::RLIMIT_NOFILE, 60, 1 << 10)?;
    let server = ForkServer::start()?;
    setrlimit(Resource::RLIMIT_NOFILE, 1 << 10, 1 << 10)?;
    let null = File::open("/dev/null")?;
    let count = |many: Vec<Descriptor>| (many.len(), id());
    for many in [100, 10, 200, 1] {
        let args: std::io::Result<Vec<_>> =
            (0..many).map(|_| null.try_clone().map(Descriptor::from)).collect();
        let child = server.spawn(count, args?);
        if many < 60 {
            let child = child?;
            let pid = child.pid();
            assert_eq!(child.join()?, (many, pid));
        } else {
            let error = child.err().ok_or("it started")?.to_string();
            assert!(error.contains("the fork server lost the request: "), "{error}");
            assert!(error.ends_with("Too many open files (os error 24)"), "{error}");
        }
    }
    println!("lost alone");
    Ok(())
}

fn a_request_without_memory_left_is_lost_alone() -> Outcome {
    let limit = |bytes| setrlimit(Resource::RLIMIT_AS, bytes, bytes).expect("it is lower");
    let server = ForkServer::start_with(limit, 100 << 20)?;
    let count = |text: String| (text.len(), id());
    let error = server.spawn(count, "x".repeat(150 << 20)).err().ok_or("it started")?.to_string();
    assert!(error.contains("the fork server lost the request: "), "{error}");
    let child = server.spawn(count, "x".repeat(1 << 20))?;
    let pid = child.pid();
    assert_eq!(child.join()?, (1 << 20, pid));
    Ok(())
}

fn nobody_waits_for_a_stopped_server() -> Outcome {
    let server = ForkServer::start()?;
    let server_pid = Pid::from_raw(server.pid() as i32);
    let (reader, hold) = pipe()?;
    let returns = server.spawn(wait_for_end, reader.into())?;
    let (reader, hold_other) = pipe()?;
    let dropped = server.spawn(wait_for_end, reader.into())?;
    kill(server_pid, Signal::SIGSTOP)?;
    let stopped = format!("/proc/{server_pid}/stat");
    while !fs::read_to_string(&stopped)?.contains(") T ") {
        thread::yield_now();
    }
    drop((hold, hold_other));
    assert!(returns.wait_timeout(LONG) && dropped.wait_timeout(LONG));
    assert!(!returns.is_alive());
    returns.terminate()?;
    drop(dropped);
    let pid = returns.pid();
    assert_eq!(returns.join()?, pid);
    assert!(fs::read_to_string(&stopped)?.contains(") T "), "it is not stopped");
    kill(server_pid, Signal::SIGCONT)?;
    let child = server.spawn(|()| -> u32 { exit(3) }, ())?;
    assert!(matches!(child.join(), Err(Error::Exited { status: 3 })));
    Ok(())
}

fn an_interrupt_does_not_end_it() -> Outcome {
    let mut command = helper::command("handles_interrupts");
    command.process_group(0); // a terminal's Ctrl-C goes to a group
    assert_eq!(printed(command)?, "alive; its child is not\n");
    Ok(())
}

/// At once after its start, and later.
fn handles_interrupts() -> Result<(), Box<dyn StdError>> {
    extern "C" fn nothing(_: i32) {}
    let action = SigAction::new(SigHandler::Handler(nothing), SaFlags::SA_RESTART, SigSet::empty());
    // SAFETY: the handler does nothing.
    unsafe { sigaction(Signal::SIGINT, &action) }?;
    let group = Pid::from_raw(0);
    for _ in 0..20 {
        let server = ForkServer::start()?;
        kill(group, Signal::SIGINT)?;
        let (reader, writer) = pipe()?;
        let wait = |writer: Descriptor| {
            write_all(writer, &id().to_string());
            pause();
        };
        let child = server.spawn(wait, writer.into())?;
        assert_eq!(read_all(reader)?, child.pid().to_string());
        kill(group, Signal::SIGINT)?;
        assert!(matches!(child.join(), Err(Error::Killed { signal: 2 })));
        let child = server.spawn(|()| (parent_id(), id()), ())?;
        let pid = child.pid();
        assert_eq!(child.join()?, (server.pid(), pid));
    }
    println!("alive; its child is not");
    Ok(())
}

fn an_ignored_interrupt_stays_ignored() -> Outcome {
    assert_eq!(printed(helper::command("ignores_interrupts"))?, "ignored, as by spawn\n");
    Ok(())
}

fn ignores_interrupts() -> Result<(), Box<dyn StdError>> {
    // SAFETY: no handler is set, the signal is ignored.
    unsafe { signal(Signal::SIGINT, SigHandler::SigIgn) }?;
    let survive = |()| kill(Pid::this(), Signal::SIGINT).map(|()| id()).ok();
    let server = ForkServer::start()?;
    for child in [Process::spawn(survive, ())?, server.spawn(survive, ())?] {
        let pid = child.pid();
        assert_eq!(child.join()?, Some(pid));
    }
    println!("ignored, as by spawn");
    Ok(())
}

fn with_sigchld_ignored_it_tells_how_its_children_ended() -> Outcome {
    assert_eq!(printed(helper::command("sigchld_ignored"))?, "told\n");
    Ok(())
}

/// Neither the server nor its children ignore it, so all of them can wait for children.
fn sigchld_ignored() -> Result<(), Box<dyn StdError>> {
    // SAFETY: no handler is set, the signal is ignored.
    unsafe { signal(Signal::SIGCHLD, SigHandler::SigIgn) }?;
    let server = ForkServer::start()?;
    let parent = |()| {
        let grandchild = Process::spawn(|()| -> () { exit(7) }, ()).expect("it starts");
        grandchild.wait();
        (grandchild.exit_code(), parent_process().map(|parent| parent.pid()))
    };
    for child in [server.spawn(parent, ())?, Process::spawn(parent, ())?] {
        assert_eq!(child.join()?, (Some(7), Some(id())));
    }
    for status in 0..20 {
        let child = server.spawn(|status: i32| -> () { exit(status) }, status)?;
        assert!(matches!(child.join(), Err(Error::Exited { status: s }) if s == status));
        let child = server.spawn(|()| id(), ())?;
        let pid = child.pid();
        child.wait();
        assert_eq!((child.exit_code(), child.join()?), (Some(0), pid));
    }
    println!("told");
    Ok(())
}
