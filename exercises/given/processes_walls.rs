//! This program should print the square root of each argument.
//! The function `root` stands for a C library that crashes at a
//! number below 0. Each number should have a process of its
//! own, so that a crash is a line and not the end:
//!
//!     9: 3
//!     -1: crashed
//!     16: 4
//!
//! As it is given, it uses threads, and the one that crashes
//! ends them all. Mend it, and check it:
//!
//!     cargo exercise processes_walls

use std::time::Duration;
use std::{env, num, process, thread};

fn main() -> Result<(), num::ParseIntError> {
    for argument in env::args().skip(1) {
        let number: i64 = argument.parse()?;
        let thread = thread::spawn(move || root(number));
        match thread.join() {
            Ok(root) => println!("{number}: {root}"),
            Err(_) => println!("{number}: crashed"),
        }
    }
    Ok(())
}

/// Nothing is to be changed in it.
fn root(number: i64) -> i64 {
    thread::sleep(Duration::from_millis(10)); // It is slow.
    if number < 0 {
        process::abort();
    }
    number.isqrt()
}
