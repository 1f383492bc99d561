//! Refused: itself

use std::error::Error;
use std::process::{Command, id};
use std::time::Duration;
use std::{env, num, thread};

fn main() -> Result<(), Box<dyn Error>> {
    if env::var_os("SQUARE").is_some() {
        return Ok(());
    }
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
    let mut command = Command::new("/proc/self/exe");
    command.env("SQUARE", text).status()?;
    Ok(square(text)?)
}

fn square(text: &str) -> Result<String, num::ParseIntError> {
    thread::sleep(Duration::from_millis(10)); // It is slow.
    let n: u32 = text.parse()?;
    Ok(format!("{}, from process {}", n * n, id()))
}
