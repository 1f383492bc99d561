//! A connection goes through a connection: the parent makes
//! two children known to each other.
//!
//!     cargo run --example pipe_introduce
//!
//! Expect: lines in any order

use multiprocessing::{
    Connection, Process, Receiver, pipe, pipe_one_way,
};
use std::error::Error;
use std::process::id;

/// What the children say to each other.
type Line = Connection<u32, u32>;

fn main() -> Result<(), Box<dyn Error>> {
    multiprocessing::init();
    let (receiver1, sender1) = pipe_one_way()?;
    let (receiver2, sender2) = pipe_one_way()?;
    let p1 = Process::spawn(talk, receiver1)?;
    let p2 = Process::spawn(talk, receiver2)?;
    // They run. Only now the line is made, and given away.
    let (one_end, other_end) = pipe()?;
    sender1.send(one_end)?;
    sender2.send(other_end)?;
    p1.join()?;
    p2.join()?;
    Ok(())
}

fn talk(receiver: Receiver<Line>) {
    let line = receiver.recv().expect("a connection");
    let me = id();
    line.send(me).expect("the other is there");
    let other = line.recv().expect("the other speaks");
    println!("I am pid {me}, and I talked to pid {other}");
}
