//! A call fails when it has done half of its work.
//!
//!     cargo run --example manager_poisoned

use multiprocessing::{Error, Manager};

type Accounts = [u32; 2];

// ANCHOR: transfer
fn transfer(accounts: &mut Accounts, amount: u32) {
    accounts[0] -= amount;
    assert!(accounts[1] + amount <= 100, "the second is full");
    accounts[1] += amount;
}

fn total(accounts: &mut Accounts, _: ()) -> u32 {
    accounts[0] + accounts[1]
}
// ANCHOR_END: transfer

// ANCHOR: main
fn main() -> Result<(), Error> {
    multiprocessing::init();
    let manager = Manager::start()?;
    let accounts = manager.share([50, 80])?;
    if let Err(error) = accounts.call(transfer, 30) {
        println!("{error}");
    }
    if let Err(error) = accounts.call(total, ()) {
        println!("{error}");
    }
    accounts.repair(|accounts, ()| *accounts = [50, 80], ())?;
    println!("Total: {}", accounts.call(total, ())?);
    Ok(())
}
// ANCHOR_END: main
