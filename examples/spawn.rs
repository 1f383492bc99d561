//! A function runs in a process of its own: a new one, that
//! starts this program again.
//!
//!     cargo run --example spawn

use multiprocessing::{Error, Process};

fn main() -> Result<(), Error> {
    multiprocessing::init();
    println!("Parent process id: {}", std::process::id());
    println!("Create child process.");
    let p = Process::spawn(child_process, ())?;
    let pid = p.pid();
    p.join()?;
    println!("Created child process with pid: {pid}");
    Ok(())
}

fn child_process(_: ()) {
    println!("Child process id: {}", std::process::id());
}
