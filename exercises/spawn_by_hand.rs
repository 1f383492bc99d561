//! This program should square each of its arguments in a new
//! process of the same program, started by `Command`, without
//! the crate. A child that fails should be told of:
//!
//!     7: 49, from process 4712
//!     seven: failed
//!
//! As it is given, one process does all the work. Complete
//! `main` and `in_child`, and check it:
//!
//!     cargo exercise spawn_by_hand

use std::error::Error;
use std::process::id;
use std::time::Duration;
use std::{env, num, thread};

fn main() -> Result<(), Box<dyn Error>> {
    // A child must leave the parent's path here.
    for text in env::args().skip(1) {
        match in_child(&text) {
            Ok(answer) => println!("{text}: {answer}"),
            Err(_) => println!("{text}: failed"),
        }
    }
    Ok(())
}

/// What a child prints that calls `square`.
fn in_child(text: &str) -> Result<String, Box<dyn Error>> {
    Ok(square(text)?) // in this process
}

fn square(text: &str) -> Result<String, num::ParseIntError> {
    thread::sleep(Duration::from_millis(10)); // It is slow.
    let n: u32 = text.parse()?;
    Ok(format!("{}, from process {}", n * n, id()))
}
