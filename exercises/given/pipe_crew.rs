//! Three children say who they are, and then work until they
//! are killed. The parent should print each message, and say
//! who is gone as soon as one has ended: "Bob is gone". When
//! all are gone, it ends.
//!
//! As it is given, it listens to the first child only, until
//! that one has ended. Complete `listen`, and check it:
//!
//!     cargo exercise pipe_crew
//!
//! Without a check, it runs until you `kill` its children.

use multiprocessing::{
    Error, Process, Receiver, Sender, pipe_one_way,
};
use std::{process, thread};

fn main() -> Result<(), Error> {
    multiprocessing::init();
    let mut crew = vec![];
    let mut children = vec![];
    for name in ["Ann", "Bob", "Cid"] {
        let (receiver, sender) = pipe_one_way()?;
        children.push(Process::spawn(work, (sender, name))?);
        crew.push((name, receiver));
    }
    listen(crew)?;
    for child in children {
        child.join().expect_err("it was killed");
    }
    Ok(())
}

type Crew = Vec<(&'static str, Receiver<String>)>;

fn listen(crew: Crew) -> Result<(), Error> {
    // Whoever speaks first should be printed first.
    for (name, receiver) in crew {
        for message in receiver.iter() {
            println!("{}", message?);
        }
        println!("{name} is gone");
    }
    Ok(())
}

fn work((sender, name): (Sender<String>, &'static str)) {
    let message =
        format!("{name} is process {}", process::id());
    sender.send(message).expect("the parent listens");
    loop {
        thread::park();
    }
}
