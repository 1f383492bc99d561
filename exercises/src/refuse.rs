//! Refuses a program one system call: `kill(-1, …)`, which would signal every process of its user,
//! and for root every process of the machine (seccomp(2)).

use libc::{
    BPF_ABS, BPF_JEQ, BPF_JMP, BPF_K, BPF_LD, BPF_RET, BPF_W, SECCOMP_RET_ALLOW, SECCOMP_RET_ERRNO,
    SYS_kill, sock_filter, sock_fprog,
};
use nix::errno::Errno;
use std::io;
use std::mem::offset_of;

/// Everybody (kill(2)).
const EVERYBODY: u32 = -1i32 as u32;

/// For this process and all that it starts, for ever.
pub fn kill_everybody() -> io::Result<()> {
    let mut program = filter();
    let filter = sock_fprog { len: program.len() as u16, filter: program.as_mut_ptr() };
    // SAFETY: it takes numbers.
    let gives_up = unsafe { libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) };
    Errno::result(gives_up)?;
    let mode = libc::SECCOMP_MODE_FILTER;
    // SAFETY: `filter` points to the local `program`, with its length. The kernel copies both.
    let set = unsafe { libc::prctl(libc::PR_SET_SECCOMP, mode, &raw const filter) };
    Errno::result(set)?;
    Ok(())
}

/// Is it kill? Is its first argument -1? Then EPERM.
fn filter() -> [sock_filter; 6] {
    let load = |offset| statement(BPF_LD | BPF_W | BPF_ABS, offset as u32);
    let or_skip =
        |value, skipped| sock_filter { jf: skipped, ..statement(BPF_JMP | BPF_JEQ | BPF_K, value) };
    [
        load(offset_of!(libc::seccomp_data, nr)),
        or_skip(SYS_kill as u32, 3),
        load(offset_of!(libc::seccomp_data, args)), // the lower half, on a little-endian machine
        or_skip(EVERYBODY, 1),
        statement(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | libc::EPERM as u32),
        statement(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    ]
}

fn statement(code: u32, value: u32) -> sock_filter {
    sock_filter { code: code as u16, jt: 0, jf: 0, k: value }
}
