//! One `wait` for all receivers. Who is gone is taken out.

use multiprocessing::{
    Error, Process, Receiver, Sender, pipe_one_way, wait,
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
    let (mut names, mut receivers): (Vec<_>, Vec<_>) =
        crew.into_iter().unzip();
    while !receivers.is_empty() {
        // From the back: a removal shifts what follows it.
        for index in wait(&receivers, None)?.into_iter().rev() {
            match receivers[index].recv() {
                Ok(message) => println!("{message}"),
                Err(Error::Closed) => {
                    receivers.remove(index);
                    println!("{} is gone", names.remove(index));
                }
                Err(error) => return Err(error),
            }
        }
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
