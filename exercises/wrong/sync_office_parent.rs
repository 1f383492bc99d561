//! Refused: `look` should be called in child processes, 5 times
// The parent buys for all.
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
        children.push(Process::spawn(wait, office.1.clone())?);
        buy(office)?;
    }
    for child in children {
        child.join()?;
    }
    println!("{} tickets are left", *tickets.lock()?);
    Ok(())
}

fn wait(counter: Barrier) {
    pay(&counter);
}

fn buy((tickets, _): Office) -> Result<(), Error> {
    let mut left = tickets.lock()?;
    let is_one_left = look(*left);
    if is_one_left {
        *left -= 1;
    }
    drop(left);
    if is_one_left {
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
