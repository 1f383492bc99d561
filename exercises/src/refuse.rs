//! Refuses a program a few system calls (seccomp(2)): those by which it would harm others than
//! itself, or hide from the checker. Stops it before others, by which it prints or sleeps.
//!
//! The kernel runs the filter at each system call. It is a list of blocks. Each loads the call's
//! number, and skips to the next block if that is not its own.

use libc::{
    BPF_ABS, BPF_JEQ, BPF_JMP, BPF_JSET, BPF_K, BPF_LD, BPF_RET, BPF_W, CLONE_UNTRACED, ENOSYS,
    EPERM, SECCOMP_RET_ALLOW, SECCOMP_RET_ERRNO, SECCOMP_RET_TRACE, SYS_clock_nanosleep, SYS_clone,
    SYS_clone3, SYS_kill, SYS_nanosleep, SYS_ptrace, SYS_write, SYS_writev, c_int, c_long,
    sock_filter, sock_fprog,
};
use nix::errno::Errno;
use std::io;
use std::mem::offset_of;
use std::process;

/// Every process of this user, and for root every process of the machine (kill(2)).
const EVERYBODY: u32 = -1i32 as u32;

pub struct Refusals(Vec<sock_filter>);

impl Refusals {
    pub fn all() -> Self {
        let stop = statement(BPF_RET | BPF_K, SECCOMP_RET_TRACE);
        let blocks = [
            if_first(SYS_kill, BPF_JEQ, EVERYBODY, refuse(EPERM)),
            if_first(SYS_kill, BPF_JEQ, process::id(), refuse(EPERM)), // the checker
            if_first(SYS_clone, BPF_JSET, CLONE_UNTRACED as u32, refuse(EPERM)),
            always(SYS_write, stop),
            always(SYS_writev, stop),
            always(SYS_nanosleep, stop),
            always(SYS_clock_nanosleep, stop),
            always(SYS_clone3, refuse(ENOSYS)), // whoever gets this takes clone
            always(SYS_ptrace, refuse(EPERM)),
            vec![statement(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)],
        ];
        Self(blocks.concat())
    }

    /// For the calling process and all that it starts, for ever. It only makes system calls.
    pub fn set(&self) -> io::Result<()> {
        let filter = sock_fprog { len: self.0.len() as u16, filter: self.0.as_ptr().cast_mut() };
        // SAFETY: it takes numbers.
        let gives_up = unsafe { libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) };
        Errno::result(gives_up)?;
        let mode = libc::SECCOMP_MODE_FILTER;
        // SAFETY: `filter` points to the blocks of `self`, with their number. The kernel copies both,
        // and changes neither.
        let set = unsafe { libc::prctl(libc::PR_SET_SECCOMP, mode, &raw const filter) };
        Errno::result(set)?;
        Ok(())
    }
}

/// For a call whose first argument passes a test.
fn if_first(call: c_long, test: u32, value: u32, then: sock_filter) -> Vec<sock_filter> {
    vec![
        load(offset_of!(libc::seccomp_data, nr)),
        or_skip(BPF_JEQ, call as u32, 3),
        load(offset_of!(libc::seccomp_data, args)), // the lower half, on a little-endian machine
        or_skip(test, value, 1),
        then,
    ]
}

fn always(call: c_long, then: sock_filter) -> Vec<sock_filter> {
    vec![load(offset_of!(libc::seccomp_data, nr)), or_skip(BPF_JEQ, call as u32, 1), then]
}

fn load(offset: usize) -> sock_filter {
    statement(BPF_LD | BPF_W | BPF_ABS, offset as u32)
}

fn or_skip(test: u32, value: u32, skipped: u8) -> sock_filter {
    sock_filter { jf: skipped, ..statement(BPF_JMP | test | BPF_K, value) }
}

fn refuse(error: c_int) -> sock_filter {
    statement(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error as u32)
}

fn statement(code: u32, value: u32) -> sock_filter {
    sock_filter { code: code as u16, jt: 0, jf: 0, k: value }
}
