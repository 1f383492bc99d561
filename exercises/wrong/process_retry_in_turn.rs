//! Refused: at work at the same time

use multiprocessing::{Error, Process};
use std::{env, process, thread};

fn main() -> Result<(), Error> {
    multiprocessing::init();
    for task in env::args().skip(1) {
        let mut result = None;
        for attempt in 1..=3 {
            let child = Process::spawn(work, (task.clone(), attempt))?;
            result = child.join().ok();
            if result.is_some() {
                break;
            }
        }
        match result {
            Some(Ok(n)) => println!("{task}: attempt {n}"),
            Some(Err(error)) => println!("{task}: {error}"),
            None => println!("{task}: given up"),
        }
    }
    Ok(())
}

/// Nothing is wrong with it.
fn work((task, attempt): (String, u8)) -> Result<u8, String> {
    match task.as_str() {
        "wrong" => return Err("no such task".into()),
        "bad" => process::abort(),
        "flaky" if attempt < 3 => panic!("attempt {attempt}"),
        "slow" if attempt == 1 => {
            println!("slow");
            loop {
                thread::park(); // until it is killed
            }
        }
        _ => (),
    }
    Ok(attempt)
}
