//! Two children send through clones of one sender. The end
//! comes when the last clone is gone.
//!
//!     cargo run --example pipe_clone
//!
//! Expect: lines 1-4 in any order

use multiprocessing::{Error, Process, Sender, pipe_one_way};
use std::time::Duration;

fn main() -> Result<(), Error> {
    multiprocessing::init();
    let (receiver, sender) = pipe_one_way()?;
    let p1 = Process::spawn(send, (sender.clone(), "p1"))?;
    let p2 = Process::spawn(send, (sender.clone(), "p2"))?;
    for _ in 0..4 {
        println!("{}", receiver.recv()?);
    }
    p1.join()??;
    p2.join()??;
    let at_end = receiver.poll(Duration::from_millis(100))?;
    println!("Both have ended. At the end: {at_end}");
    drop(sender); // the one that everybody forgets
    let at_end = receiver.poll(Duration::from_millis(100))?;
    println!("The parent closed its own. At the end: {at_end}");
    Ok(())
}

type Task = (Sender<String>, &'static str);

fn send((sender, name): Task) -> Result<(), Error> {
    for number in 1..=2 {
        sender.send(format!("{name} sends {number}"))?;
    }
    Ok(())
}
