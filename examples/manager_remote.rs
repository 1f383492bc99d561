//! A queue that another program reaches over a network.
//!
//!     cargo run --example manager_remote

use multiprocessing::{Address, Error, Key, Manager};
use multiprocessing::{Process, QueueProxy};

// ANCHOR: main
type Jobs = QueueProxy<String>;

fn main() -> Result<(), Error> {
    multiprocessing::init();
    let key = Key::random()?;
    let manager = Manager::serve("127.0.0.1:0", key.clone())?;
    let jobs = manager.queue::<String>(10)?;
    manager.register("jobs", &jobs)?;

    let address = manager.address().cloned();
    let address = address.ok_or(Error::ManagerGone)?;
    let p = Process::spawn(visit, (address, key))?;
    println!("A job: {}", jobs.get()?);
    p.join()?
}

fn visit((address, key): (Address, Key)) -> Result<(), Error> {
    let wrong = Manager::connect(address.clone(), "a guess");
    if let Err(error) = wrong {
        println!("{error}");
    }
    let manager = Manager::connect(address, key)?;
    let jobs: Jobs = manager.registered("jobs")?;
    Ok(jobs.put("paint the fence".to_string())?)
}
// ANCHOR_END: main
