//! Both ends send and both receive: the child answers each
//! number with its square.
//!
//!     cargo run --example pipe_duplex

use multiprocessing::{Connection, Process, pipe};
use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    multiprocessing::init();
    let (ours, theirs) = pipe::<u32, String>()?;
    let child = Process::spawn(answer, theirs)?;
    for number in [2, 3, 12] {
        ours.send(number)?;
        println!("{}", ours.recv()?);
    }
    ours.close(); // the end of the child's loop
    println!("{} were answered.", child.join()?);
    Ok(())
}

fn answer(connection: Connection<String, u32>) -> usize {
    let mut count = 0;
    for number in connection.iter() {
        let number = number.expect("a number");
        let answer = format!(
            "{number} * {number} = {}",
            number * number
        );
        connection.send(answer).expect("the parent waits");
        count += 1;
    }
    count
}
