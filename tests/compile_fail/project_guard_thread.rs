use multiprocessing::{Error, Value};
use std::thread;

fn main() -> Result<(), Error> {
    let count = Value::new(0)?;
    let guard = count.lock()?;
    thread::scope(|scope| {
        scope.spawn(move || drop(guard));
    });
    Ok(())
}
