//! Three buyers and one ticket, with a lock around looking,
//! paying and taking.
//!
//!     cargo run --example sync

use multiprocessing::{Barrier, Error, Process, Value};
use std::thread::sleep;
use std::time::Duration;

type Shared = (Value<i32>, Barrier);

fn main() -> Result<(), Error> {
    multiprocessing::init();
    let tickets = Value::new(1)?;
    let opening = Barrier::new(3)?;
    let mut buyers = Vec::new();
    for _ in 0..3 {
        let shared = (tickets.clone(), opening.clone());
        buyers.push(Process::spawn(buy, shared)?);
    }
    for buyer in buyers {
        buyer.join()??;
    }
    Ok(())
}

fn buy((tickets, opening): Shared) -> Result<(), Error> {
    opening.wait()?;
    let mut tickets = tickets.lock()?;
    let left = *tickets;
    if left > 0 {
        sleep(Duration::from_millis(300)); // pays
        *tickets -= 1;
        println!("Saw {left} left: bought a ticket");
    } else {
        println!("Saw {left} left: sold out");
    }
    Ok(())
}
