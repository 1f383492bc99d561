//! Spawn by hand: the program starts itself again and tells
//! the new process by a variable what it is.
//!
//!     cargo run --example spawn_command

use std::error::Error;
use std::io::{Write, stdin};
use std::process::{Command, Stdio, id};
use std::{env, str};

fn main() -> Result<(), Box<dyn Error>> {
    match env::var_os("SQUARE") {
        Some(_) => child(),
        None => parent(),
    }
}

fn parent() -> Result<(), Box<dyn Error>> {
    println!("Parent process id: {}", id());
    let mut child = Command::new("/proc/self/exe")
        .env("SQUARE", "yes")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    let mut request = child.stdin.take().ok_or("no pipe")?;
    writeln!(request, "12")?;
    let answer = child.wait_with_output()?.stdout;
    println!("The answer is {}", str::from_utf8(&answer)?);
    Ok(())
}

fn child() -> Result<(), Box<dyn Error>> {
    let mut request = String::new();
    stdin().read_line(&mut request)?;
    let number: u64 = request.trim().parse()?;
    print!("{}, from process {}", number * number, id());
    Ok(())
}
