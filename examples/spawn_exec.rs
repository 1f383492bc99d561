//! What survives when a process replaces its program.
//!
//!     cargo run --example spawn_exec

use nix::unistd::{dup, execv, getpid};
use std::error::Error;
use std::fs::{File, read_dir, read_link};
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::{env, io};

static COUNTER: AtomicU32 = AtomicU32::new(0);

fn main() -> Result<(), Box<dyn Error>> {
    match env::args().nth(1) {
        None => before(),
        Some(_) => Ok(show("after")?),
    }
}

fn before() -> Result<(), Box<dyn Error>> {
    COUNTER.store(5, Relaxed);
    env::set_current_dir("/")?;
    let file = File::open("/dev/zero")?; // O_CLOEXEC
    let _copy = dup(&file)?; // without O_CLOEXEC
    show("before")?;
    let arguments = [c"spawn_exec", c"after"];
    execv(c"/proc/self/exe", &arguments)?;
    Ok(()) // never reached: execv returns only errors
}

fn show(when: &str) -> io::Result<()> {
    let counter = COUNTER.load(Relaxed);
    let folder = env::current_dir()?;
    let folder = folder.display();
    let open = read_dir("/proc/self/fd")?.flatten();
    let zero = Some(Path::new("/dev/zero"));
    let links = open.map(|f| read_link(f.path()).ok());
    let files = links.filter(|f| f.as_deref() == zero);
    let files = files.count();
    println!("{when}: process {}, in {folder}", getpid());
    println!("  counter {counter}, open files {files}");
    Ok(())
}
