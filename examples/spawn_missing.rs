//! How a parent learns that the program does not exist.
//!
//!     cargo run --example spawn_missing

use nix::sys::wait::waitpid;
use nix::unistd::{ForkResult, Pid, execvp, fork};
use std::error::Error;
use std::ffi::CStr;
use std::io::{self, Read, Write};
use std::process::exit;

fn main() -> Result<(), Box<dyn Error>> {
    for program in [c"true", c"no-such-program"] {
        let name = program.to_str()?;
        match start(program) {
            Ok(child) => {
                waitpid(child, None)?;
                println!("{name}: started");
            }
            Err(error) => println!("{name}: {error}"),
        }
    }
    Ok(())
}

fn start(program: &CStr) -> Result<Pid, Box<dyn Error>> {
    let (mut report, mut writer) = io::pipe()?; // O_CLOEXEC
    // SAFETY: this program has one thread.
    match unsafe { fork() }? {
        ForkResult::Child => {
            let Err(error) = execvp(program, &[program]);
            let _ = writer.write_all(&[error as u8]);
            exit(127)
        }
        ForkResult::Parent { child } => {
            drop(writer);
            let mut error = Vec::new();
            report.read_to_end(&mut error)?;
            let Some(&error) = error.first() else {
                return Ok(child); // closed by exec
            };
            waitpid(child, None)?;
            Err(io::Error::from_raw_os_error(error.into()))?
        }
    }
}
