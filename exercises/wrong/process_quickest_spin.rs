//! Refused: in which there was nothing to do
// It looks again and again.
use multiprocessing::{Error, Process};
use std::process::id;
use std::time::Duration;
use std::{env, thread};

fn main() -> Result<(), Error> {
    multiprocessing::init();
    let argument = env::args().nth(1).unwrap_or_default();
    let quick: usize = argument.parse().unwrap_or(0);
    let mut children = Vec::new();
    for number in 0..3 {
        children.push(Process::spawn(ask, (number, quick))?);
    }
    loop {
        if let Some(i) =
            children.iter().position(|c| !c.is_alive())
        {
            println!(
                "process {}",
                children.swap_remove(i).join()?
            );
            for c in children {
                c.kill()?;
                c.wait();
            }
            return Ok(());
        }
    }
    Ok(())
}

/// Returns the child's id, if it is the quick one.
fn ask((number, quick): (usize, usize)) -> u32 {
    if number != quick {
        loop {
            thread::park();
        }
    }
    thread::sleep(Duration::from_millis(10)); // It is slow.
    id()
}
