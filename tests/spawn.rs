//! What a child of `spawn` gets, what it gives back, and what its parent is told
//! when it does not.

use libtest_mimic::Arguments;
use multiprocessing::{Descriptor, Error, ForkServer, Process};
use nix::sys::resource::Resource;
use nix::sys::signal::{SigHandler, SigSet, SigmaskHow, Signal, kill, raise};
use nix::sys::wait::{Id, WaitPidFlag, waitid};
use nix::unistd::{Pid, dup2_stdin};
use serde::{Deserialize, Serialize, Serializer};
use std::collections::BTreeMap;
use std::error::Error as StdError;
use std::fs::{self, File};
use std::io::{Read, Write, pipe};
use std::os::fd::{AsRawFd, IntoRawFd, OwnedFd};
use std::path::Path;
use std::process::{Command, ExitCode, exit, id};
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::{Duration, Instant};
use std::{env, thread};
use tests::helper::{self, printed};
use tests::{Outcome, trials};

const MARK: &str = "MULTIPROCESSING_PARENT";

fn main() -> ExitCode {
    if env::var_os(MARK).is_some() {
        before_init();
    }
    helper::run_if_asked(&[("without_init", start_child)]);
    multiprocessing::init();
    helper::run_or_fail(&[
        ("go_on", || {
            println!("main went on");
            Ok(())
        }),
        ("descriptor_3_closed", descriptor_3_closed),
        ("descriptor_3_in_use", descriptor_3_in_use),
        ("descriptor_0_closed", descriptor_0_closed),
        ("killed_before", killed_before),
        ("sigchld_ignored", sigchld_ignored),
        ("threads_before", threads_before),
        ("unshared", unshared),
        ("start_child", start_child),
        ("no_leaks", no_leaks),
    ]);
    let trials = trials![
        a_result_comes_from_another_process,
        arguments_and_results_of_many_types,
        arguments_may_be_borrowed,
        a_child_has_a_child,
        a_copy_that_is_started_above_init_is_not_meant,
        the_mark_is_gone_in_the_child_and_in_what_it_starts,
        a_child_has_three_descriptors_its_socket_and_its_parent,
        and_when_the_parent_has_3_closed,
        and_when_the_parent_uses_3,
        and_when_the_parent_has_0_closed,
        a_socket_is_not_inherited_by_what_the_child_starts,
        standard_input_is_empty,
        signals_are_as_in_a_new_program,
        arguments_of_ten_megabytes,
        a_large_result_keeps_no_child_from_ending,
        descriptors_travel_both_ways,
        too_many_descriptors_are_an_error,
        without_init_nothing_is_started,
        arguments_that_cannot_be_encoded,
        arguments_that_cannot_be_decoded,
        a_result_that_cannot_be_encoded,
        a_panic_comes_with_its_message_and_place,
        an_exit_comes_with_its_status,
        a_child_killed_before_its_function,
        a_child_killed_in_its_function,
        a_child_killed_after_its_function_gives_its_result,
        a_result_comes_even_if_sigchld_is_ignored,
        in_another_pid_namespace_nothing_is_started,
        through_ld_so_nothing_is_started,
        a_result_too_large_for_memory_is_an_error,
        a_child_that_finds_threads_refuses,
        a_dropped_child_goes_on_and_leaves_no_zombie,
        many_threads_spawn_at_once,
        nothing_leaks,
    ];
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

/// What a child does before `init()`, if the test asks for it.
fn before_init() {
    match env::var("BEFORE_INIT").as_deref() {
        Ok("wait") => nix::unistd::pause(),
        Ok("start") => {
            let mut copy = Command::new("/proc/self/exe");
            let end = copy.env("BEFORE_INIT", "nothing").env(helper::VARIABLE, "go_on").output();
            assert_eq!(end.expect("it starts").stdout, b"main went on\n");
        }
        Ok("thread") => drop(thread::spawn(nix::unistd::pause)),
        _ => (),
    }
}

fn a_result_comes_from_another_process() -> Outcome {
    let child = Process::spawn(|()| (id(), std::os::unix::process::parent_id()), ())?;
    let pid = child.pid();
    assert_ne!(pid, id());
    assert_eq!(child.join()?, (pid, id()));
    Ok(())
}

fn arguments_and_results_of_many_types() -> Outcome {
    type Args = (u8, i64, f64, char, String, Vec<Option<u32>>, BTreeMap<String, (bool, ())>);
    let map = BTreeMap::from([("key".to_string(), (true, ()))]);
    let args: Args = (1, -2, 0.5, 'ß', "text".to_string(), vec![None, Some(3)], map);
    let child = Process::spawn(|args: Args| (args, id()), args.clone())?;
    let pid = child.pid();
    assert_eq!(child.join()?, (args, pid));
    Ok(())
}

/// The child has a copy of the text and the bytes.
fn arguments_may_be_borrowed() -> Outcome {
    fn greet(name: &str) -> (String, u32) {
        (format!("hello, {name}"), id())
    }
    fn sum(bytes: &[u8]) -> (u32, u32) {
        (bytes.iter().copied().map(u32::from).sum(), id())
    }
    fn join((one, two): (&str, &str)) -> (String, u32) {
        (format!("{one} {two}"), id())
    }
    let name = String::from("Bob");
    let server = ForkServer::start()?;
    for child in [
        Process::spawn(greet, "Bob")?,
        Process::spawn(greet, &name)?,
        Process::builder().spawn(greet, name.as_str())?,
        Process::spawn(join, ("hello,", &name))?,
        server.spawn(greet, &name)?,
        server.spawn(join, ("hello,", "Bob"))?,
    ] {
        let pid = child.pid();
        assert_eq!(child.join()?, ("hello, Bob".to_string(), pid));
    }
    let bytes = vec![1; 200_000]; // too long for a packet
    for child in [Process::spawn(sum, &bytes)?, server.spawn(sum, &bytes[..])?] {
        let pid = child.pid();
        assert_eq!(child.join()?, (200_000, pid));
    }
    Ok(())
}

fn a_copy_that_is_started_above_init_is_not_meant() -> Outcome {
    let builder = Process::builder().env("BEFORE_INIT", "start");
    let child = builder.spawn(|()| id(), ())?;
    let pid = child.pid();
    assert_eq!(child.join()?, pid);
    Ok(())
}

fn a_child_has_a_child() -> Outcome {
    let child = Process::spawn(grandparent, 2)?;
    let pid = child.pid();
    let pids = child.join()?;
    assert_eq!((pids.len(), pids[0]), (3, pid));
    assert!(pids[0] != pids[1] && pids[1] != pids[2] && pids[0] != pids[2]);
    Ok(())
}

/// The ids of this process and of the generations below.
fn grandparent(generations: u32) -> Vec<u32> {
    let mut pids = vec![id()];
    if generations > 0 {
        let child = Process::spawn(grandparent, generations - 1).expect("it starts");
        pids.extend(child.join().expect("it returns"));
    }
    pids
}

fn the_mark_is_gone_in_the_child_and_in_what_it_starts() -> Outcome {
    let child = Process::spawn(
        |()| {
            let env = Command::new("env").output().expect("env runs");
            (env::var(MARK).is_ok(), String::from_utf8_lossy(&env.stdout).contains(MARK), id())
        },
        (),
    )?;
    let pid = child.pid();
    assert_eq!(child.join()?, (false, false, pid));
    Ok(())
}

/// What is open in this process: `(3, "socket:[17]")`.
fn open_descriptors(_: ()) -> BTreeMap<i32, String> {
    let entries = fs::read_dir("/proc/self/fd").expect("/proc is there");
    let open = entries.filter_map(|entry| {
        let path = entry.ok()?.path();
        let link = fs::read_link(&path).ok()?.display().to_string();
        let number = path.file_name()?.to_str()?.parse().ok()?;
        (!link.contains("/fd")).then_some((number, link)) // the folder that is being read
    });
    open.collect()
}

fn assert_nothing_else_is_open(open: &BTreeMap<i32, String>) {
    assert_eq!(open.keys().copied().collect::<Vec<_>>(), [0, 1, 2, 3, 4], "{open:?}");
    assert_eq!(open[&0], "/dev/null");
    assert!(open[&3].starts_with("socket:"), "{open:?}");
    assert!(open[&4].contains("pidfd"), "{open:?}"); // of the parent
}

/// A descriptor that every program inherits that is started meanwhile.
fn inheritable(file: &File) -> nix::Result<OwnedFd> {
    nix::unistd::dup(file)
}

fn a_child_has_three_descriptors_its_socket_and_its_parent() -> Outcome {
    let file = File::open("/dev/zero")?;
    let _many = [inheritable(&file)?, inheritable(&file)?, inheritable(&file)?];
    assert_nothing_else_is_open(&Process::spawn(open_descriptors, ())?.join()?);
    Ok(())
}

fn and_when_the_parent_has_3_closed() -> Outcome {
    assert_eq!(printed(helper::command("descriptor_3_closed"))?, "right\n");
    Ok(())
}

fn descriptor_3_closed() -> Result<(), Box<dyn StdError>> {
    nix::unistd::close(3)
        .or_else(|e| if e == nix::errno::Errno::EBADF { Ok(()) } else { Err(e) })?;
    assert_nothing_else_is_open(&Process::spawn(open_descriptors, ())?.join()?);
    println!("right");
    Ok(())
}

fn and_when_the_parent_uses_3() -> Outcome {
    assert_eq!(printed(helper::command("descriptor_3_in_use"))?, "right\n");
    Ok(())
}

fn descriptor_3_in_use() -> Result<(), Box<dyn StdError>> {
    let zero = File::open("/dev/zero")?;
    let mut copies = Vec::new();
    while copies.last().is_none_or(|copy: &OwnedFd| copy.as_raw_fd() < 10) {
        copies.push(inheritable(&zero)?);
    }
    assert_eq!(fs::read_link("/proc/self/fd/3")?, Path::new("/dev/zero"));
    assert_nothing_else_is_open(&Process::spawn(open_descriptors, ())?.join()?);
    assert_eq!(fs::read_link("/proc/self/fd/3")?, Path::new("/dev/zero"));
    println!("right");
    Ok(())
}

fn and_when_the_parent_has_0_closed() -> Outcome {
    assert_eq!(printed(helper::command("descriptor_0_closed"))?, "right\n");
    Ok(())
}

fn descriptor_0_closed() -> Result<(), Box<dyn StdError>> {
    nix::unistd::close(0)?;
    assert_nothing_else_is_open(&Process::spawn(open_descriptors, ())?.join()?);
    println!("right");
    Ok(())
}

fn a_socket_is_not_inherited_by_what_the_child_starts() -> Outcome {
    let child = Process::spawn(
        |()| {
            let ls = Command::new("ls").args(["-l", "/proc/self/fd"]).output().expect("ls runs");
            String::from_utf8_lossy(&ls.stdout).into_owned()
        },
        (),
    )?;
    let listed = child.join()?;
    assert!(listed.contains("pipe:") && !listed.contains("socket:"), "{listed}");
    Ok(())
}

fn standard_input_is_empty() -> Outcome {
    let child = Process::spawn(
        |()| {
            let mut text = String::new();
            (std::io::stdin().read_to_string(&mut text).ok(), id())
        },
        (),
    )?;
    let pid = child.pid();
    assert_eq!(child.join()?, (Some(0), pid));
    Ok(())
}

fn signals_are_as_in_a_new_program() -> Outcome {
    let blocked = SigSet::from(Signal::SIGTERM);
    let before = blocked.thread_swap_mask(SigmaskHow::SIG_BLOCK)?;
    let child = Process::spawn(|()| raise(Signal::SIGTERM).is_ok(), ())?;
    before.thread_set_mask()?;
    assert!(matches!(child.join(), Err(Error::Killed { signal: 15 })));
    Ok(())
}

fn arguments_of_ten_megabytes() -> Outcome {
    let text = "0123456789".repeat(1 << 20);
    let child = Process::spawn(|text: String| (text.len(), id(), text), text.clone())?;
    let pid = child.pid();
    assert!(child.join()? == (text.len(), pid, text));
    Ok(())
}

fn a_large_result_keeps_no_child_from_ending() -> Outcome {
    let child = Process::spawn(|()| vec![7u64; 1 << 17], ())?;
    // The end of the child, without a look at its result.
    waitid(
        Id::Pid(Pid::from_raw(child.pid() as i32)),
        WaitPidFlag::WEXITED | WaitPidFlag::WNOWAIT,
    )?;
    assert_eq!(child.join()?, vec![7u64; 1 << 17]);
    Ok(())
}

fn descriptors_travel_both_ways() -> Outcome {
    let (mut reader, writer) = pipe()?;
    let child = Process::spawn(answer_with_a_pipe, Descriptor::from(writer))?;
    let mut text = String::new();
    reader.read_to_string(&mut text)?; // ends when the child has closed its copy
    assert_eq!(text, format!("process {}", child.pid()));
    let mut made_by_child = File::from(child.join()?.into_fd());
    let mut text = String::new();
    made_by_child.read_to_string(&mut text)?;
    assert_eq!(text, "from a pipe of the child");
    Ok(())
}

fn answer_with_a_pipe(writer: Descriptor) -> Descriptor {
    write!(File::from(writer.into_fd()), "process {}", id()).expect("the reader is open");
    let (reader, mut writer) = pipe().expect("a pipe");
    writer.write_all(b"from a pipe of the child").expect("the reader is open");
    Descriptor::from(reader)
}

fn too_many_descriptors_are_an_error() -> Outcome {
    let null = File::open("/dev/null")?;
    let many = |n: usize| (0..n).map(|_| null.try_clone().map(Descriptor::from)).collect();
    let count = |many: Vec<Descriptor>| (many.len(), id());
    let most: std::io::Result<Vec<_>> = many(251);
    let child = Process::spawn(count, most?)?;
    let pid = child.pid();
    assert_eq!(child.join()?, (251, pid));
    let more: std::io::Result<Vec<_>> = many(252);
    let error = Process::spawn(count, more?).err().ok_or("252 were sent")?;
    assert!(error.to_string().contains("253 descriptors; at most 252 travel"), "{error}");
    Ok(())
}

fn without_init_nothing_is_started() -> Outcome {
    let said = printed(helper::command("without_init"))?;
    assert!(said.contains("write it as the first line of main"), "{said}");
    assert!(said.ends_with("children: ECHILD: No child processes\n"), "{said}");
    Ok(())
}

/// Cannot be sent: it says so when it is encoded.
struct Stuck;

impl Serialize for Stuck {
    fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        Err(serde::ser::Error::custom("stuck"))
    }
}

impl<'de> Deserialize<'de> for Stuck {
    fn deserialize<D: serde::Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
        Ok(Stuck)
    }
}

fn arguments_that_cannot_be_encoded() -> Outcome {
    let error = Process::spawn(|_: Stuck| (), Stuck).err().ok_or("it was sent")?;
    assert!(matches!(error, Error::Encode { what, .. } if what.ends_with("Stuck")));
    Ok(())
}

/// postcard says nothing of what comes; this type needs to know.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Untagged {
    Number(u8),
}

fn arguments_that_cannot_be_decoded() -> Outcome {
    let child = Process::spawn(|_: Untagged| (), Untagged::Number(1))?;
    let error = child.join().err().ok_or("it was decoded")?;
    let text = error.to_string();
    assert!(matches!(error, Error::Decode { .. }) && text.contains("Untagged"), "{text}");
    Ok(())
}

fn a_result_that_cannot_be_encoded() -> Outcome {
    let error = Process::spawn(|()| Stuck, ())?.join().err().ok_or("it was sent")?;
    let text = error.to_string();
    assert!(matches!(error, Error::Encode { .. }) && text.contains("Stuck"), "{text}");
    Ok(())
}

fn a_panic_comes_with_its_message_and_place() -> Outcome {
    let child = Process::spawn(|n: i32| -> i32 { panic!("number {n} in {}", id()) }, 7)?;
    let pid = child.pid();
    match child.join() {
        Err(Error::Panicked { message, location }) => {
            assert_eq!(message, format!("number 7 in {pid}"));
            assert!(location.contains("spawn.rs:"), "{location}");
            Ok(())
        }
        other => Err(format!("{other:?}").into()),
    }
}

fn an_exit_comes_with_its_status() -> Outcome {
    for status in [0, 3, 255] {
        let end = Process::spawn(|status| -> u8 { exit(status) }, status)?.join();
        assert!(matches!(end, Err(Error::Exited { status: s }) if s == status), "{end:?}");
    }
    Ok(())
}

fn a_child_killed_before_its_function() -> Outcome {
    let said = printed(helper::command("killed_before"))?;
    assert_eq!(said, "the child was killed by SIGKILL before its function returned\n");
    Ok(())
}

fn killed_before() -> Result<(), Box<dyn StdError>> {
    // SAFETY: this process has one thread.
    unsafe { env::set_var("BEFORE_INIT", "wait") };
    let child = Process::spawn(|()| (), ())?;
    kill(Pid::from_raw(child.pid() as i32), Signal::SIGKILL)?;
    println!("{}", child.join().err().ok_or("it returned")?);
    Ok(())
}

fn a_child_killed_in_its_function() -> Outcome {
    let (mut reader, writer) = pipe()?;
    let function = |ready: Descriptor| {
        write!(File::from(ready.into_fd()), "in the function").expect("the reader is open");
        nix::unistd::pause();
    };
    let child = Process::spawn(function, Descriptor::from(writer))?;
    let mut text = String::new();
    reader.read_to_string(&mut text)?;
    assert_eq!(text, "in the function");
    kill(Pid::from_raw(child.pid() as i32), Signal::SIGKILL)?;
    assert!(matches!(child.join(), Err(Error::Killed { signal: 9 })));
    Ok(())
}

static AT_EXIT: AtomicI32 = AtomicI32::new(-1);

fn a_child_killed_after_its_function_gives_its_result() -> Outcome {
    extern "C" fn tell_and_wait() {
        let fd = AT_EXIT.load(Ordering::Relaxed);
        // SAFETY: the descriptor was leaked for this.
        unsafe { libc::write(fd, c"at exit".as_ptr().cast(), 7) };
        nix::unistd::pause();
    }
    let function = |tell: Descriptor| {
        AT_EXIT.store(tell.into_fd().into_raw_fd(), Ordering::Relaxed);
        // SAFETY: the handler may be called at exit.
        unsafe { libc::atexit(tell_and_wait) };
        id()
    };
    let (mut reader, writer) = pipe()?;
    let child = Process::spawn(function, Descriptor::from(writer))?;
    let (pid, mut text) = (child.pid(), [0; 7]);
    reader.read_exact(&mut text)?;
    assert_eq!(&text, b"at exit");
    kill(Pid::from_raw(pid as i32), Signal::SIGKILL)?;
    assert_eq!(child.join()?, pid);
    Ok(())
}

fn a_result_comes_even_if_sigchld_is_ignored() -> Outcome {
    let said = printed(helper::command("sigchld_ignored"))?;
    assert!(said.starts_with("144\nthe child has ended, and nobody can say how"), "{said}");
    Ok(())
}

fn sigchld_ignored() -> Result<(), Box<dyn StdError>> {
    // SAFETY: no handler is set, the signal is ignored.
    unsafe { nix::sys::signal::signal(Signal::SIGCHLD, SigHandler::SigIgn) }?;
    println!("{}", Process::spawn(|n: u64| n * n, 12)?.join()?);
    println!("{}", Process::spawn(|()| -> () { exit(3) }, ())?.join().err().ok_or("it returned")?);
    Ok(())
}

fn start_child() -> Result<(), Box<dyn StdError>> {
    println!("{}", Process::spawn(|()| (), ()).err().ok_or("a child was started")?);
    println!("children: {}", nix::sys::wait::wait().err().ok_or("there was a child")?);
    Ok(())
}

fn in_another_pid_namespace_nothing_is_started() -> Outcome {
    let said = printed(helper::command("unshared"))?;
    if said.starts_with("skipped") {
        eprintln!("in_another_pid_namespace_nothing_is_started: {said}");
        return Ok(());
    }
    let beginning =
        "this program cannot start processes: its children would be in another PID namespace";
    assert!(said.starts_with(beginning), "{said}");
    assert!(said.ends_with("children: ECHILD: No child processes\n"), "{said}");
    Ok(())
}

fn unshared() -> Result<(), Box<dyn StdError>> {
    // SAFETY: it takes any flags.
    if unsafe { libc::unshare(libc::CLONE_NEWPID) } != 0 {
        println!("skipped: unshare: {}", std::io::Error::last_os_error());
        return Ok(());
    }
    start_child()
}

fn through_ld_so_nothing_is_started() -> Outcome {
    let maps = fs::read_to_string("/proc/self/maps")?;
    let loader = maps.lines().find_map(|line| {
        let path = line.split_whitespace().last()?;
        path.rsplit('/').next()?.starts_with("ld-").then_some(path)
    });
    let mut command = Command::new(loader.ok_or("there is no ld.so")?);
    command.arg(env::current_exe()?).env(helper::VARIABLE, "start_child");
    let said = printed(command)?;
    let beginning = "this program cannot start processes: it was started through ld.so";
    assert!(said.starts_with(beginning), "{said}");
    assert!(said.ends_with("children: ECHILD: No child processes\n"), "{said}");
    Ok(())
}

fn a_result_too_large_for_memory_is_an_error() -> Outcome {
    let function = |()| {
        // Files of this process, and a memfd is one, may not grow beyond 1 MB.
        let _ = nix::sys::resource::setrlimit(Resource::RLIMIT_FSIZE, 1 << 20, 1 << 20);
        vec![1u8; 2 << 20]
    };
    let error = Process::spawn(function, ())?.join().err().ok_or("it came")?.to_string();
    assert!(error.starts_with("cannot make a memfd"), "{error}");
    Ok(())
}

fn a_child_that_finds_threads_refuses() -> Outcome {
    let said = printed(helper::command("threads_before"))?;
    assert!(said.contains("it could not be started: init() found 2 threads"), "{said}");
    Ok(())
}

fn threads_before() -> Result<(), Box<dyn StdError>> {
    // SAFETY: this process has one thread.
    unsafe { env::set_var("BEFORE_INIT", "thread") };
    println!("{}", Process::spawn(|()| (), ())?.join().err().ok_or("it returned")?);
    Ok(())
}

fn a_dropped_child_goes_on_and_leaves_no_zombie() -> Outcome {
    let (mut reader, writer) = pipe()?;
    let (hold_reader, hold) = pipe()?;
    let function = |(wait, tell): (Descriptor, Descriptor)| {
        let _ = File::from(wait.into_fd()).read_to_end(&mut Vec::new());
        write!(File::from(tell.into_fd()), "went on").expect("the reader is open");
    };
    let child = Process::spawn(function, (hold_reader.into(), writer.into()))?;
    let folder = format!("/proc/{}", child.pid());
    drop(child);
    assert!(Path::new(&folder).exists(), "the child was ended");
    drop(hold);
    let mut text = String::new();
    reader.read_to_string(&mut text)?;
    assert_eq!(text, "went on");
    while Path::new(&folder).exists() {
        thread::yield_now(); // ends when the reaper has done its work; a hang is the fault
    }
    Ok(())
}

fn many_threads_spawn_at_once() -> Outcome {
    let threads = (0..8).map(|n| {
        thread::spawn(move || {
            (0..10).all(|m| {
                let child = Process::spawn(|(n, m)| (n * m, id()), (n, m)).expect("it starts");
                let pid = child.pid();
                child.join().is_ok_and(|result| result == (n * m, pid))
            })
        })
    });
    let threads: Vec<_> = threads.collect();
    assert!(threads.into_iter().all(|thread| thread.join().is_ok_and(|all| all)));
    Ok(())
}

fn nothing_leaks() -> Outcome {
    assert_eq!(printed(helper::command("no_leaks"))?, "no descriptor, no child\n");
    Ok(())
}

fn no_leaks() -> Result<(), Box<dyn StdError>> {
    dup2_stdin(File::open("/dev/null")?)?;
    let before = open_descriptors(());
    for n in 0..50 {
        let child =
            Process::spawn(|n: u32| -> u32 { if n.is_multiple_of(3) { exit(1) } else { n } }, n)?;
        match n % 2 {
            0 => drop(child),
            _ => drop(child.join()),
        }
    }
    // The reapers of the dropped ones need a moment.
    let deadline = Instant::now() + Duration::from_secs(60);
    while open_descriptors(()) != before && Instant::now() < deadline {
        thread::yield_now();
    }
    assert_eq!(open_descriptors(()), before);
    let child = nix::sys::wait::waitpid(None, Some(WaitPidFlag::WNOHANG));
    assert_eq!(child, Err(nix::errno::Errno::ECHILD));
    println!("no descriptor, no child");
    Ok(())
}
