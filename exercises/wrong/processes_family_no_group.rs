//! Refused: ESRCH

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use std::error::Error;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

fn main() -> Result<(), Box<dyn Error>> {
    let mut shell = Command::new("sh")
        .args(["-c", "sleep 60 & sleep 60 & echo ready; wait"])
        .stdout(Stdio::piped())
        .spawn()?;
    let output = shell.stdout.take().ok_or("no pipe")?;
    BufReader::new(output).read_line(&mut String::new())?;
    end(&mut shell)?;
    println!("all ended");
    Ok(())
}

/// Ends the shell and what it has started.
fn end(shell: &mut Child) -> Result<(), Box<dyn Error>> {
    let group = Pid::from_raw(shell.id().try_into()?);
    killpg(group, Signal::SIGTERM)?;
    shell.wait()?;
    Ok(())
}
