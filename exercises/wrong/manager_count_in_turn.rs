//! Refused: one had ended before another was started
// One process counts after the other.
use multiprocessing::{
    Barrier, DictProxy, Error, Manager, Process,
};
use std::process::id;

type Args = (DictProxy<String, u32>, Barrier);

fn main() -> Result<(), Error> {
    multiprocessing::init();
    let manager = Manager::start()?;
    let counts = manager.dict()?;
    let start = Barrier::new(2)?;
    let args = (counts.clone(), start);
    let p1 = Process::spawn(count, args.clone())?;
    p1.join()??;
    Process::spawn(count, args)?.join()??;
    for word in ["fork", "pipe"] {
        println!("{word}: {}", counts.get(word)?.unwrap_or(0));
    }
    Ok(())
}

fn count((counts, start): Args) -> Result<(), Error> {
    let times = 500 + id() % 100; // each another number
    println!("counts each word {times} times");
    drop(start);
    for _ in 0..times {
        for word in ["fork", "pipe"] {
            let old = counts.get(word)?.unwrap_or(0);
            counts.insert(word.into(), old + 1)?;
        }
    }
    Ok(())
}
