//! This program should call `work` in a child and say how the
//! child ended: "exit status 7" or "killed by SIGKILL".
//!
//!     cargo run -p exercises --bin fork_end -- exit 7
//!     cargo run -p exercises --bin fork_end -- signal 9
//!
//! As it is given, `work` ends the program itself, which then
//! prints nothing. Complete `end_of_child`, and check it:
//!
//!     cargo exercise fork_end

use nix::sys::signal::{Signal, raise};
use std::env;
use std::error::Error;
use std::process::exit;

fn main() -> Result<(), Box<dyn Error>> {
    let how = env::args().nth(1).ok_or("how?")?;
    let number = env::args().nth(2).ok_or("which?")?;
    println!("{}", end_of_child(&how, number.parse()?)?);
    Ok(())
}

/// Calls `work` in a child. Returns how the child ended.
fn end_of_child(how: &str, number: i32) -> nix::Result<String> {
    // Something is missing here.
    work(how, number)
}

/// Does not return. Nothing is wrong with it.
fn work(how: &str, number: i32) -> ! {
    if how == "signal" {
        let _ = Signal::try_from(number).map(raise);
    }
    exit(number)
}
