//! Who has printed what. The filter of [`refuse`](crate::refuse) stops a program before each write
//! to its standard output. Its memory then still holds what it is about to write.

use super::Running;
use crate::hang;
use nix::libc;
use nix::unistd::Pid;
use std::fs::{self, File};
use std::os::fd::AsRawFd;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;

/// More than this of one process is not kept.
const MOST_KEPT: usize = 1 << 16;

impl Running {
    pub(super) fn is_about_to_print(&mut self, pid: i32, thread: Pid, call: &[u64]) {
        let text = about_to_write(thread, call).unwrap_or_default();
        if let Some(process) = self.find(Pid::from_raw(pid))
            && process.printed.len() < MOST_KEPT
        {
            process.printed += &text;
        }
    }

    /// Whether a descriptor of a process is the program's standard output, or a copy of it. The two
    /// ends of a pipe have one name.
    pub(super) fn is_output(&self, pid: i32, descriptor: u64) -> bool {
        let Some(reader) = &self.stdout else { return false };
        let own = fs::read_link(format!("/proc/self/fd/{}", reader.as_raw_fd()));
        own.is_ok_and(|own: PathBuf| {
            fs::read_link(format!("/proc/{pid}/fd/{descriptor}")).is_ok_and(|other| other == own)
        })
    }
}

/// What a thread that stands before write(2) or writev(2) will write (/proc/PID/mem).
fn about_to_write(thread: Pid, call: &[u64]) -> Option<String> {
    let memory = File::open(format!("/proc/{thread}/mem")).ok()?;
    let read = |address, length: u64| {
        let mut bytes = vec![0; (length as usize).min(MOST_KEPT)];
        memory.read_exact_at(&mut bytes, address).ok().map(|()| bytes)
    };
    let &[number, _, address, length, ..] = call else { return None };
    let bytes = match number {
        hang::WRITE_PIECES => {
            let pieces = read(address, length.saturating_mul(size_of::<libc::iovec>() as u64))?;
            let word = |bytes: &[u8]| bytes.try_into().map(u64::from_ne_bytes).ok();
            let pieces = pieces.chunks_exact(size_of::<libc::iovec>()).map(|piece| {
                let (address, length) = piece.split_at(piece.len() / 2);
                read(word(address)?, word(length)?)
            });
            pieces.collect::<Option<Vec<_>>>()?.concat()
        }
        _ => read(address, length)?,
    };
    Some(String::from_utf8_lossy(&bytes).into_owned())
}
