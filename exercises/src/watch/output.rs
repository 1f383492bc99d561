//! Who has printed what. The filter of [`refuse`](crate::refuse) stops a program before each write
//! to its standard output. Its memory then still holds what it is about to write.

use super::Running;
use nix::unistd::Pid;
use std::fs::{self, File};
use std::os::fd::AsRawFd;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;

/// More than this of one process is not kept.
const MOST_KEPT: usize = 1 << 16;

impl Running {
    pub(super) fn is_about_to_print(&mut self, pid: i32, thread: Pid, address: u64, length: u64) {
        if !self.is_output(pid) {
            return;
        }
        let text = about_to_write(thread, address, length).unwrap_or_default();
        if let Some(process) = self.find(Pid::from_raw(pid))
            && process.printed.len() < MOST_KEPT
        {
            process.printed += &text;
        }
    }

    /// Whether a process's standard output is that of the program. The two ends of a pipe have one
    /// name.
    fn is_output(&self, pid: i32) -> bool {
        let Some(reader) = &self.stdout else { return false };
        let own = fs::read_link(format!("/proc/self/fd/{}", reader.as_raw_fd()));
        own.is_ok_and(|own: PathBuf| {
            fs::read_link(format!("/proc/{pid}/fd/1")).is_ok_and(|other| other == own)
        })
    }
}

/// What a thread that stands before write(2) will write (/proc/PID/mem).
fn about_to_write(thread: Pid, address: u64, length: u64) -> Option<String> {
    let mut bytes = vec![0; (length as usize).min(MOST_KEPT)];
    File::open(format!("/proc/{thread}/mem")).ok()?.read_exact_at(&mut bytes, address).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}
