//! Refused: (nothing)

use multiprocessing::{Array, Error, Process};
use std::time::Duration;
use std::{env, thread};

type Counts = Array<u64>;

fn main() -> Result<(), Error> {
    multiprocessing::init();
    let texts: Vec<String> = env::args().skip(1).collect();
    let counts = Counts::new(26)?;
    let mut children = vec![];
    for text in texts {
        let task = (text, counts.clone());
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

type Task = (String, Counts);

fn count((text, counts): Task) -> Result<(), Error> {
    let mut counts = counts.lock()?.to_vec();
    for letter in text.bytes() {
        counts[place(letter)] += 1;
    }
    Ok(())
}

/// Finds the place of a letter, which takes a moment.
fn place(letter: u8) -> usize {
    thread::sleep(Duration::from_millis(10));
    usize::from(letter - b'a')
}
