//! Two processes count words in one dictionary, which a manager
//! keeps. Each of them counts "fork" and "pipe" 500 times, so
//! that the program should print
//!
//!     fork: 1000
//!     pipe: 1000
//!
//! `manager_count 300` is a run in which each counts 300 times.
//!
//! As it is given, some of the additions are lost. Mend
//! `count`: the two processes should still work at the same
//! time.
//!
//!     cargo exercise manager_count

use multiprocessing::{
    Barrier, DictProxy, Error, Manager, Process,
};
use std::env;

type Args = (DictProxy<String, u32>, Barrier, u32);

fn main() -> Result<(), Error> {
    multiprocessing::init();
    let times = env::args().nth(1).and_then(|n| n.parse().ok());
    let manager = Manager::start()?;
    let counts = manager.dict()?;
    let start = Barrier::new(2)?;
    let args = (counts.clone(), start, times.unwrap_or(500));
    let p1 = Process::spawn(count, args.clone())?;
    let p2 = Process::spawn(count, args)?;
    p1.join()??;
    p2.join()??;
    for word in ["fork", "pipe"] {
        println!("{word}: {}", counts.get(word)?.unwrap_or(0));
    }
    Ok(())
}

fn count((counts, start, times): Args) -> Result<(), Error> {
    start.wait()?; // both processes have started
    for _ in 0..times {
        for word in ["fork", "pipe"] {
            let old = counts.get(word)?.unwrap_or(0);
            counts.insert(word.into(), old + 1)?;
        }
    }
    Ok(())
}
