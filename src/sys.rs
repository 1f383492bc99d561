//! The few system calls that nix lacks.

pub mod deadline;
pub mod futex;
pub mod mapping;
pub mod memfd;
pub mod mutex;
pub mod packet;
pub mod process_id;

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, fcntl};
use nix::spawn::{PosixSpawnAttr, PosixSpawnFileActions, PosixSpawnFlags, posix_spawn};
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{Id, WaitPidFlag, waitid, waitpid};
use nix::unistd::Pid;
use std::ffi::{CStr, CString, c_int, c_void};
use std::fs;
use std::io;
use std::mem::MaybeUninit;
use std::ops::Range;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::fs::MetadataExt;
use std::ptr;
use std::sync::{Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

/// A program to start.
pub struct Program<'a> {
    pub path: &'a CStr,
    pub arguments: Vec<CString>,
    pub environment: Vec<CString>,
    pub directory: Option<CString>,
    /// The descriptors that the new program has open, each with its number there. Its standard
    /// output and error are this process's unless they are listed; all others are closed.
    pub descriptors: Vec<(BorrowedFd<'a>, RawFd)>,
    /// The signals that are blocked from its first instruction on.
    pub blocked: &'a [Signal],
    /// Whether it starts a session of its own (setsid(2)).
    pub own_session: bool,
}

impl Program<'_> {
    /// Starts it, with an empty standard input.
    ///
    /// This uses `posix_spawn(3)`, which is safe in a program with threads and copies no page
    /// tables. SIGPIPE and SIGCHLD get their defaults back: Rust ignores the first, and a
    /// program that ignores the second cannot wait for its own children.
    pub fn start(&self) -> io::Result<Pid> {
        let copy = |(descriptor, _): &_| copy_from(*descriptor, self.first_free());
        let copies = self.descriptors.iter().map(copy).collect::<io::Result<Vec<_>>>()?;
        let actions = self.actions(&copies)?;
        let session = if self.own_session { libc::POSIX_SPAWN_SETSID } else { 0 };
        let mut attributes = PosixSpawnAttr::init()?;
        attributes.set_sigmask(&self.blocked.iter().copied().collect())?;
        attributes.set_sigdefault(&[Signal::SIGPIPE, Signal::SIGCHLD].into_iter().collect())?;
        attributes.set_flags(
            PosixSpawnFlags::POSIX_SPAWN_SETSIGMASK
                | PosixSpawnFlags::POSIX_SPAWN_SETSIGDEF
                | PosixSpawnFlags::from_bits_retain(session.into()),
        )?;
        Ok(posix_spawn(self.path, &actions, &attributes, &self.arguments, &self.environment)?)
    }

    /// What the new process does before it runs the program. `copies` are the copies of
    /// `descriptors` whose numbers are free there.
    fn actions(&self, copies: &[OwnedFd]) -> io::Result<PosixSpawnFileActions> {
        let mut actions = PosixSpawnFileActions::init()?;
        // nix lacks most of these calls. Its type is a transparent wrapper of libc's.
        let raw = (&raw mut actions).cast::<libc::posix_spawn_file_actions_t>();
        for (copy, (_, number)) in copies.iter().zip(&self.descriptors) {
            let copy = copy.as_raw_fd();
            // SAFETY: `raw` points to the local `actions`, which `init` has initialised.
            check(unsafe { libc::posix_spawn_file_actions_adddup2(raw, copy, *number) })?;
        }
        let (number, null, flags) = (libc::STDIN_FILENO, c"/dev/null".as_ptr(), libc::O_RDONLY);
        // SAFETY: as above, and the path, a C string, is copied during the call.
        check(unsafe { libc::posix_spawn_file_actions_addopen(raw, number, null, flags, 0) })?;
        if let Some(directory) = &self.directory {
            let path = directory.as_ptr();
            // SAFETY: the same.
            check(unsafe { libc::posix_spawn_file_actions_addchdir_np(raw, path) })?;
        }
        let first = self.first_free();
        // SAFETY: as above.
        check(unsafe { libc::posix_spawn_file_actions_addclosefrom_np(raw, first) })?;
        Ok(actions)
    }

    /// The first number above those that the new program has open.
    fn first_free(&self) -> RawFd {
        let numbers = self.descriptors.iter().map(|(_, number)| *number);
        1 + numbers.max().unwrap_or(libc::STDERR_FILENO)
    }
}

/// A copy whose number is at least `first`, and which is closed in what this process starts.
fn copy_from(descriptor: BorrowedFd, first: RawFd) -> io::Result<OwnedFd> {
    let copy = fcntl(descriptor, FcntlArg::F_DUPFD_CLOEXEC(first))?;
    // SAFETY: the kernel has just made it for this call, so nothing else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(copy) })
}

/// Whether this program has more rights than the user who started it: it is set-user-ID, or its
/// file has capabilities (`AT_SECURE` in getauxval(3)).
pub fn has_rights_of_its_own() -> bool {
    // SAFETY: it takes any number and only reads.
    unsafe { libc::getauxval(libc::AT_SECURE) != 0 }
}

/// Whether this program was started as an argument of the dynamic loader (ld.so(8)). Then the
/// system has loaded no interpreter, although the program asks for one.
pub fn was_started_by_loader() -> bool {
    // SAFETY: it takes any number and only reads.
    let has_no_interpreter = unsafe { libc::getauxval(libc::AT_BASE) == 0 };
    has_no_interpreter && segments().any(|segment| segment.kind == libc::PT_INTERP)
}

/// Whether this process's children are in another PID namespace than the process itself, as
/// they are after `unshare(CLONE_NEWPID)`. Until the first child exists, the second file cannot
/// be read (pid_namespaces(7)).
pub fn children_are_in_another_namespace() -> bool {
    let number = |name| fs::metadata(name).map(|namespace| namespace.ino()).ok();
    number("/proc/self/ns/pid") != number("/proc/self/ns/pid_for_children")
}

/// A descriptor for a process (pidfd_open(2)). It is readable when the process has ended, and
/// closed in what this process starts.
pub fn pidfd_open(pid: Pid) -> io::Result<OwnedFd> {
    // SAFETY: it takes any number, and touches no memory of this process.
    let descriptor = unsafe { libc::syscall(libc::SYS_pidfd_open, pid.as_raw(), 0) };
    let descriptor = Errno::result(descriptor)? as RawFd;
    // SAFETY: the kernel has just made it for this call, so nothing else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(descriptor) })
}

/// Sends a signal to this process and no other (pidfd_send_signal(2)).
pub fn pidfd_send_signal(process: BorrowedFd, signal: c_int) -> io::Result<()> {
    let descriptor = process.as_raw_fd();
    let none = ptr::null::<libc::siginfo_t>();
    // SAFETY: it reads no memory: with a null pointer, the kernel fills in the information.
    let sent = unsafe { libc::syscall(libc::SYS_pidfd_send_signal, descriptor, signal, none, 0) };
    Ok(Errno::result(sent).map(drop)?)
}

/// Kills and reaps a child of this process without a pidfd. If the pid is not that of an unreaped
/// child, it may be another process's, and this does nothing.
pub fn kill_and_reap(pid: Pid) {
    if is_unreaped_child(Id::Pid(pid)) {
        let _ = kill(pid, Signal::SIGKILL);
        while waitpid(pid, None) == Err(Errno::EINTR) {}
    }
}

/// Whether this is a child of this process that has not been reaped.
pub fn is_unreaped_child(id: Id) -> bool {
    let look = WaitPidFlag::WEXITED | WaitPidFlag::WNOHANG | WaitPidFlag::WNOWAIT;
    waitid(id, look) != Err(Errno::ECHILD)
}

/// Waits for a child and reaps it. Returns how it ended (`CLD_EXITED` or another code) and its
/// exit status or signal (waitid(2)). This is not nix's `waitid`, which fails on real-time
/// signals.
pub fn wait_for_end(pidfd: BorrowedFd) -> io::Result<(c_int, c_int)> {
    let mut end = MaybeUninit::<libc::siginfo_t>::zeroed();
    let id = pidfd.as_raw_fd() as libc::id_t;
    // SAFETY: `end` is a local variable of the type that `waitid` writes.
    let waited = unsafe { libc::waitid(libc::P_PIDFD, id, end.as_mut_ptr(), libc::WEXITED) };
    Errno::result(waited)?;
    // SAFETY: a `siginfo_t` is plain numbers, so the zeroes were already a value.
    let end = unsafe { end.assume_init() };
    // SAFETY: `waitid` has succeeded, and so has set this field of the union.
    Ok((end.si_code, unsafe { end.si_status() }))
}

/// Whether an address is in the code of the program itself, not in its data or in a shared
/// library.
pub fn is_code_of_executable(address: usize) -> bool {
    static CODE: OnceLock<Vec<Range<usize>>> = OnceLock::new(); // a pool asks for each task
    let is_code = |of: &Segment| of.kind == libc::PT_LOAD && of.flags & libc::PF_X != 0;
    let code = || segments().filter(is_code).map(|segment| segment.memory).collect();
    CODE.get_or_init(code).iter().any(|memory| memory.contains(&address))
}

/// A segment of the executable, with its type and its flags (elf(5)).
struct Segment {
    memory: Range<usize>,
    kind: u32,
    flags: u32,
}

fn segments() -> impl Iterator<Item = Segment> {
    let mut executable = MaybeUninit::<libc::dl_phdr_info>::zeroed();
    // SAFETY: `copy_first` gets this pointer during the call only, while `executable` lives.
    unsafe { libc::dl_iterate_phdr(Some(copy_first), executable.as_mut_ptr().cast()) };
    // SAFETY: its fields are numbers and raw pointers, so the zeroes were already a value.
    let executable = unsafe { executable.assume_init() };
    let (first, count) = (executable.dlpi_phdr, executable.dlpi_phnum.into());
    // SAFETY: the loader has mapped `dlpi_phnum` headers there. They are never written, and stay
    // mapped as long as the program runs.
    let headers = unsafe { std::slice::from_raw_parts(first, count) };
    headers.iter().map(move |header| {
        let start = executable.dlpi_addr as usize + header.p_vaddr as usize;
        let memory = start..start + header.p_memsz as usize;
        Segment { memory, kind: header.p_type, flags: header.p_flags }
    })
}

/// Copies what it is called with first, the executable (dl_iterate_phdr(3)), and ends the
/// iteration.
///
/// # Safety
///
/// `info` is valid, and `copy` is where a `dl_phdr_info` may be written.
unsafe extern "C" fn copy_first(
    info: *mut libc::dl_phdr_info,
    _: usize,
    copy: *mut c_void,
) -> c_int {
    // SAFETY: as the caller promises: `dl_iterate_phdr` for `info`, `segments` for `copy`. They
    // do not overlap, because `copy` is a local variable.
    unsafe { copy.cast::<libc::dl_phdr_info>().copy_from_nonoverlapping(info, 1) };
    1
}

/// Bytes that nobody can guess (getrandom(2)).
pub fn random<const LENGTH: usize>() -> io::Result<[u8; LENGTH]> {
    const { assert!(LENGTH <= 256, "more may come in pieces") };
    let mut bytes = [0; LENGTH];
    // SAFETY: it writes at most LENGTH bytes, and `bytes`, a local variable, has as many.
    let got = unsafe { libc::getrandom(bytes.as_mut_ptr().cast(), LENGTH, 0) };
    Errno::result(got)?;
    Ok(bytes)
}

/// Locks a mutex. The data of this crate's mutexes is whole even after a panic.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Waits on a condition variable, at most for this time.
pub fn wait_on<'a, T>(
    changed: &Condvar,
    guard: MutexGuard<'a, T>,
    time: Option<Duration>,
) -> MutexGuard<'a, T> {
    let limit = time.unwrap_or(Duration::MAX);
    changed.wait_timeout(guard, limit).unwrap_or_else(PoisonError::into_inner).0
}

/// For functions that return an error number instead of setting errno.
fn check(error: c_int) -> io::Result<()> {
    match error {
        0 => Ok(()),
        number => Err(io::Error::from_raw_os_error(number)),
    }
}
