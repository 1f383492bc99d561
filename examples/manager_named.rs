//! What a guest from the network may call: functions that have
//! a name.
//!
//!     cargo run --example manager_named

use multiprocessing::{Address, Error, Key, Manager};
use multiprocessing::{Process, Shared};

// ANCHOR: names
fn main() -> Result<(), Error> {
    multiprocessing::init();
    let key = Key::random()?;
    let manager = Manager::serve("127.0.0.1:0", key.clone())?;
    let counter = manager.share(40_u32)?;
    manager.register("counter", &counter)?;
    manager.register_function("add", add)?;
    let address = manager.address().cloned();
    let address = address.ok_or(Error::ManagerGone)?;
    Process::spawn(visit, (address, key))?.join()?
}

fn add(counter: &mut u32, number: u32) -> u32 {
    *counter += number;
    *counter
}

fn visit((address, key): (Address, Key)) -> Result<(), Error> {
    let manager = Manager::connect(address, key)?;
    let counter: Shared<u32> = manager.registered("counter")?;
    let sum: u32 = counter.call_named("add", 2_u32)?;
    println!("{sum}");
    if let Err(error) = counter.call(add, 2) {
        println!("{error}");
    }
    Ok(())
}
// ANCHOR_END: names
