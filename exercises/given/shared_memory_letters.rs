//! Some children count letters, each those of one argument, in
//! an array that all share. The program prints how often each
//! letter came: "a 5".
//!
//! As it is given, it loses letters: all children copy the
//! array, and the last one to store its copy wins. Mend
//! `count`, and check it:
//!
//!     cargo exercise shared_memory_letters
//!
//! To run it without a check:
//!
//! ```text
//! cargo run -p exercises --bin shared_memory_letters -- \
//!     banana apple
//! ```

use multiprocessing::{Array, Barrier, Error, Process};
use std::env;
use std::time::Duration;

type Counts = Array<u64>;

fn main() -> Result<(), Error> {
    multiprocessing::init();
    let texts: Vec<String> = env::args().skip(1).collect();
    let counts = Counts::new(26)?;
    let others = Barrier::new(texts.len() as u32)?;
    let mut children = vec![];
    for text in texts {
        let task = (text, counts.clone(), others.clone());
        children.push(Process::spawn(count, task)?);
    }
    for child in children {
        child.join()??;
    }
    for (letter, count) in ('a'..='z').zip(&*counts.lock()?) {
        if *count > 0 {
            println!("{letter} {count}");
        }
    }
    Ok(())
}

type Task = (String, Counts, Barrier);

fn count((text, counts, others): Task) -> Result<(), Error> {
    let mut copy = counts.lock()?.to_vec();
    take_your_time(&others);
    for letter in text.bytes() {
        copy[usize::from(letter - b'a')] += 1;
    }
    counts.lock()?.copy_from_slice(&copy);
    Ok(())
}

/// Waits until all children are here, or for a moment.
fn take_your_time(others: &Barrier) {
    let _ = others.wait_timeout(Duration::from_millis(1500));
}
