//! Four children send long messages through one end. Do they
//! arrive whole?
//!
//!     cargo run --example pipe_shared

use multiprocessing::{Barrier, Error, Process};
use multiprocessing::{Sender, pipe_one_way};

const LENGTH: usize = 1_000_000;

fn main() -> Result<(), Error> {
    multiprocessing::init();
    let (receiver, sender) = pipe_one_way::<[u8]>()?;
    let start = Barrier::new(4)?;
    let mut children = vec![];
    for letter in *b"abcd" {
        let task = (sender.clone(), start.clone(), letter);
        children.push(Process::spawn(send, task)?);
    }
    drop(sender);
    let mut whole = 0;
    loop {
        match receiver.recv_bytes() {
            Ok(text) => {
                let one_letter = vec![text[0]; LENGTH];
                whole += usize::from(text == one_letter);
            }
            Err(error) => {
                println!("{error:#?}");
                break;
            }
        }
    }
    println!("All 40 whole: {}", whole == 40);
    children.into_iter().try_for_each(|child| child.join()?)
}

type Task = (Sender<[u8]>, Barrier, u8);

fn send((sender, start, letter): Task) -> Result<(), Error> {
    let text = vec![letter; LENGTH];
    start.wait()?; // now all four send
    (0..10).try_for_each(|_| sender.send_bytes(&text))
}
