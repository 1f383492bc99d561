//! This program starts a shell, which starts two processes of
//! its own and says that it is ready. Then the program should
//! end all three, with what it does in `end`, and print
//! "all ended".
//!
//! As it is given, only the shell ends; the other two go on.
//! Complete it, and check it:
//!
//!     cargo exercise processes_family

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
    shell.kill()?;
    shell.wait()?;
    Ok(())
}
