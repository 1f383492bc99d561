//! Values and arrays in shared memory, with a lock and without, and named blocks.

use libtest_mimic::Arguments;
use multiprocessing::{
    Array, Error, Event, ForkServer, Process, RawArray, RawValue, Sender, SharedMemory, Value,
    pipe_one_way,
};
use nix::fcntl::OFlag;
use nix::sys::mman::shm_open;
use nix::sys::prctl::set_child_subreaper;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::signal::{Signal, kill, killpg};
use nix::sys::stat::Mode;
use nix::sys::wait::{Id, WaitPidFlag, WaitStatus, waitid, waitpid};
use nix::unistd::{Pid, ftruncate};
use std::error::Error as StdError;
use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{ExitCode, Stdio, id};
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};
use tests::helper::{self, kills, pass, printed};
use tests::{Outcome, trials};

/// Far longer than anything here takes: a test that waits so long has failed.
const LONG: Duration = Duration::from_secs(60);

fn main() -> ExitCode {
    multiprocessing::init();
    helper::run_or_fail(&[
        ("panics_with_a_name", panics_with_a_name),
        ("no_leaks", no_leaks),
        ("shrinks", shrinks),
        ("forks_with_a_name", forks_with_a_name),
        ("little_memory", little_memory),
        ("fork_goes_on", fork_goes_on),
        ("names_and_waits", names_and_waits),
    ]);
    let trials = trials![
        a_child_writes_and_the_parent_reads,
        all_start_methods_share,
        structs_and_arrays_of_numbers,
        zero_and_many_elements,
        what_the_system_refuses_is_an_error,
        an_index_out_of_range_is_an_error,
        raw_elements_are_copied,
        raw_numbers_are_never_torn,
        raw_numbers_are_never_torn_in_long_copies,
        atomics_lose_nothing,
        values_travel_through_a_connection,
        anonymous_memory_cannot_be_shrunk,
        a_block_is_created_attached_and_removed,
        names_that_are_none,
        a_name_that_exists_and_one_that_does_not,
        a_block_that_was_shrunk_is_an_error,
        a_block_of_a_panicking_program_is_removed,
        a_block_of_a_killed_program_is_removed,
        killed_at_any_instant_a_program_leaves_no_name,
        a_name_that_another_has_taken_over_stays,
        a_forked_child_keeps_no_name,
        a_killed_tracker_is_followed_by_another,
        a_kill_of_the_whole_group_leaves_no_name,
        a_forked_child_removes_no_name,
        python_attaches,
        holders_of_an_array_are_killed,
        nothing_leaks,
    ];
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

fn square((numbers, sum): (Array<i32>, Value<i64>)) -> u32 {
    let mut numbers = numbers.lock().expect("no holder dies");
    numbers.iter_mut().for_each(|number| *number *= *number);
    *sum.lock().expect("no holder dies") = numbers.iter().map(|n| i64::from(*n)).sum();
    id()
}

fn a_child_writes_and_the_parent_reads() -> Outcome {
    let (numbers, sum) = (Array::from_slice(&[1, 2, 3, 4])?, Value::new(0)?);
    let child = Process::spawn(square, (numbers.try_clone()?, sum.try_clone()?))?;
    let pid = child.pid();
    assert_eq!(child.join()?, pid);
    assert_eq!(*numbers.lock()?, [1, 4, 9, 16]);
    assert_eq!(numbers.lock()?[1..3], [4, 9]);
    assert_eq!((*sum.lock()?, numbers.len()), (30, 4));
    Ok(())
}

fn all_start_methods_share() -> Outcome {
    let (server, seen) = (ForkServer::start()?, RawArray::<u32>::new(3)?);
    let write = |(seen, place): (RawArray<u32>, usize)| seen.set(place, id()).expect("a place");
    let spawned = Process::spawn(write, (seen.try_clone()?, 0))?;
    let served = server.spawn(write, (seen.try_clone()?, 1))?;
    let pids = [spawned.pid(), served.pid(), 0];
    spawned.join()?;
    served.join()?;
    assert_eq!(seen.to_vec(), pids);
    Ok(())
}

#[derive(Clone, Copy, Debug, PartialEq, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(C)]
struct Place {
    x: f64,
    y: f64,
    visits: [u32; 2],
}

fn structs_and_arrays_of_numbers() -> Outcome {
    let place = Value::new(Place { x: 0.5, y: 2.0, visits: [1, 2] })?;
    let move_it = |place: Value<Place>| {
        let mut place = place.lock().expect("no holder dies");
        place.x += place.y;
        place.visits[0] = id();
    };
    let child = Process::spawn(move_it, place.try_clone()?)?;
    let pid = child.pid();
    child.join()?;
    assert_eq!(*place.lock()?, Place { x: 2.5, y: 2.0, visits: [pid, 2] });
    assert_eq!(*Value::new([7u8; 33])?.lock()?, [7; 33]);
    Ok(())
}

fn zero_and_many_elements() -> Outcome {
    let (none, raw_none) = (Array::<u64>::from_slice(&[])?, RawArray::<u8>::new(0)?);
    let look = |(none, raw): (Array<u64>, RawArray<u8>)| {
        let empty = none.lock().expect("no holder dies").is_empty();
        (empty && none.is_empty() && raw.is_empty() && raw.get(0).is_err(), id())
    };
    let child = Process::spawn(look, (none, raw_none))?;
    let pid = child.pid();
    assert_eq!(child.join()?, (true, pid));
    let many = Array::<u8>::new(100 << 20)?;
    let sum = |many: Array<u8>| {
        let mut many = many.lock().expect("no holder dies");
        let sum: u64 = many.iter().map(|byte| u64::from(*byte)).sum();
        many[0] = 2;
        sum
    };
    many.lock()?[(100 << 20) - 1] = 1;
    assert_eq!(Process::spawn(sum, many.try_clone()?)?.join()?, 1);
    assert_eq!(many.lock()?[0], 2);
    Ok(())
}

fn what_the_system_refuses_is_an_error() -> Outcome {
    assert_eq!(printed(helper::command("little_memory"))?, "errors\n");
    Ok(())
}

fn little_memory() -> Result<(), Box<dyn StdError>> {
    for length in [usize::MAX, usize::MAX / 8, 1 << 60, 1 << 50, 1 << 40] {
        let error = Array::<u64>::new(length).err().ok_or("so much memory")?;
        assert!(error.to_string().contains("cannot reserve"), "{error}");
        assert!(RawArray::<u64>::new(length).is_err());
    }
    let name = format!("test-little-{}", id());
    assert!(SharedMemory::create(&name, usize::MAX).is_err());
    assert!(SharedMemory::create(&name, 1 << 50).is_err());
    assert!(SharedMemory::create(&name, 0).is_err());
    assert!(!path(&name).exists(), "a name is left");
    let (_, hard) = getrlimit(Resource::RLIMIT_FSIZE)?;
    setrlimit(Resource::RLIMIT_FSIZE, 1 << 16, hard)?;
    assert!(Array::<u8>::new(200_000).is_err());
    assert!(SharedMemory::create(&name, 200_000).is_err());
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE)?;
    setrlimit(Resource::RLIMIT_NOFILE, 3, hard)?;
    assert!(Value::new(1).is_err());
    println!("errors");
    Ok(())
}

fn path(name: &str) -> PathBuf {
    Path::new("/dev/shm").join(name)
}

fn an_index_out_of_range_is_an_error() -> Outcome {
    let array = RawArray::from_slice(&[1u16, 2, 3])?;
    assert!(matches!(array.get(3), Err(Error::OutOfRange { index: 3, length: 3 })));
    assert!(matches!(array.get(usize::MAX), Err(Error::OutOfRange { .. })));
    assert!(matches!(array.set(3, 0), Err(Error::OutOfRange { index: 3, length: 3 })));
    assert!(matches!(array.write(2, &[0, 0]), Err(Error::OutOfRange { index: 3, length: 3 })));
    assert!(array.read(usize::MAX, &mut [0, 0]).is_err());
    assert_eq!(array.to_vec(), [1, 2, 3], "nothing was written");
    assert!(array.read(3, &mut []).is_ok());
    assert!(Array::from_slice(&[1])?.lock()?.get(1).is_none());
    let block = SharedMemory::create(&format!("test-range-{}", id()), 10)?;
    assert!(matches!(block.write(8, b"abc"), Err(Error::OutOfRange { index: 10, length: 10 })));
    assert!(block.read(usize::MAX, &mut [0]).is_err());
    Ok(())
}

fn raw_elements_are_copied() -> Outcome {
    let array = RawArray::from_slice(&[1.5f32, 2.5, 3.5, 4.5, 5.5])?;
    array.set(1, -1.0)?;
    array.write(3, &[7.0, 8.0])?;
    let mut middle = [0.0; 3];
    array.read(1, &mut middle)?;
    assert_eq!(middle, [-1.0, 3.5, 7.0]);
    assert_eq!(array.iter().collect::<Vec<_>>(), [1.5, -1.0, 3.5, 7.0, 8.0]);
    let value = RawValue::new([1u8, 2, 3])?;
    value.set([4, 5, 6]);
    assert_eq!(value.get(), [4, 5, 6]);
    Ok(())
}

fn raw_numbers_are_never_torn() -> Outcome {
    whole_numbers(1)
}

fn raw_numbers_are_never_torn_in_long_copies() -> Outcome {
    whole_numbers(200)
}

/// Both halves of each number are the same, always.
fn whole_numbers(count: usize) -> Outcome {
    let numbers = RawArray::<u64>::new(count)?;
    let write = |numbers: RawArray<u64>| {
        for n in 0.. {
            let half = n % 1000;
            numbers.write(0, &vec![half << 32 | half; numbers.len()]).expect("so many");
        }
    };
    let writer = Process::builder().daemon(true).spawn(write, numbers.try_clone()?)?;
    let mut seen = 0;
    while seen < 1000 {
        let all = numbers.to_vec();
        assert!(all.iter().all(|number| number >> 32 == number & 0xffff_ffff), "{all:x?}");
        seen += u64::from(all[0] > 0);
    }
    writer.kill()?;
    assert!(matches!(writer.join(), Err(Error::Killed { signal: 9 })));
    Ok(())
}

fn atomics_lose_nothing() -> Outcome {
    let counters = RawArray::<u32>::new(2)?;
    let count = |counters: RawArray<u32>| {
        for _ in 0..50_000 {
            counters.atomics()[1].fetch_add(1, Relaxed);
        }
    };
    let children = [
        Process::spawn(count, counters.try_clone()?)?,
        Process::spawn(count, counters.try_clone()?)?,
    ];
    for child in children {
        child.join()?;
    }
    assert_eq!(counters.to_vec(), [0, 100_000]);
    let value = RawValue::new(-1i64)?;
    assert_eq!(value.atomic().fetch_sub(1, Relaxed), -1);
    assert_eq!(value.get(), -2);
    Ok(())
}

fn values_travel_through_a_connection() -> Outcome {
    let (receiver, sender) = pipe_one_way::<(Value<u32>, Array<u8>)>()?;
    let child = Process::spawn(
        |receiver: multiprocessing::Receiver<(Value<u32>, Array<u8>)>| {
            let (value, array) = receiver.recv().expect("both");
            *value.lock().expect("free") = id();
            array.lock().expect("free").fill(9);
        },
        receiver,
    )?;
    let (value, array) = (Value::new(0)?, Array::new(3)?);
    sender.send((value.try_clone()?, array.try_clone()?))?;
    let pid = child.pid();
    child.join()?;
    assert_eq!((*value.lock()?, array.lock()?.to_vec()), (pid, vec![9; 3]));
    Ok(())
}

fn anonymous_memory_cannot_be_shrunk() -> Outcome {
    assert_eq!(printed(helper::command("shrinks"))?, "refused\n");
    Ok(())
}

fn shrinks() -> Result<(), Box<dyn StdError>> {
    let array = Array::from_slice(&[1u8; 5000])?;
    let mut open = fs::read_dir("/proc/self/fd")?.flatten().map(|entry| entry.path());
    let is_memory = |path: &PathBuf| {
        fs::read_link(path).is_ok_and(|link| link.to_string_lossy().contains("memfd:"))
    };
    let path = open.find(is_memory).ok_or("no memfd")?;
    let file = fs::OpenOptions::new().write(true).open(path)?;
    for length in [0, 4096, 10_000] {
        let error = ftruncate(&file, length).err().ok_or("its length was changed")?;
        assert_eq!(error, nix::Error::EPERM);
    }
    assert_eq!(array.lock()?[4999], 1);
    println!("refused");
    Ok(())
}

fn a_block_is_created_attached_and_removed() -> Outcome {
    let name = format!("test-block-{}", id());
    let created = SharedMemory::create(&name, 1000)?;
    assert_eq!((created.name(), created.len()), (name.as_str(), 1000));
    created.write(0, b"from the parent")?;
    let answer = |name: String| {
        let block = SharedMemory::attach(&name).expect("it is there");
        let mut text = [0; 15];
        block.read(0, &mut text).expect("so long");
        block.write(100, &id().to_le_bytes()).expect("so long");
        text
    };
    let child = Process::spawn(answer, name.clone())?;
    let pid = child.pid();
    assert_eq!(&child.join()?, b"from the parent");
    let mut from_child = [0; 4];
    created.read(100, &mut from_child)?;
    assert_eq!(u32::from_le_bytes(from_child), pid);
    assert!(path(&name).exists(), "who is attached does not remove it");
    let attached = SharedMemory::attach(&name)?;
    drop(created);
    assert!(!path(&name).exists() && SharedMemory::attach(&name).is_err());
    attached.read(100, &mut from_child)?;
    assert_eq!(u32::from_le_bytes(from_child), pid, "the memory is kept");
    Ok(())
}

fn names_that_are_none() -> Outcome {
    for name in ["", "a/b", "/a", "nul\0", &"x".repeat(256)] {
        let error = SharedMemory::create(name, 1).err().ok_or("it was created")?;
        assert!(error.to_string().starts_with("cannot create shared memory"), "{error}");
        assert!(SharedMemory::attach(name).is_err() && SharedMemory::unlink(name).is_err());
    }
    Ok(())
}

fn a_name_that_exists_and_one_that_does_not() -> Outcome {
    let name = format!("test-exists-{}", id());
    let error = SharedMemory::attach(&name).err().ok_or("it does not exist")?;
    assert!(error.to_string().contains("No such file"), "{error}");
    assert!(SharedMemory::unlink(&name).is_err());
    let block = SharedMemory::create(&name, 1)?;
    let error = SharedMemory::create(&name, 1).err().ok_or("it exists")?;
    assert!(error.to_string().contains("File exists"), "{error}");
    SharedMemory::unlink(&name)?;
    let next = SharedMemory::create(&name, 2)?;
    assert_eq!(next.len(), 2);
    drop(next);
    drop(block); // its name is gone already
    Ok(())
}

fn a_block_that_was_shrunk_is_an_error() -> Outcome {
    let name = format!("test-shrunk-{}", id());
    let block = SharedMemory::create(&name, 10_000)?;
    let file = shm_open(format!("/{name}").as_str(), OFlag::O_RDWR, Mode::empty())?;
    ftruncate(&file, 100)?;
    assert!(matches!(block.read(9_000, &mut [0]), Err(Error::OutOfRange { .. })));
    assert!(matches!(block.write(100, &[1]), Err(Error::OutOfRange { length: 100, .. })));
    block.write(99, &[1])?;
    ftruncate(&file, 0)?;
    assert!(SharedMemory::attach(&name).is_err(), "it is empty");
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
    let name = format!("test-panic-{}", id());
    let _block = SharedMemory::create(&name, 1)?;
    assert!(path(&name).exists());
    println!("{name}");
    panic!("as asked");
}

fn a_block_of_a_killed_program_is_removed() -> Outcome {
    for round in 0..20 {
        let name = format!("test-killed-{}-{round}", id());
        let child = Process::spawn(create, (name.clone(), round % 3))?;
        assert!(matches!(child.join(), Err(Error::Killed { signal: libc::SIGABRT })));
        waits_until_gone(&name);
    }
    Ok(())
}

fn create((name, others): (String, u32)) {
    let block = SharedMemory::create(&name, 10).expect("memory");
    let others = (0..others).map(|n| SharedMemory::create(&format!("{name}-{n}"), 1));
    let others: Result<Vec<_>, _> = others.collect();
    block.write(0, b"left").expect("ten bytes");
    drop(others.expect("memory"));
    std::process::abort();
}

fn waits_until_gone(name: &str) {
    let deadline = Instant::now() + LONG;
    while path(name).exists() {
        assert!(Instant::now() < deadline, "{name} is left");
        std::thread::yield_now();
    }
}

/// At any instant of making and removing them.
fn killed_at_any_instant_a_program_leaves_no_name() -> Outcome {
    let name = format!("test-instant-{}", id());
    let make = |name: String| -> () {
        for n in 0u32.. {
            drop(SharedMemory::create(&format!("{name}-{n}"), 1).expect("memory"));
        }
    };
    for _ in 0..kills() {
        let child = Process::spawn(make, name.clone())?;
        pass(Duration::from_micros(fastrand::u64(..8000)));
        child.kill()?;
        assert!(matches!(child.join(), Err(Error::Killed { signal: libc::SIGKILL })));
    }
    let deadline = Instant::now() + LONG;
    let is_ours = |entry: fs::DirEntry| entry.file_name().to_string_lossy().starts_with(&name);
    while fs::read_dir("/dev/shm")?.flatten().any(is_ours) {
        assert!(Instant::now() < deadline, "a name is left");
        std::thread::yield_now();
    }
    Ok(())
}

fn a_name_that_another_has_taken_over_stays() -> Outcome {
    let name = format!("test-taken-{}", id());
    let second = format!("{name}-second");
    let (go_on, waits) = (Event::new()?, Event::new()?);
    let make = |(name, second, go_on, waits): (String, String, Event, Event)| -> () {
        let _blocks = (SharedMemory::create(&name, 1), SharedMemory::create(&second, 1));
        waits.set();
        go_on.wait();
        std::process::abort();
    };
    let arguments = (name.clone(), second.clone(), go_on.try_clone()?, waits.try_clone()?);
    let child = Process::spawn(make, arguments)?;
    waits.wait();
    SharedMemory::unlink(&name)?;
    let _ours = SharedMemory::create(&name, 1)?;
    go_on.set();
    assert!(matches!(child.join(), Err(Error::Killed { signal: libc::SIGABRT })));
    waits_until_gone(&second); // it was the second
    assert!(path(&name).exists());
    Ok(())
}

fn a_forked_child_keeps_no_name() -> Outcome {
    assert_eq!(printed(helper::command("fork_goes_on"))?, "gone, and the child goes on\n");
    Ok(())
}

fn fork_goes_on() -> Result<(), Box<dyn StdError>> {
    set_child_subreaper(true)?;
    let name = format!("test-fork-{}", id());
    let (receiver, sender) = pipe_one_way::<i32>()?;
    let make = |(name, sender): (String, Sender<i32>)| -> () {
        let _block = SharedMemory::create(&name, 1).expect("memory");
        // SAFETY: a child of spawn has one thread.
        let child = unsafe { Process::fork(nix::unistd::pause) }.expect("it starts");
        sender.send(child.pid() as i32).expect("the parent listens");
        std::process::abort();
    };
    let child = Process::spawn(make, (name.clone(), sender))?;
    let forked = Pid::from_raw(receiver.recv()?);
    assert!(matches!(child.join(), Err(Error::Killed { signal: libc::SIGABRT })));
    waits_until_gone(&name);
    kill(forked, Signal::SIGKILL)?;
    assert!(matches!(waitpid(forked, None)?, WaitStatus::Signaled(..)));
    println!("gone, and the child goes on");
    Ok(())
}

fn a_killed_tracker_is_followed_by_another() -> Outcome {
    let name = format!("test-tracker-{}", id());
    let make = |name: String| -> () {
        let _first = SharedMemory::create(&format!("{name}-1"), 1).expect("memory");
        let children = format!("/proc/self/task/{}/children", id());
        let tracker = fs::read_to_string(children).expect("proc").trim().parse().expect("one");
        kill(Pid::from_raw(tracker), Signal::SIGKILL).expect("it runs");
        let pid = Pid::from_raw(tracker);
        waitid(Id::Pid(pid), WaitPidFlag::WEXITED | WaitPidFlag::WNOWAIT).expect("it has ended");
        let _second = SharedMemory::create(&format!("{name}-2"), 1).expect("memory");
        std::process::abort();
    };
    let child = Process::spawn(make, name.clone())?;
    assert!(matches!(child.join(), Err(Error::Killed { signal: libc::SIGABRT })));
    waits_until_gone(&format!("{name}-1"));
    waits_until_gone(&format!("{name}-2"));
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
    waits_until_gone(name.trim());
    Ok(())
}

fn names_and_waits() -> Result<(), Box<dyn StdError>> {
    let block = SharedMemory::create(&format!("test-group-{}", id()), 1)?;
    println!("{}", block.name());
    nix::unistd::pause();
    Ok(())
}

fn a_forked_child_removes_no_name() -> Outcome {
    assert_eq!(printed(helper::command("forks_with_a_name"))?, "still there\n");
    Ok(())
}

fn forks_with_a_name() -> Result<(), Box<dyn StdError>> {
    let mut block = Some(SharedMemory::create(&format!("test-forks-{}", id()), 10)?);
    let drop_it = || {
        drop(block.take()); // the child's copy
        id()
    };
    // SAFETY: this program has no other thread.
    let child = unsafe { Process::fork(drop_it) }?;
    let pid = child.pid();
    assert_eq!(child.join()?, pid);
    let block = block.ok_or("only the child took it")?;
    assert!(path(block.name()).exists());
    // A child that lives has a copy of the pipe to the tracker.
    let (receiver, sender) = pipe_one_way::<()>()?;
    // SAFETY: the same.
    let child = unsafe { Process::fork(|| receiver.recv().is_ok()) }?;
    drop(block);
    sender.send(())?;
    assert!(child.join()?);
    println!("still there");
    Ok(())
}

/// Python's own module opens the block, reads and writes.
fn python_attaches() -> Outcome {
    let name = format!("test-python-{}", id());
    let block = SharedMemory::create(&name, 100)?;
    block.write(0, b"rust")?;
    let script = "import sys; from multiprocessing import shared_memory as m, resource_tracker as r
b = m.SharedMemory(sys.argv[1]); r.unregister(b._name, 'shared_memory')
assert bytes(b.buf[:4]) == b'rust'; b.buf[4:10] = b'python'; b.close()";
    let python = std::process::Command::new("python3").args(["-c", script, &name]).output();
    match python {
        Err(missing) if missing.kind() == std::io::ErrorKind::NotFound => {
            assert!(std::env::var_os("CI").is_none(), "python3 is not here");
            println!("python3 is not here: skipped");
        }
        output => {
            let output = output?;
            let errors = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "{errors}");
            let mut bytes = [0; 10];
            block.read(0, &mut bytes)?;
            assert_eq!(&bytes, b"rustpython");
        }
    }
    Ok(())
}

/// Under the lock, all elements become the next number.
fn fill((array, times): (Array<u32>, u32)) -> u32 {
    for _ in 0..times {
        let repair = |elements: &mut [u32]| {
            let first = elements[0];
            elements.fill(first);
        };
        let mut elements = array.lock_or_repair(repair).expect("it can be repaired");
        let next = elements[0].wrapping_add(1);
        assert!(elements.iter().all(|element| element.wrapping_add(1) == next));
        for element in elements.iter_mut() {
            *element = next;
        }
    }
    times
}

fn holders_of_an_array_are_killed() -> Outcome {
    let (server, array) = (ForkServer::start()?, Array::new(1000)?);
    let mut survivor = server.spawn(fill, (array.try_clone()?, 1000))?;
    let mut repaired = 0;
    for n in 0..helper::kills() {
        let doomed = server.spawn(fill, (array.try_clone()?, u32::MAX))?;
        helper::pass(Duration::from_micros(n * 37 % 4000));
        doomed.kill()?;
        assert!(matches!(doomed.join(), Err(Error::Killed { signal: 9 })));
        repaired += u32::from(matches!(array.lock(), Err(Error::OwnerDied)));
    }
    assert_eq!(survivor.join_timeout(LONG)?, Some(1000));
    assert!(repaired > 0, "no holder was killed");
    let elements = array.lock_or_repair(|elements| elements.fill(0))?;
    assert!(elements.iter().all(|element| *element == elements[0]));
    Ok(())
}

fn nothing_leaks() -> Outcome {
    assert_eq!(printed(helper::command("no_leaks"))?, "as before\n");
    Ok(())
}

fn no_leaks() -> Result<(), Box<dyn StdError>> {
    let open = || fs::read_dir("/proc/self/fd").map(Iterator::count);
    let mapped = || fs::read_to_string("/proc/self/maps").map(|maps| maps.lines().count());
    let name = format!("test-leaks-{}", id());
    let make_all = || -> Result<(), Error> {
        let array = Array::from_slice(&[1, 2, 3])?;
        drop(array.try_clone()?.lock()?);
        drop((RawArray::<u8>::new(10_000)?, RawValue::new(1)?.try_clone()?));
        let block = SharedMemory::create(&name, 10)?;
        SharedMemory::attach(&name)?.read(0, &mut [0])?;
        drop(block);
        Ok(())
    };
    make_all()?;
    let before = (open()?, mapped()?);
    (0..200).try_for_each(|_| make_all())?;
    assert_eq!((open()?, mapped()?), before);
    let children = fs::read_to_string(format!("/proc/self/task/{}/children", id()))?;
    assert_eq!(children, "", "the tracker has ended with the last name");
    println!("as before");
    Ok(())
}
