//! Three buyers and one ticket. Each looks, pays, and takes.
//!
//!     cargo run --example sync_tickets

use multiprocessing::{Barrier, Error, Process, RawValue};
use std::thread::sleep;
use std::time::Duration;

fn main() -> Result<(), Error> {
    multiprocessing::init();
    let tickets = RawValue::new(1i32)?;
    let opening = Barrier::new(3)?;
    let mut buyers = Vec::new();
    for _ in 0..3 {
        let shared =
            (tickets.try_clone()?, opening.try_clone()?);
        buyers.push(Process::spawn(buy, shared)?);
    }
    for buyer in buyers {
        buyer.join()?;
    }
    Ok(())
}

fn buy((tickets, opening): (RawValue<i32>, Barrier)) {
    opening.wait().expect("all come");
    let left = tickets.get();
    if left > 0 {
        sleep(Duration::from_millis(300)); // pays
        tickets.set(tickets.get() - 1);
        println!("Saw {left} left: bought a ticket");
    } else {
        println!("Saw {left} left: sold out");
    }
}
