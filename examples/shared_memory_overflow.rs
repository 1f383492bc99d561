//! A number that does not fit into its type.
//!
//!     cargo run --example shared_memory_overflow

use multiprocessing::{Error, Value};

fn main() -> Result<(), Error> {
    let number = Value::new(300i32 as i8)?;
    let mut number = number.lock()?;
    println!("300 became {number}");
    *number = 127;
    match number.checked_add(1) {
        Some(sum) => *number = sum,
        None => println!("127 + 1 does not fit"),
    }
    println!("127 is still {number}");
    Ok(())
}
