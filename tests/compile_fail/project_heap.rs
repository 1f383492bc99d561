use multiprocessing::{Error, Value};

fn main() -> Result<(), Error> {
    let name = Value::new("Bob".to_string())?;
    drop(name);
    Ok(())
}
