//! What the parent is told when the child's function does
//! not return.
//!
//!     cargo run --example spawn_failed

use multiprocessing::{Error, Process};
use nix::sys::signal::{Signal, raise};

fn main() -> Result<(), Error> {
    multiprocessing::init();
    for function in [panics, exits, is_killed] {
        match Process::spawn(function, 7)?.join() {
            Ok(number) => println!("returned {number}"),
            Err(error) => println!("{error}"),
        }
    }
    Ok(())
}

fn panics(number: i32) -> i32 {
    panic!("cannot work with {number}");
}

fn exits(number: i32) -> i32 {
    std::process::exit(number)
}

fn is_killed(number: i32) -> i32 {
    let _ = raise(Signal::SIGKILL);
    number
}
