//! The few calls that nix does not have.

pub mod deadline;
pub mod futex;
pub mod mapping;
pub mod memfd;
pub mod mutex;
pub mod packet;
pub mod process_id;

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, fcntl};
use nix::sys::signal::{SigSet, Signal};
use nix::sys::wait::{Id, WaitPidFlag, waitid};
use nix::unistd::Pid;
use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::fs;
use std::io;
use std::mem::MaybeUninit;
use std::ops::Range;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::fs::MetadataExt;
use std::ptr;

/// A program that is to be started.
pub struct Program<'a> {
    pub path: &'a CStr,
    pub arguments: Vec<CString>,
    pub environment: Vec<CString>,
    pub directory: Option<CString>,
    /// What the new program has open, by its number there; everything else is closed.
    /// Its numbers 1 and 2 are this process's if they are not here.
    pub descriptors: Vec<(BorrowedFd<'a>, RawFd)>,
    /// The signals that are blocked from its first instruction on.
    pub blocked: &'a [Signal],
    /// setsid(2)
    pub own_session: bool,
}

impl Program<'_> {
    /// Starts it, with an empty standard input.
    ///
    /// By `posix_spawn(3)`, which is safe in a program with threads and does not copy
    /// page tables. SIGPIPE and SIGCHLD have their defaults again: Rust ignores the one,
    /// and with the other ignored, the new program could not wait for its own children.
    pub fn start(&self) -> io::Result<Pid> {
        let copy = |(descriptor, _): &_| copy_from(*descriptor, self.first_free());
        let copies = self.descriptors.iter().map(copy).collect::<io::Result<Vec<_>>>()?;
        let actions = self.actions(&copies)?;
        let attributes = Attributes::new(self.blocked, self.own_session)?;
        let (arguments, environment) = (pointers(&self.arguments), pointers(&self.environment));
        let mut pid = 0;
        // SAFETY: all pointers are valid during the call, and both lists end with
        // a null pointer.
        check(unsafe {
            libc::posix_spawn(
                &mut pid,
                self.path.as_ptr(),
                &actions.0,
                &attributes.0,
                arguments.as_ptr(),
                environment.as_ptr(),
            )
        })?;
        Ok(Pid::from_raw(pid))
    }

    /// `copies` are those of `descriptors`, out of the way of their new numbers.
    fn actions(&self, copies: &[OwnedFd]) -> io::Result<FileActions> {
        let mut actions = FileActions::new()?;
        for (copy, (_, number)) in copies.iter().zip(&self.descriptors) {
            actions.duplicate(copy.as_raw_fd(), *number)?;
        }
        actions.open_null(libc::STDIN_FILENO)?;
        if let Some(directory) = &self.directory {
            actions.change_directory(directory)?;
        }
        actions.close_from(self.first_free())?;
        Ok(actions)
    }

    fn first_free(&self) -> RawFd {
        let numbers = self.descriptors.iter().map(|(_, number)| *number);
        1 + numbers.max().unwrap_or(libc::STDERR_FILENO)
    }
}

/// A copy with a number of at least `first`, closed in what this process starts.
fn copy_from(descriptor: BorrowedFd, first: RawFd) -> io::Result<OwnedFd> {
    let copy = fcntl(descriptor, FcntlArg::F_DUPFD_CLOEXEC(first))?;
    // SAFETY: the kernel made it for this call.
    Ok(unsafe { OwnedFd::from_raw_fd(copy) })
}

/// Whether this program runs with more rights than whoever started it: set-user-ID, or
/// capabilities of its file (`AT_SECURE` in getauxval(3)).
pub fn has_rights_of_its_own() -> bool {
    // SAFETY: it takes any number.
    unsafe { libc::getauxval(libc::AT_SECURE) != 0 }
}

/// Whether this program was started as an argument of the dynamic loader (ld.so(8)):
/// then the system has loaded no interpreter, though the program asks for one.
pub fn was_started_by_loader() -> bool {
    // SAFETY: it takes any number.
    let has_no_interpreter = unsafe { libc::getauxval(libc::AT_BASE) == 0 };
    has_no_interpreter && any_segment(|_, segment, _| segment == libc::PT_INTERP)
}

/// Whether the children of this process get into another PID namespace than its own:
/// after `unshare(CLONE_NEWPID)`. The second file cannot be read before there is a child
/// (pid_namespaces(7)).
pub fn children_are_in_another_namespace() -> bool {
    let number = |name| fs::metadata(name).map(|namespace| namespace.ino()).ok();
    number("/proc/self/ns/pid") != number("/proc/self/ns/pid_for_children")
}

/// A descriptor that stands for a process: readable when it has ended
/// (pidfd_open(2)). It is closed in what this process starts.
pub fn pidfd_open(pid: Pid) -> io::Result<OwnedFd> {
    // SAFETY: it takes any number.
    let descriptor = unsafe { libc::syscall(libc::SYS_pidfd_open, pid.as_raw(), 0) };
    match RawFd::try_from(descriptor) {
        Ok(-1) | Err(_) => Err(io::Error::last_os_error()),
        // SAFETY: the kernel made it for this call.
        Ok(descriptor) => Ok(unsafe { OwnedFd::from_raw_fd(descriptor) }),
    }
}

/// Sends a signal to that process and no other (pidfd_send_signal(2)).
pub fn pidfd_send_signal(process: BorrowedFd, signal: c_int) -> io::Result<()> {
    let descriptor = process.as_raw_fd();
    let none = ptr::null::<libc::siginfo_t>();
    // SAFETY: a null pointer stands for the usual information.
    match unsafe { libc::syscall(libc::SYS_pidfd_send_signal, descriptor, signal, none, 0) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Whether this is a child of this process that was not reaped yet.
pub fn is_unreaped_child(id: Id) -> bool {
    let look = WaitPidFlag::WEXITED | WaitPidFlag::WNOHANG | WaitPidFlag::WNOWAIT;
    waitid(id, look) != Err(Errno::ECHILD)
}

/// Waits for a child, and reaps it. Returns how it ended (`CLD_EXITED` or another)
/// and its exit status or signal (waitid(2)). nix knows no real-time signals.
pub fn wait_for_end(pidfd: BorrowedFd) -> io::Result<(c_int, c_int)> {
    let mut end = MaybeUninit::<libc::siginfo_t>::zeroed();
    let id = pidfd.as_raw_fd() as libc::id_t;
    // SAFETY: `waitid` writes to the memory it is given.
    match unsafe { libc::waitid(libc::P_PIDFD, id, end.as_mut_ptr(), libc::WEXITED) } {
        0 => {
            // SAFETY: it was written, and zeroes are valid, too.
            let end = unsafe { end.assume_init() };
            // SAFETY: `waitid` sets this field.
            Ok((end.si_code, unsafe { end.si_status() }))
        }
        _ => Err(io::Error::last_os_error()),
    }
}

/// Whether an address is in the code of the program itself: not in its data,
/// and not in a shared library.
pub fn is_code_of_executable(address: usize) -> bool {
    any_segment(|memory, segment, flags| {
        segment == libc::PT_LOAD && flags & libc::PF_X != 0 && memory.contains(&address)
    })
}

/// Whether this holds for a segment of the executable, given where it lies in memory,
/// its type and its flags (elf(5)).
fn any_segment(holds: impl Fn(Range<usize>, u32, u32) -> bool) -> bool {
    let mut executable = MaybeUninit::<libc::dl_phdr_info>::zeroed();
    // SAFETY: `copy_first` gets this pointer, while `executable` lives.
    unsafe { libc::dl_iterate_phdr(Some(copy_first), executable.as_mut_ptr().cast()) };
    // SAFETY: it was copied; zeroes are valid, too.
    let executable = unsafe { executable.assume_init() };
    let (first, count) = (executable.dlpi_phdr, executable.dlpi_phnum.into());
    // SAFETY: `dlpi_phnum` headers are there, as long as the program runs.
    let segments = unsafe { std::slice::from_raw_parts(first, count) };
    segments.iter().any(|segment| {
        let start = executable.dlpi_addr as usize + segment.p_vaddr as usize;
        holds(start..start + segment.p_memsz as usize, segment.p_type, segment.p_flags)
    })
}

/// Called for the executable first (dl_iterate_phdr(3)); ends the iteration.
unsafe extern "C" fn copy_first(
    info: *mut libc::dl_phdr_info,
    _: usize,
    copy: *mut c_void,
) -> c_int {
    // SAFETY: dl_iterate_phdr gives a valid `info`, and `copy` as `any_segment` passed it.
    unsafe { copy.cast::<libc::dl_phdr_info>().copy_from_nonoverlapping(info, 1) };
    1
}

fn pointers(strings: &[CString]) -> Vec<*mut c_char> {
    let pointers = strings.iter().map(|string| string.as_ptr().cast_mut());
    pointers.chain([ptr::null_mut()]).collect()
}

/// These functions return an error number instead of setting errno.
fn check(error: c_int) -> io::Result<()> {
    match error {
        0 => Ok(()),
        number => Err(io::Error::from_raw_os_error(number)),
    }
}

struct FileActions(libc::posix_spawn_file_actions_t);

impl FileActions {
    fn new() -> io::Result<Self> {
        let mut actions = MaybeUninit::uninit();
        // SAFETY: `init` writes to the memory it is given.
        check(unsafe { libc::posix_spawn_file_actions_init(actions.as_mut_ptr()) })?;
        // SAFETY: it was initialised without error.
        Ok(Self(unsafe { actions.assume_init() }))
    }

    fn open_null(&mut self, at: RawFd) -> io::Result<()> {
        let (null, read) = (c"/dev/null".as_ptr(), libc::O_RDONLY);
        // SAFETY: `self` is initialised; the path is copied.
        check(unsafe { libc::posix_spawn_file_actions_addopen(&mut self.0, at, null, read, 0) })
    }

    fn duplicate(&mut self, from: RawFd, to: RawFd) -> io::Result<()> {
        // SAFETY: `self` is initialised.
        check(unsafe { libc::posix_spawn_file_actions_adddup2(&mut self.0, from, to) })
    }

    fn change_directory(&mut self, directory: &CStr) -> io::Result<()> {
        let path = directory.as_ptr();
        // SAFETY: `self` is initialised; the path is copied.
        check(unsafe { libc::posix_spawn_file_actions_addchdir_np(&mut self.0, path) })
    }

    fn close_from(&mut self, first: RawFd) -> io::Result<()> {
        // SAFETY: `self` is initialised.
        check(unsafe { libc::posix_spawn_file_actions_addclosefrom_np(&mut self.0, first) })
    }
}

impl Drop for FileActions {
    fn drop(&mut self) {
        // SAFETY: `self` is initialised and not used again.
        unsafe { libc::posix_spawn_file_actions_destroy(&mut self.0) };
    }
}

struct Attributes(libc::posix_spawnattr_t);

impl Attributes {
    fn new(blocked: &[Signal], own_session: bool) -> io::Result<Self> {
        let mut attributes = MaybeUninit::uninit();
        // SAFETY: `init` writes to the memory it is given.
        check(unsafe { libc::posix_spawnattr_init(attributes.as_mut_ptr()) })?;
        // SAFETY: it was initialised without error.
        let mut this = Self(unsafe { attributes.assume_init() });
        this.set(blocked, own_session)?;
        Ok(this)
    }

    fn set(&mut self, blocked: &[Signal], own_session: bool) -> io::Result<()> {
        let blocked: SigSet = blocked.iter().copied().collect();
        let default: SigSet = [Signal::SIGPIPE, Signal::SIGCHLD].into_iter().collect();
        let session = if own_session { i32::from(libc::POSIX_SPAWN_SETSID) } else { 0 };
        let flags = libc::POSIX_SPAWN_SETSIGMASK | libc::POSIX_SPAWN_SETSIGDEF | session;
        // SAFETY: `self` is initialised; the set is copied.
        check(unsafe { libc::posix_spawnattr_setsigmask(&mut self.0, blocked.as_ref()) })?;
        // SAFETY: the same.
        check(unsafe { libc::posix_spawnattr_setsigdefault(&mut self.0, default.as_ref()) })?;
        // SAFETY: the same.
        check(unsafe { libc::posix_spawnattr_setflags(&mut self.0, flags as i16) })
    }
}

impl Drop for Attributes {
    fn drop(&mut self) {
        // SAFETY: `self` is initialised and not used again.
        unsafe { libc::posix_spawnattr_destroy(&mut self.0) };
    }
}
