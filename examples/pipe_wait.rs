//! One loop receives from several children, and leaves out
//! those that have ended.
//!
//!     cargo run --example pipe_wait
//!
//! Expect: lines in any order

use multiprocessing::{
    Error, Process, Sender, pipe_one_way, wait,
};

fn main() -> Result<(), Error> {
    multiprocessing::init();
    let mut receivers = vec![];
    let mut children = vec![];
    for name in ["Ann", "Bob", "Cid"] {
        let (receiver, sender) = pipe_one_way::<String>()?;
        children.push(Process::spawn(work, (sender, name))?);
        receivers.push(receiver);
    }
    while !receivers.is_empty() {
        // From the back: a removal shifts what follows it.
        for index in wait(&receivers, None)?.into_iter().rev() {
            match receivers[index].recv() {
                Ok(text) => println!("{text}"),
                Err(Error::Closed) => {
                    receivers.remove(index);
                    println!("{} left", receivers.len());
                }
                Err(error) => return Err(error),
            }
        }
    }
    children.into_iter().try_for_each(|child| child.join()?)
}

type Task = (Sender<String>, &'static str);

fn work((sender, name): Task) -> Result<(), Error> {
    for step in 1..=2 {
        sender.send(format!("{name}: step {step}"))?;
    }
    Ok(())
}
