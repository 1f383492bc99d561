//! A connection goes through a connection: the parent puts
//! two children in touch with each other.
//!
//!     cargo run --example pipe_introduce
//!
//! Expect: lines in any order

use multiprocessing::{
    Connection, Error, Process, Receiver, pipe, pipe_one_way,
};
use std::process::id;

/// What the children say to each other.
type Line = Connection<u32, u32>;

fn main() -> Result<(), Error> {
    multiprocessing::init();
    let (receiver1, sender1) = pipe_one_way()?;
    let (receiver2, sender2) = pipe_one_way()?;
    let p1 = Process::spawn(talk, receiver1)?;
    let p2 = Process::spawn(talk, receiver2)?;
    // Both run already. The line is made only now.
    let (one_end, other_end) = pipe()?;
    sender1.send(one_end)?;
    sender2.send(other_end)?;
    p1.join()??;
    p2.join()?
}

fn talk(receiver: Receiver<Line>) -> Result<(), Error> {
    let line = receiver.recv()?;
    let me = id();
    line.send(me)?;
    let other = line.recv()?;
    println!("I am pid {me}, and I talked to pid {other}");
    Ok(())
}
