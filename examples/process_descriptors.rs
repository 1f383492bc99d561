//! Which children have a file open that the parent has
//! opened?
//!
//!     cargo run --example process_descriptors

use multiprocessing::{ForkServer, Process};
use std::error::Error;
use std::fs;
use std::path::Path;

fn main() -> Result<(), Box<dyn Error>> {
    multiprocessing::init();
    let file = fs::File::open("/dev/zero")?;
    // As a C library would: without the flag O_CLOEXEC.
    let _open = nix::unistd::dup(&file)?;

    // SAFETY: this program has one thread.
    let fork = unsafe { Process::fork(|| is_open(())) }?;
    println!("fork: {}", fork.join()?);
    let spawn = Process::spawn(is_open, ())?;
    println!("spawn: {}", spawn.join()?);
    let server = ForkServer::start()?;
    let forkserver = server.spawn(is_open, ())?;
    println!("fork server: {}", forkserver.join()?);
    Ok(())
}

/// Whether this process has the file open.
fn is_open(_: ()) -> bool {
    let open = fs::read_dir("/proc/self/fd").expect("/proc");
    let mut files = open.flatten().map(|f| f.path());
    files.any(|f| {
        fs::read_link(f)
            .is_ok_and(|f| f == Path::new("/dev/zero"))
    })
}
