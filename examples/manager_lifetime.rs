//! The parent drops its proxy while a child still has one.
//!
//!     cargo run --example manager_lifetime

use multiprocessing::{Error, Event, ListProxy};
use multiprocessing::{Manager, Process};

// ANCHOR: main
fn main() -> Result<(), Error> {
    multiprocessing::init();
    let manager = Manager::start()?;
    let numbers = manager.list([1])?;
    let dropped = Event::new()?;
    let args = (numbers.clone(), dropped.clone());
    let p = Process::spawn(append, args)?;
    drop(numbers);
    dropped.set();
    p.join()?
}

fn append(
    (numbers, dropped): (ListProxy<u32>, Event),
) -> Result<(), Error> {
    dropped.wait();
    numbers.push(2)?;
    println!("{:?}", numbers.to_vec()?);
    Ok(())
}
// ANCHOR_END: main
