//! Refused: flaky: given up

use multiprocessing::{Error, Process};
use std::{env, process, thread};

fn main() -> Result<(), Error> {
    multiprocessing::init();
    let tasks: Vec<_> = env::args().skip(1).collect();
    let mut children = Vec::new();
    for task in &tasks {
        children.push(Process::spawn(work, (task.clone(), 1))?);
    }
    let results: Vec<_> = children.into_iter().map(|c| c.join().ok()).collect();
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
