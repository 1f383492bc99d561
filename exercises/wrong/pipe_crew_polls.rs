//! Refused: in which there was nothing to do

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

fn listen(mut crew: Crew) -> Result<(), Error> {
    while !crew.is_empty() {
        crew.retain(|(name, receiver)| {
            match receiver.try_recv() {
                Ok(message) => {
                    println!("{message}");
                    true
                }
                Err(Error::Closed) => {
                    println!("{name} is gone");
                    false
                }
                Err(_) => true,
            }
        });
        thread::sleep(std::time::Duration::from_millis(10));
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
