//! A type of one's own in the server, and a call that waits.
//!
//!     cargo run --example manager_shared

use multiprocessing::{Error, Manager, Process, Shared};
use serde::{Deserialize, Serialize};

// ANCHOR: stock
#[derive(Serialize, Deserialize)]
struct Stock {
    apples: u32,
}

fn add(stock: &mut Stock, apples: u32) -> u32 {
    stock.apples += apples;
    stock.apples
}

fn take(stock: &mut Stock, apples: &mut u32) -> Option<u32> {
    stock.apples = stock.apples.checked_sub(*apples)?;
    Some(stock.apples)
}
// ANCHOR_END: stock

// ANCHOR: calls
fn main() -> Result<(), Error> {
    multiprocessing::init();
    let manager = Manager::start()?;
    let stock = manager.share(Stock { apples: 0 })?;
    let p = Process::spawn(buy, stock.clone())?;
    println!("In stock: {}", stock.call(add, 2)?);
    stock.call(add, 2)?;
    p.join()?
}

fn buy(stock: Shared<Stock>) -> Result<(), Error> {
    let left = stock.call_when(take, 3)?;
    println!("3 taken, left: {left}");
    Ok(())
}
// ANCHOR_END: calls
