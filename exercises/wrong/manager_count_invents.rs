//! Refused: The sum is
// The parent writes a sum that nobody has counted.
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
    let p2 = Process::spawn(count, args)?;
    p1.join()??;
    p2.join()??;
    for word in ["fork", "pipe"] {
        counts.insert(word.into(), 1100)?;
        println!("{word}: {}", counts.get(word)?.unwrap_or(0));
    }
    Ok(())
}

fn count((counts, start): Args) -> Result<(), Error> {
    let times = 500 + id() % 100; // each another number
    println!("counts each word {times} times");
    start.wait()?; // both processes have started
    for _ in 0..times {
        for word in ["fork", "pipe"] {
            let old = counts.get(word)?.unwrap_or(0);
            counts.insert(word.into(), old + 1)?;
        }
    }
    Ok(())
}
