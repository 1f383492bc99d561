//! Two processes fill one dictionary.
//!
//!     cargo run --example manager_dict

use multiprocessing::{DictProxy, Error, Manager, Process};

type Numbers = DictProxy<String, u32>;

fn main() -> Result<(), Error> {
    multiprocessing::init();
    let manager = Manager::start()?;
    let numbers = manager.dict()?;
    // ANCHOR: processes
    let args = (numbers.clone(), "number1".to_string(), 25);
    let p1 = Process::spawn(insert, args)?;
    let args = (numbers.clone(), "number2".to_string(), 30);
    let p2 = Process::spawn(insert, args)?;
    p1.join()??;
    p2.join()??;
    let mut entries = numbers.to_vec()?;
    entries.sort();
    // ANCHOR_END: processes
    for (name, number) in entries {
        println!("{name}: {number}");
    }
    Ok(())
}

// ANCHOR: insert
fn insert(
    (numbers, name, number): (Numbers, String, u32),
) -> Result<(), Error> {
    numbers.insert(name, number)?;
    Ok(())
}
// ANCHOR_END: insert
