//! How many writes a line takes.
//!
//!     cargo run --example pool_lines

use multiprocessing::{Descriptor, Error, Pool};
use nix::unistd::{dup2_stderr, dup2_stdout};
use std::os::unix::net::UnixDatagram;

fn main() -> Result<(), Error> {
    multiprocessing::init();
    let (ours, theirs) = UnixDatagram::pair()?;
    let one = Pool::builder().workers(1);
    let one = one.initializer(redirect, theirs.into());
    let pool = one.build()?;
    for print in [with_println, with_eprintln, in_one_piece] {
        pool.apply(print, (2, 3))?;
        println!("{}", writes(&ours)?.join(" | "));
    }
    Ok(())
}

/// What one write has written, one read gets from this socket.
fn redirect(socket: Descriptor) {
    dup2_stdout(&socket).expect("it is open");
    dup2_stderr(&socket).expect("it is open");
}

// ANCHOR: prints
fn with_println((a, b): (u32, u32)) {
    println!("{a} plus {b} is {}", a + b);
}

fn with_eprintln((a, b): (u32, u32)) {
    eprintln!("{a} plus {b} is {}", a + b);
}

fn in_one_piece((a, b): (u32, u32)) {
    let line = format!("{a} plus {b} is {}\n", a + b);
    eprint!("{line}");
}
// ANCHOR_END: prints

fn writes(to: &UnixDatagram) -> Result<Vec<String>, Error> {
    let (mut all, mut buffer) = (vec![], [b' '; 100]);
    while !buffer.contains(&b'\n') {
        let n = to.recv(&mut buffer)?;
        all.push(buffer[..n].escape_ascii().to_string());
    }
    Ok(all)
}
