//! Both processes send before they receive, and each waits
//! for the other to receive.
//!
//!     cargo run --example pipe_deadlock
//!
//! Expect: hangs

use multiprocessing::{Connection, Error, Process, pipe};

type End = Connection<String, String>;

fn main() -> Result<(), Error> {
    multiprocessing::init();
    for length in [1_000, 1_000_000] {
        let (ours, theirs) = pipe()?;
        let child = Process::spawn(talk, (theirs, length))?;
        let heard = talk((ours, length))?;
        let by_child = child.join()??;
        println!("{length}: heard {heard} and {by_child}");
    }
    Ok(())
}

fn talk(
    (connection, length): (End, usize),
) -> Result<usize, Error> {
    connection.send("x".repeat(length))?;
    Ok(connection.recv()?.len())
}
