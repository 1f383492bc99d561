//! Three children are asked the same, and the first answer
//! counts. The program should print who gave it, as "process
//! 4711", and then end the other two, which never answer. Its
//! argument says who does: child 0, 1 or 2, or with any other
//! number nobody.
//!
//!     cargo run -p exercises --bin process_quickest -- 1
//!
//! As it is given, it asks child 0 first, and waits for ever.
//! Mend it, with `ask` as it is, and check it:
//!
//!     cargo exercise process_quickest

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
    for child in children {
        println!("process {}", child.join()?);
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
