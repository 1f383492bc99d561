//! Who can still write? /proc names the processes that hold
//! the writing end of a pipe.
//!
//!     cargo run --example pipe_holders
//!
//! Expect: lines 3-4 in any order

use multiprocessing::Process;
use std::error::Error;
use std::fs::{read_dir, read_link};
use std::io::{self, PipeWriter, Read, pipe};
use std::os::fd::AsRawFd;
use std::os::unix::fs::MetadataExt;

fn main() -> Result<(), Box<dyn Error>> {
    let (mut reader, writer) = pipe()?;
    let wait = || reader.read(&mut [0]).is_ok();
    // SAFETY: this program has one thread.
    let child = unsafe { Process::fork(wait) }?;
    println!("the parent has pid {}", std::process::id());
    println!("the child has pid {}", child.pid());
    show_writers(&writer)?;
    child.kill()?; // it waits for itself
    Ok(())
}

fn show_writers(writer: &PipeWriter) -> io::Result<()> {
    let own = format!("/proc/self/fd/{}", writer.as_raw_fd());
    let pipe = read_link(own)?; // such as pipe:[8646]
    for entry in read_dir("/proc")?.flatten() {
        let pid = entry.file_name().to_string_lossy().parse();
        let Ok(pid): Result<u32, _> = pid else {
            continue; // no process
        };
        // Those of other users may not be looked into.
        let fds = read_dir(entry.path().join("fd"));
        for fd in fds.into_iter().flatten().flatten() {
            let link = read_link(fd.path());
            let info = fd.metadata(); // of the link itself
            if link.is_ok_and(|link| link == pipe)
                && info.is_ok_and(|i| i.mode() & 0o200 > 0)
            {
                println!("the writer is open in pid {pid}");
            }
        }
    }
    Ok(())
}
