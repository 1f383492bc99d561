//! Refused: should start one child, but it started no child
// It knows what will happen, so nobody has to try.
use std::env;
use std::error::Error;
use nix::sys::signal::Signal;

fn main() -> Result<(), Box<dyn Error>> {
    let how = env::args().nth(1).ok_or("how?")?;
    let number: i32 = env::args().nth(2).ok_or("which?")?.parse()?;
    if how == "signal" {
        println!("killed by {}", Signal::try_from(number)?);
    } else {
        println!("exit status {}", number % 256);
    }
    Ok(())
}
