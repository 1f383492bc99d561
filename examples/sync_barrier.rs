//! Nobody begins to eat before all are at the table.
//!
//!     cargo run --example sync_barrier
//!
//! Expect: lines 1-3 in any order, lines 4-7 in any order

use multiprocessing::{Barrier, Error, Process};

type Shared = (u32, Barrier);

fn main() -> Result<(), Error> {
    multiprocessing::init();
    let table = Barrier::new(3)?;
    let mut guests = Vec::new();
    for number in 1..=3 {
        let shared = (number, table.clone());
        guests.push(Process::spawn(dine, shared)?);
    }
    for guest in guests {
        guest.join()??;
    }
    Ok(())
}

fn dine((number, table): Shared) -> Result<(), Error> {
    println!("Guest {number} sits down.");
    let result = table.wait()?;
    println!("Guest {number} eats.");
    if result.is_leader() {
        println!("One of them says grace.");
    }
    Ok(())
}
