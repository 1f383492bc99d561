//! Two guards in one expression: both live to its end.
//!
//!     cargo run --example sync_two_guards

use multiprocessing::{Error, Value};

fn main() -> Result<(), Error> {
    let (a, b) = (Value::new(20)?, Value::new(22)?);
    println!("{}", add(&a, &b)?);
    match add(&a, &a) {
        Ok(sum) => println!("{sum}"),
        Err(error) => println!("{error}"),
    }
    println!("{}", add_copies(&a, &a)?);
    Ok(())
}

fn add(a: &Value<i32>, b: &Value<i32>) -> Result<i32, Error> {
    Ok(*a.lock()? + *b.lock()?)
}

fn add_copies(
    a: &Value<i32>,
    b: &Value<i32>,
) -> Result<i32, Error> {
    let a = *a.lock()?; // the guard is gone after this line
    let b = *b.lock()?;
    Ok(a + b)
}
