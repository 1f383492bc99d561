//! Workers that are replaced when they break.

use multiprocessing::{Error, Process};
use std::{env, process, thread};

fn main() -> Result<(), Error> {
    multiprocessing::init();
    let tasks: Vec<_> = env::args().skip(1).collect();
    let mut results = vec![None; tasks.len()];
    for attempt in 1..=3 {
        let mut children = Vec::new();
        for (place, task) in tasks.iter().enumerate() {
            if results[place].is_none() {
                let args = (task.clone(), attempt);
                let child = Process::spawn(work, args)?;
                children.push((place, child));
            }
        }
        for (place, child) in children {
            results[place] = match child.join() {
                Ok(result) => Some(result),
                Err(Error::Panicked { .. }) => None,
                Err(Error::Killed { .. }) => None,
                Err(error) => return Err(error),
            };
        }
    }
    for (task, result) in tasks.iter().zip(results) {
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
