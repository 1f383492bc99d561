//! This program should call `work` in a child, wait a second at
//! most, and print the result. When the second is over, it
//! should print "too late" and leave no child behind.
//!
//!     cargo run -p exercises --bin process_limit -- word
//!     cargo run -p exercises --bin process_limit -- never
//!
//! As it is given, it waits for ever if `work` never returns.
//! Complete `result_in_time`, and check it:
//!
//!     cargo exercise process_limit

use multiprocessing::{Error, Process};
use std::process::id;
use std::time::Duration;
use std::{env, thread};

const LIMIT: Duration = Duration::from_secs(1);

fn main() -> Result<(), Error> {
    multiprocessing::init();
    let text = env::args().nth(1).unwrap_or_default();
    match result_in_time(&text)? {
        Some(result) => println!("{result}"),
        None => println!("too late"),
    }
    Ok(())
}

/// What `work` returns, or `None` after the limit.
fn result_in_time(text: &str) -> Result<Option<String>, Error> {
    let child = Process::spawn(work, text)?;
    let _ = LIMIT; // to be used here
    Ok(Some(child.join()?))
}

fn work(text: &str) -> String {
    if text == "never" {
        loop {
            thread::park();
        }
    }
    thread::sleep(Duration::from_millis(10)); // It is slow.
    let count = text.chars().count();
    format!("{count} letters, says process {}", id())
}
