use multiprocessing::{Error, Value};

fn main() -> Result<(), Error> {
    let count = Value::new(0)?;
    let guard = count.lock()?;
    *guard += 1;
    Ok(())
}
