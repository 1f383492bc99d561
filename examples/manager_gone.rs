//! The server is killed. What does the next call say?
//!
//!     cargo run --example manager_gone

use multiprocessing::{Error, Manager};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    multiprocessing::init();
    let manager = Manager::start()?;
    let numbers = manager.list([1, 2])?;
    numbers.push(3)?;
    // ANCHOR: kill
    let pid = manager.pid().ok_or(Error::ManagerGone)?;
    kill(Pid::from_raw(pid.cast_signed()), Signal::SIGKILL)?;
    for _ in 0..2 {
        match numbers.len() {
            Ok(length) => println!("{length} numbers"),
            Err(error) => println!("{error}"),
        }
    }
    // ANCHOR_END: kill
    Ok(())
}
