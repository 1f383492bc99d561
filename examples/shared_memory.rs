//! The child writes into memory that the parent reads.
//!
//!     cargo run --example shared_memory

use multiprocessing::{Array, Error, Process, Value};

type Shared = (Array<i32>, Value<i32>);

fn main() -> Result<(), Error> {
    multiprocessing::init();
    let result = Array::new(4)?;
    let square_sum = Value::new(0)?;
    let copies = (result.clone(), square_sum.clone());
    let p1 = Process::spawn(square_list, copies)?;
    p1.join()??;
    println!("Result (in main program): {:?}", result.lock()?);
    println!("Sum (in main program): {}", *square_sum.lock()?);
    Ok(())
}

fn square_list(shared: Shared) -> Result<(), Error> {
    let (result, square_sum) = shared;
    let mut result = result.lock()?;
    for (index, number) in (1..=4).enumerate() {
        result[index] = number * number;
    }
    let sum: i32 = result.iter().sum();
    *square_sum.lock()? = sum;
    println!("Result (in process p1): {result:?}");
    println!("Sum (in process p1): {sum}");
    Ok(())
}
