//! Some buyers, each of them a process, come to a ticket
//! office. The arguments are how many tickets and how many
//! buyers there are. Each buyer should get a ticket, as long
//! as one is left, and 0 tickets or more should be left over.
//!
//! As it is given, it sells more tickets than there are: all
//! look before any of them takes one. Mend `buy`. It should
//! look by `look` and pay by `pay`, as they are. Check it:
//!
//!     cargo exercise sync_office
//!
//! To run it without a check:
//!
//!     cargo run -p exercises --bin sync_office -- 2 5

use multiprocessing::{Barrier, Error, Process, Value};
use std::time::Duration;
use std::{env, thread};

type Office = (Value<i32>, Barrier);

fn main() -> Result<(), Box<dyn std::error::Error>> {
    multiprocessing::init();
    let mut numbers = env::args().skip(1);
    let tickets = numbers.next().ok_or("how many tickets?")?;
    let buyers = numbers.next().ok_or("how many buyers?")?;

    let tickets = Value::new(tickets.parse()?)?;
    let counter = Barrier::new(buyers.parse()?)?;
    let mut children = vec![];
    for _ in 0..buyers.parse()? {
        let office = (tickets.clone(), counter.clone());
        children.push(Process::spawn(buy, office)?);
    }
    for child in children {
        child.join()??;
    }
    println!("{} tickets are left", *tickets.lock()?);
    Ok(())
}

fn buy((tickets, counter): Office) -> Result<(), Error> {
    let is_one_left = look(*tickets.lock()?);
    if is_one_left {
        pay(&counter);
        *tickets.lock()? -= 1;
        println!("bought a ticket");
    } else {
        println!("sold out");
    }
    Ok(())
}

/// A look takes a moment.
fn look(left: i32) -> bool {
    thread::sleep(Duration::from_millis(10));
    left > 0
}

/// It takes until all buyers are here, or for a moment.
fn pay(counter: &Barrier) {
    let _ = counter.wait_timeout(Duration::from_millis(1500));
}
