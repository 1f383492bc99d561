#![deny(unused_must_use)]
use multiprocessing::{Error, Event, Process};

fn main() -> Result<(), Error> {
    multiprocessing::init();
    let child = Process::spawn(work, Event::new()?)?;
    child.join()?;
    Ok(())
}

fn work(event: Event) -> Result<(), Error> {
    event.set();
    Ok(())
}
