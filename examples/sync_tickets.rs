//! Three buyers and one ticket. Each looks, pays, and takes.
//!
//!     cargo run --example sync_tickets

use multiprocessing::{Barrier, Error, Process, RawValue};

type Shared = (RawValue<i32>, Barrier);

fn main() -> Result<(), Error> {
    multiprocessing::init();
    let tickets = RawValue::new(1i32)?;
    let counter = Barrier::new(3)?;
    let mut buyers = Vec::new();
    for _ in 0..3 {
        let shared = (tickets.clone(), counter.clone());
        buyers.push(Process::spawn(buy, shared)?);
    }
    for buyer in buyers {
        buyer.join()??;
    }
    Ok(())
}

fn buy((tickets, counter): Shared) -> Result<(), Error> {
    let left = tickets.get();
    // Pays at the counter, which opens when all are there.
    counter.wait()?;
    if left > 0 {
        tickets.set(tickets.get() - 1);
        println!("Saw {left} left: bought a ticket");
    } else {
        println!("Saw {left} left: sold out");
    }
    Ok(())
}
