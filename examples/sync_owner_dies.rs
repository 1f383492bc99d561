//! The holder of a lock is killed. The next one gets the lock,
//! and a warning.
//!
//!     cargo run --example sync_owner_dies

use multiprocessing::{Error, Event, Process, Value};

/// What was paid in, and the sum of it.
type Account = [i64; 3];

fn main() -> Result<(), Error> {
    multiprocessing::init();
    let account: Value<Account> = Value::new([20, 0, 20])?;
    let held = Event::new()?;
    let shared = (account.clone(), held.clone());
    let p = Process::spawn(hold, shared)?;
    held.wait();
    p.kill()?;
    p.join().expect_err("it was killed");

    if let Err(error) = account.lock() {
        println!("{error}");
    }
    let repair = |account: &mut Account| {
        println!("found: {account:?}");
        account[2] = account[0] + account[1];
    };
    println!("now: {:?}", *account.lock_or_repair(repair)?);
    Ok(())
}

fn hold((account, held): (Value<Account>, Event)) {
    let mut account = account.lock().expect("it is free");
    account[1] = 30;
    held.set();
    std::thread::park(); // the sum is still to be changed
    account[2] = 50;
}
