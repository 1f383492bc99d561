//! What a process makes of a descriptor 3 and a mark that `spawn` did not make:
//! the tests play the parent.

use libtest_mimic::Arguments;
use multiprocessing::{Process, SharedMemory};
use nix::sys::socket::{
    AddressFamily, ControlMessage, MsgFlags, SockFlag, SockType, recv, sendmsg, socketpair,
};
use nix::unistd::{User, chown};
use std::error::Error;
use std::fs::{self, File, Permissions};
use std::io::IoSlice;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Output, Stdio, id};
use tempfile::TempDir;
use tests::{Outcome, helper, trials};

const VERSION: &str = env!("CARGO_PKG_VERSION");

fn main() -> ExitCode {
    multiprocessing::init();
    helper::run_or_fail(&[("go_on", go_on), ("start_child", start_child)]);
    let mut trials = trials![
        another_version_is_refused,
        an_offset_outside_the_executable_is_refused,
        bytes_without_a_meaning_are_refused,
        a_parent_that_is_gone_ends_the_child,
        a_mark_of_another_process_is_not_for_us,
        a_mark_without_a_socket_is_not_for_us,
        a_mark_of_another_program_is_not_for_us,
        a_mark_that_is_no_number_is_not_for_us,
    ];
    let set_user_id =
        trials![a_set_user_id_program_takes_no_orders, a_set_user_id_program_starts_no_process];
    // To give a file away takes root.
    let is_root = nix::unistd::geteuid().is_root();
    trials.extend(set_user_id.into_iter().map(|trial| trial.with_ignored_flag(!is_root)));
    let mut arguments = Arguments::from_args();
    // One at a time: a child of another test has a copy open for writing for a moment,
    // and the system starts no such program (ETXTBSY).
    arguments.test_threads = Some(1);
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn go_on() -> Result<(), Box<dyn Error>> {
    println!("main went on");
    Ok(())
}

fn start_child() -> Result<(), Box<dyn Error>> {
    let name = format!("set-user-id-{}", id());
    let block = SharedMemory::create(&name, 1)?; // without a process that watches over it
    SharedMemory::attach(&name)?.unlink()?;
    drop(block);
    let error = Process::spawn(|()| (), ()).err().ok_or("a process was started")?;
    println!("{error}");
    Ok(())
}

/// As the library makes it.
fn mark_of(parent: u32) -> String {
    mark_in(parent, Path::new("/proc/self/exe"))
}

fn mark_in(parent: u32, program: &Path) -> String {
    let program = fs::metadata(program).expect("it is there");
    format!("{parent} {} {}", program.dev(), program.ino())
}

/// Starts this program with `descriptor` as 3 and a mark.
fn start(mark: &str, descriptor: OwnedFd) -> Command {
    start_program(Path::new("/proc/self/exe"), mark, descriptor)
}

fn start_program(program: &Path, mark: &str, descriptor: OwnedFd) -> Command {
    let mut command = helper::command_of(program, "go_on");
    command.env("MULTIPROCESSING_PARENT", mark).stdout(Stdio::piped());
    let place_at_3 = move || match descriptor.as_raw_fd() {
        // SAFETY: it takes any number.
        3 => check(unsafe { libc::fcntl(3, libc::F_SETFD, 0) }),
        // SAFETY: 3 is nothing that this process needs before it has its new program.
        other => check(unsafe { libc::dup2(other, 3) }),
    };
    // SAFETY: dup2 and fcntl may be called between fork and exec (signal-safety(7)).
    unsafe { command.pre_exec(place_at_3) };
    command
}

fn check(result: i32) -> std::io::Result<()> {
    match result {
        -1 => Err(std::io::Error::last_os_error()),
        _ => Ok(()),
    }
}

fn sockets() -> nix::Result<(OwnedFd, OwnedFd)> {
    socketpair(AddressFamily::Unix, SockType::SeqPacket, None, SockFlag::SOCK_CLOEXEC)
}

type Answered = Result<(String, Option<i32>), libtest_mimic::Failed>;

/// What the child answers to a packet, and its exit status.
fn answer_to(packet: &[u8]) -> Answered {
    answer_to_both(packet, &[])
}

/// The same for a packet with descriptors.
fn answer_to_both(packet: &[u8], descriptors: &[RawFd]) -> Answered {
    let (ours, theirs) = sockets()?;
    let (packet, rights) = ([IoSlice::new(packet)], [ControlMessage::ScmRights(descriptors)]);
    let rights = if descriptors.is_empty() { &[][..] } else { &rights };
    sendmsg::<()>(ours.as_raw_fd(), &packet, rights, MsgFlags::empty(), None)?;
    let mut child = start(&mark_of(id()), theirs).spawn()?;
    let mut answer = vec![0; 40_000];
    let length = recv(ours.as_raw_fd(), &mut answer, MsgFlags::empty())?;
    let status = child.wait()?;
    // Behind the byte that says that the message is in the packet.
    let answer: Result<(), multiprocessing::Error> = postcard::from_bytes(&answer[1..length])?;
    Ok((answer.err().ok_or("it was answered")?.to_string(), status.code()))
}

/// The first byte says that the message is in the packet.
fn packet<T: serde::Serialize>(message: &T) -> postcard::Result<Vec<u8>> {
    postcard::to_extend(message, vec![0])
}

fn another_version_is_refused() -> Outcome {
    let (answer, status) = answer_to(&packet(&("9.9.9", 0isize, 0isize))?)?;
    assert!(answer.contains("the parent has version 9.9.9"), "{answer}");
    assert_eq!(status, Some(1));
    Ok(())
}

fn an_offset_outside_the_executable_is_refused() -> Outcome {
    let parent = File::open("/dev/null")?; // not watched
    for offset in [0, 1, 1 << 40, isize::MIN, isize::MAX] {
        // Its name, whether it is a daemon, the parent's id, the number of its descriptor.
        let identity = ("name", false, id(), 0u32);
        let request = packet(&(VERSION, identity, offset, offset))?;
        let (answer, status) = answer_to_both(&request, &[parent.as_raw_fd()])?;
        assert!(answer.contains("in a shared library, not in the program itself"), "{answer}");
        assert_eq!(status, Some(1));
    }
    Ok(())
}

fn bytes_without_a_meaning_are_refused() -> Outcome {
    for (bytes, fault) in [
        (&[0][..], "cannot decode"),
        (&[0, 255, 255, 255, 255, 255][..], "cannot decode"),
        (&[0, 5, b'0', b'.'][..], "cannot decode"),
        (&[9, 1, 2, 3][..], "there is no kind 9 of packet"),
        (&[2][..], "its memfd is missing"),
    ] {
        let (answer, status) = answer_to(bytes)?;
        assert!(answer.contains(fault), "{bytes:?}: {answer}");
        assert_eq!(status, Some(1));
    }
    Ok(())
}

fn a_parent_that_is_gone_ends_the_child() -> Outcome {
    let (ours, theirs) = sockets()?;
    drop(ours);
    let Output { status, stdout, .. } = start(&mark_of(id()), theirs).output()?;
    assert_eq!((status.code(), stdout.as_slice()), (Some(1), &b""[..]));
    Ok(())
}

fn assert_goes_on(mut command: Command) -> Outcome {
    let Output { status, stdout, .. } = command.output()?;
    assert_eq!((status.code(), stdout.as_slice()), (Some(0), &b"main went on\n"[..]));
    Ok(())
}

fn a_mark_of_another_process_is_not_for_us() -> Outcome {
    let (_, theirs) = sockets()?; // one that takes orders would end at once
    assert_goes_on(start(&mark_of(1), theirs))
}

fn a_mark_without_a_socket_is_not_for_us() -> Outcome {
    assert_goes_on(start(&mark_of(id()), File::open("/dev/null")?.into()))
}

fn a_mark_of_another_program_is_not_for_us() -> Outcome {
    let (_, theirs) = sockets()?; // one that takes orders would end at once
    assert_goes_on(start(&mark_in(id(), Path::new("/bin/sh")), theirs))
}

fn a_mark_that_is_no_number_is_not_for_us() -> Outcome {
    let (_, theirs) = sockets()?; // one that takes orders would end at once
    assert_goes_on(start("me", theirs))
}

fn a_set_user_id_program_takes_no_orders() -> Outcome {
    let (_folder, copy) = set_user_id_copy()?;
    let (_, theirs) = sockets()?; // one that takes orders would end at once
    let mark = mark_in(id(), &copy);
    assert_goes_on(start_program(&copy, &mark, theirs))
}

/// Its child would run `main` again, and start a child in turn.
fn a_set_user_id_program_starts_no_process() -> Outcome {
    let (_folder, copy) = set_user_id_copy()?;
    let output = helper::command_of(&copy, "start_child").output()?;
    let printed = String::from_utf8(output.stdout)?;
    assert!(
        printed.starts_with("this program cannot start processes: it has more rights than"),
        "{printed}"
    );
    Ok(())
}

/// This program, in a file that makes whoever runs it nobody.
fn set_user_id_copy() -> Result<(TempDir, PathBuf), Box<dyn Error>> {
    let folder = TempDir::new()?;
    let copy = folder.path().join("copy");
    fs::copy("/proc/self/exe", &copy)?;
    let nobody = User::from_name("nobody")?.ok_or("there is no user nobody")?;
    chown(&copy, Some(nobody.uid), None)?;
    fs::set_permissions(&copy, Permissions::from_mode(0o4755))?;
    fs::set_permissions(folder.path(), Permissions::from_mode(0o755))?;
    Ok((folder, copy))
}
