//! The child fills a list; the parent's list stays empty.
//!
//!     cargo run --example fork_memory

use nix::sys::wait::waitpid;
use nix::unistd::{ForkResult, fork};
use std::sync::Mutex;

static RESULT: Mutex<Vec<i32>> = Mutex::new(Vec::new());

fn main() -> nix::Result<()> {
    // SAFETY: this program has one thread.
    match unsafe { fork() }? {
        ForkResult::Child => {
            square_list(&[1, 2, 3, 4]);
        }
        ForkResult::Parent { child } => {
            waitpid(child, None)?;
            show("main program");
        }
    }
    Ok(())
}

fn square_list(numbers: &[i32]) {
    for number in numbers {
        let mut result = RESULT.lock().expect("no panic");
        result.push(number * number);
    }
    show("process p1");
}

fn show(place: &str) {
    let result = RESULT.lock().expect("no panic");
    println!("Result(in {place}): {result:?}");
}
