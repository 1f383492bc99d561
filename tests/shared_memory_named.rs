//! Blocks with a name: who finds one, and that no name is left, whoever is killed.

use multiprocessing::{Error, Event, Process, Sender, SharedMemory, pipe_one_way};
use nix::fcntl::OFlag;
use nix::sys::mman::shm_open;
use nix::sys::prctl::set_child_subreaper;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::signal::{SigHandler, Signal, kill, killpg};
use nix::sys::stat::Mode;
use nix::sys::wait::{Id, WaitPidFlag, WaitStatus, waitid, waitpid};
use nix::unistd::{Pid, ftruncate};
use std::error::Error as StdError;
use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode, Stdio, abort, id};
use std::time::Duration;
use tests::helper::{self, elsewhere, join, kills, name, pass, path, wait_until_gone};
use tests::{Outcome, helpers, trials};

fn main() -> ExitCode {
    let trials = trials![
        a_block_is_created_attached_and_removed,
        a_block_without_a_name_gets_one,
        the_last_clone_removes_the_name,
        a_block_travels_and_keeps_its_name,
        names_that_are_none,
        a_name_that_exists_and_one_that_does_not,
        a_range_that_does_not_exist_is_an_error,
        a_block_that_was_shrunk_is_an_error,
        a_block_of_a_panicking_program_is_removed,
        a_block_of_a_killed_program_is_removed,
        killed_at_any_instant_a_program_leaves_no_name,
        killed_by_sigterm_together_with_its_tracker_a_program_leaves_no_name,
        killed_by_sigint_together_with_its_tracker_a_program_leaves_no_name,
        a_name_that_another_has_taken_over_stays,
        a_killed_tracker_is_followed_by_another,
        a_kill_of_the_whole_group_leaves_no_name,
        python_attaches,
    ];
    let alone = helpers![
        what_the_system_refuses_is_an_error,
        a_forked_child_keeps_no_name,
        a_forked_child_removes_no_name,
        nothing_leaks,
    ];
    helper::main(trials, alone, helpers![panics_with_a_name, names_and_waits])
}

fn a_block_is_created_attached_and_removed() -> Outcome {
    let name = name("block");
    let created = SharedMemory::create(&name, 1000)?;
    assert_eq!((created.name(), created.len()), (name.as_str(), 1000));
    created.write(0, b"from the parent")?;
    let answer = |name: String| {
        let block = SharedMemory::attach(&name).expect("it is there");
        let mut text = [0; 15];
        block.read(0, &mut text).expect("so long");
        block.write(100, b"from the child").expect("so long");
        text
    };
    assert_eq!(&elsewhere(answer, name.clone())?, b"from the parent");
    assert!(path(&name).exists(), "who is attached does not remove it");
    let attached = SharedMemory::attach(&name)?;
    drop(created);
    assert!(!path(&name).exists() && SharedMemory::attach(&name).is_err());
    let mut text = [0; 14];
    attached.read(100, &mut text)?;
    assert_eq!(&text, b"from the child", "the memory is kept");
    Ok(())
}

fn a_block_without_a_name_gets_one() -> Outcome {
    let first = SharedMemory::new(1)?;
    let start = format!("multiprocessing-{}-", id());
    let number: u64 = first.name().strip_prefix(&start).ok_or("another name")?.parse()?;
    let taken = SharedMemory::create(&format!("{start}{}", number + 1), 1)?;
    let second = SharedMemory::new(1)?;
    assert!(second.name() != first.name() && second.name() != taken.name());
    assert!(SharedMemory::new(0).is_err());
    Ok(())
}

fn the_last_clone_removes_the_name() -> Outcome {
    let first = SharedMemory::new(10)?;
    let path = path(first.name());
    let mut clones = vec![first.clone(); 3];
    drop(first);
    while clones.pop().is_some() {
        assert_eq!(path.exists(), !clones.is_empty());
    }
    Ok(())
}

fn a_block_travels_and_keeps_its_name() -> Outcome {
    let block = SharedMemory::new(10)?;
    let write = |block: SharedMemory| {
        block.clone().write(0, b"moved")?;
        drop(block.clone());
        Ok::<_, Error>(block.name().to_string())
    };
    assert_eq!(elsewhere(write, block.clone())??, block.name());
    assert!(path(block.name()).exists(), "only the creator removes it");
    let mut text = [0; 5];
    block.read(0, &mut text)?;
    assert_eq!(&text, b"moved");
    let unlink = |block: SharedMemory| block.unlink();
    elsewhere(unlink, block.clone())??;
    assert!(!path(block.name()).exists() && block.unlink().is_err());
    assert!(elsewhere(write, block)?.is_ok(), "the memory has no name, and travels");
    Ok(())
}

fn names_that_are_none() -> Outcome {
    for name in ["", ".", "..", "a/b", "/a", "nul\0", &"x".repeat(256)] {
        let error = SharedMemory::create(name, 1).err().ok_or("it was created")?;
        assert!(error.to_string().starts_with("cannot create shared memory"), "{error}");
        assert!(SharedMemory::attach(name).is_err());
    }
    Ok(())
}

fn a_name_that_exists_and_one_that_does_not() -> Outcome {
    let name = name("exists");
    let error = SharedMemory::attach(&name).err().ok_or("it does not exist")?;
    assert!(error.to_string().contains("No such file"), "{error}");
    let block = SharedMemory::create(&name, 1)?;
    let error = SharedMemory::create(&name, 1).err().ok_or("it exists")?;
    assert!(error.to_string().contains("File exists"), "{error}");
    block.unlink()?;
    assert!(block.unlink().is_err());
    let next = SharedMemory::create(&name, 2)?;
    assert!(block.unlink().is_err(), "the name means another block");
    drop(block);
    assert!(path(&name).exists());
    assert_eq!(next.len(), 2);
    Ok(())
}

fn a_range_that_does_not_exist_is_an_error() -> Outcome {
    let block = SharedMemory::new(10)?;
    assert!(matches!(block.write(8, b"abc"), Err(Error::OutOfRange { index: 10, length: 10 })));
    assert!(block.read(usize::MAX, &mut [0]).is_err());
    Ok(())
}

fn a_block_that_was_shrunk_is_an_error() -> Outcome {
    let block = SharedMemory::new(10_000)?;
    let file = shm_open(format!("/{}", block.name()).as_str(), OFlag::O_RDWR, Mode::empty())?;
    ftruncate(&file, 100)?;
    assert!(matches!(block.read(9_000, &mut [0]), Err(Error::OutOfRange { .. })));
    assert!(matches!(block.write(100, &[1]), Err(Error::OutOfRange { length: 100, .. })));
    block.write(99, &[1])?;
    ftruncate(&file, 0)?;
    assert!(SharedMemory::attach(block.name()).is_err(), "it is empty");
    Ok(())
}

fn a_block_of_a_panicking_program_is_removed() -> Outcome {
    let output = helper::command("panics_with_a_name").output()?;
    let name = String::from_utf8(output.stdout)?;
    assert_eq!(output.status.code(), Some(101));
    assert!(name.starts_with("test-panic-") && !path(name.trim()).exists(), "{name}");
    Ok(())
}

fn panics_with_a_name() -> Result<(), Box<dyn StdError>> {
    let block = SharedMemory::create(&name("panic"), 1)?;
    assert!(path(block.name()).exists());
    println!("{}", block.name());
    panic!("as asked");
}

fn a_block_of_a_killed_program_is_removed() -> Outcome {
    for round in 0..20 {
        let name = name(&format!("killed-{round}"));
        let child = elsewhere(create_and_die, (name.clone(), round % 3));
        assert!(matches!(child, Err(Error::Killed { signal: libc::SIGABRT })));
        wait_until_gone(&name)?;
    }
    Ok(())
}

fn create_and_die((name, others): (String, u32)) {
    let block = SharedMemory::create(&name, 10).expect("memory");
    let others = (0..others).map(|n| SharedMemory::create(&format!("{name}-{n}"), 1));
    let others: Result<Vec<_>, _> = others.collect();
    block.write(0, b"left").expect("ten bytes");
    drop(others.expect("memory"));
    abort();
}

/// At any instant of making and removing them.
fn killed_at_any_instant_a_program_leaves_no_name() -> Outcome {
    let name = name("instant");
    let make = |name: String| {
        for n in 0..u32::MAX {
            drop(SharedMemory::create(&format!("{name}-{n}"), 1).expect("memory"));
        }
    };
    for _ in 0..kills() {
        let child = Process::spawn(make, name.clone())?;
        pass(Duration::from_micros(fastrand::u64(..8000)));
        child.kill()?;
        assert!(matches!(join(child), Err(Error::Killed { signal: libc::SIGKILL })));
    }
    wait_until_gone(&name)?;
    Ok(())
}

/// The only child of this process.
fn tracker() -> Pid {
    let children = format!("/proc/self/task/{}/children", id());
    let children = fs::read_to_string(children).expect("proc is mounted");
    Pid::from_raw(children.trim().parse().expect("the tracker is the only child"))
}

/// As whoever ends all processes of the program's name does.
fn create_and_signal_all((name, signal, after): (String, i32, u64)) {
    let _block = SharedMemory::create(&name, 1).expect("memory");
    let (tracker, signal) = (tracker(), Signal::try_from(signal).expect("a signal"));
    // Whoever started the tests may have had it ignored.
    // SAFETY: the default installs no function.
    unsafe { nix::sys::signal::signal(signal, SigHandler::SigDfl) }.expect("a signal");
    pass(Duration::from_micros(after));
    kill(tracker, signal).expect("it runs");
    kill(Pid::this(), signal).expect("this runs");
    nix::unistd::pause();
}

fn signals_leave_no_name(signal: Signal) -> Outcome {
    for n in 0..kills() {
        let name = name(&format!("{signal}-{n}"));
        let child = elsewhere(create_and_signal_all, (name.clone(), signal as i32, n * 37 % 2000));
        assert!(matches!(child, Err(Error::Killed { signal: s }) if s == signal as i32));
        wait_until_gone(&name)?;
    }
    Ok(())
}

fn killed_by_sigterm_together_with_its_tracker_a_program_leaves_no_name() -> Outcome {
    signals_leave_no_name(Signal::SIGTERM)
}

fn killed_by_sigint_together_with_its_tracker_a_program_leaves_no_name() -> Outcome {
    signals_leave_no_name(Signal::SIGINT)
}

fn a_name_that_another_has_taken_over_stays() -> Outcome {
    let (first, second) = (name("taken"), name("second"));
    let (go_on, waits) = (Event::new()?, Event::new()?);
    let make = |(first, second, go_on, waits): (String, String, Event, Event)| {
        let _blocks = (SharedMemory::create(&first, 1), SharedMemory::create(&second, 1));
        waits.set();
        go_on.wait();
        abort();
    };
    let arguments = (first.clone(), second.clone(), go_on.clone(), waits.clone());
    let child = Process::<()>::spawn(make, arguments)?;
    waits.wait();
    SharedMemory::attach(&first)?.unlink()?;
    let _ours = SharedMemory::create(&first, 1)?;
    go_on.set();
    assert!(matches!(join(child), Err(Error::Killed { signal: libc::SIGABRT })));
    wait_until_gone(&second)?; // it was the second
    assert!(path(&first).exists());
    Ok(())
}

fn a_forked_child_keeps_no_name() -> Result<(), Box<dyn StdError>> {
    set_child_subreaper(true)?;
    let name = name("fork");
    let (receiver, sender) = pipe_one_way::<i32>()?;
    let make = |(name, sender): (String, Sender<i32>)| {
        let _block = SharedMemory::create(&name, 1).expect("memory");
        // SAFETY: a child of spawn has one thread.
        let child = unsafe { Process::fork(nix::unistd::pause) }.expect("it starts");
        sender.send(child.pid() as i32).expect("the parent listens");
        abort();
    };
    let child = Process::<()>::spawn(make, (name.clone(), sender))?;
    let forked = Pid::from_raw(receiver.recv()?);
    assert!(matches!(join(child), Err(Error::Killed { signal: libc::SIGABRT })));
    wait_until_gone(&name)?;
    kill(forked, Signal::SIGKILL)?;
    assert!(matches!(waitpid(forked, None)?, WaitStatus::Signaled(..)));
    Ok(())
}

fn a_killed_tracker_is_followed_by_another() -> Outcome {
    let name = name("tracker");
    let make = |name: String| {
        let _first = SharedMemory::create(&format!("{name}-1"), 1).expect("memory");
        let tracker = tracker();
        kill(tracker, Signal::SIGKILL).expect("it runs");
        let ended = WaitPidFlag::WEXITED | WaitPidFlag::WNOWAIT;
        waitid(Id::Pid(tracker), ended).expect("it has ended");
        let _second = SharedMemory::create(&format!("{name}-2"), 1).expect("memory");
        abort();
    };
    let child = elsewhere::<_, ()>(make, name.clone());
    assert!(matches!(child, Err(Error::Killed { signal: libc::SIGABRT })));
    wait_until_gone(&name)?;
    Ok(())
}

fn a_kill_of_the_whole_group_leaves_no_name() -> Outcome {
    let mut command = helper::command("names_and_waits");
    let mut program = command.process_group(0).stdout(Stdio::piped()).spawn()?;
    let mut output = BufReader::new(program.stdout.take().ok_or("no output")?);
    let mut name = String::new();
    output.read_line(&mut name)?;
    assert!(path(name.trim()).exists());
    killpg(Pid::from_raw(program.id() as i32), Signal::SIGKILL)?;
    assert!(!program.wait()?.success());
    wait_until_gone(name.trim())?;
    Ok(())
}

fn names_and_waits() -> Result<(), Box<dyn StdError>> {
    let block = SharedMemory::create(&name("group"), 1)?;
    println!("{}", block.name());
    nix::unistd::pause();
    Ok(())
}

fn a_forked_child_removes_no_name() -> Result<(), Box<dyn StdError>> {
    let mut block = Some(SharedMemory::new(10)?);
    // SAFETY: this program has no other thread.
    let child = unsafe { Process::fork(|| drop(block.take())) }?; // the child's copy
    child.join()?;
    let block = block.ok_or("only the child took it")?;
    assert!(path(block.name()).exists());
    // A child that lives has a copy of the pipe to the tracker.
    let (receiver, sender) = pipe_one_way::<()>()?;
    // SAFETY: the same.
    let child = unsafe { Process::fork(|| receiver.recv().is_ok()) }?;
    drop(block);
    sender.send(())?;
    assert!(child.join()?);
    Ok(())
}

/// Python's own module opens the block, reads and writes.
fn python_attaches() -> Outcome {
    let block = SharedMemory::new(100)?;
    block.write(0, b"rust")?;
    let script = "import sys; from multiprocessing import shared_memory as m, resource_tracker as r
b = m.SharedMemory(sys.argv[1]); r.unregister(b._name, 'shared_memory')
assert bytes(b.buf[:4]) == b'rust'; b.buf[4:10] = b'python'; b.close()";
    let output = match Command::new("python3").args(["-c", script, block.name()]).output() {
        Err(missing) if missing.kind() == std::io::ErrorKind::NotFound => {
            assert!(std::env::var_os("CI").is_none(), "python3 is not here");
            println!("python3 is not here: skipped");
            return Ok(());
        }
        output => output?,
    };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut bytes = [0; 10];
    block.read(0, &mut bytes)?;
    assert_eq!(&bytes, b"rustpython");
    Ok(())
}

fn what_the_system_refuses_is_an_error() -> Result<(), Box<dyn StdError>> {
    let name = name("little");
    for size in [0, 1 << 50, usize::MAX] {
        assert!(SharedMemory::create(&name, size).is_err());
    }
    let (_, hard) = getrlimit(Resource::RLIMIT_FSIZE)?;
    setrlimit(Resource::RLIMIT_FSIZE, 1 << 16, hard)?;
    assert!(SharedMemory::create(&name, 200_000).is_err());
    assert!(!path(&name).exists(), "a name is left");
    Ok(())
}

fn nothing_leaks() -> Result<(), Box<dyn StdError>> {
    let make_all = || -> Result<(), Error> {
        let block = SharedMemory::new(10)?;
        SharedMemory::attach(block.name())?.read(0, &mut [0])?;
        tests::cast::cast::<_, SharedMemory>(block.clone())?.write(0, &[1])
    };
    make_all()?;
    let before = helper::open_and_mapped()?;
    (0..200).try_for_each(|_| make_all())?;
    assert_eq!(helper::open_and_mapped()?, before);
    assert_eq!(helper::children()?, [], "the tracker has ended with the last name");
    Ok(())
}
