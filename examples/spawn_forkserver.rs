//! A small fork server: a process with one thread, which
//! forks a child on request.
//!
//!     cargo run --example spawn_forkserver

use multiprocessing::{Descriptor, Process};
use nix::sys::wait::waitpid;
use nix::unistd::{ForkResult, fork, getpid, getppid};
use std::error::Error;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::process::exit;

fn main() -> Result<(), Box<dyn Error>> {
    multiprocessing::init();
    println!("Parent: process id {}", getpid());
    let (mut ours, theirs) = UnixStream::pair()?;
    let server = Process::spawn(serve, theirs.into())?;
    for _ in 0..2 {
        ours.write_all(b"?")?; // a child, please
        ours.read_exact(&mut [0])?; // it has ended
    }
    drop(ours);
    server.join()?;
    Ok(())
}

fn serve(socket: Descriptor) {
    let mut socket = UnixStream::from(socket.into_fd());
    while socket.read_exact(&mut [0]).is_ok() {
        // SAFETY: the server has one thread.
        match unsafe { fork() }.expect("a child") {
            ForkResult::Child => {
                child();
                exit(0)
            }
            ForkResult::Parent { child } => {
                waitpid(child, None).expect("its end");
                socket.write_all(b".").expect("a parent");
            }
        }
    }
}

fn child() {
    println!("Child: process id {}", getpid());
    println!("Child: its parent has id {}", getppid());
}
