//! Both ends send and both receive: the child answers each
//! number with its square.
//!
//!     cargo run --example pipe_duplex

use multiprocessing::{Connection, Error, Process, pipe};

fn main() -> Result<(), Error> {
    multiprocessing::init();
    let (ours, theirs) = pipe::<u32, String>()?;
    let child = Process::spawn(answer, theirs)?;
    for number in [2, 3, 12] {
        ours.send(number)?;
        println!("{}", ours.recv()?);
    }
    ours.close(); // ends the child's loop
    println!("{} answered.", child.join()??);
    Ok(())
}

type Answers = Connection<String, u32>;

fn answer(connection: Answers) -> Result<usize, Error> {
    let mut count = 0;
    for number in connection.iter() {
        let n = number?;
        connection.send(format!("{n} * {n} = {}", n * n))?;
        count += 1;
    }
    Ok(count)
}
