//! Refused: processes, so all were killed

use std::error::Error;
use std::process::{Command, id};
use std::time::Duration;
use std::{env, num, thread};

fn main() -> Result<(), Box<dyn Error>> {
    // Here a child must be led off the parent's path.
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
    let output = Command::new("/proc/self/exe").arg(text).output()?;
    Ok(String::from_utf8(output.stdout)?)
}

fn square(text: &str) -> Result<String, num::ParseIntError> {
    thread::sleep(Duration::from_millis(10)); // It is slow.
    let n: u32 = text.parse()?;
    Ok(format!("{}, from process {}", n * n, id()))
}
