//! Four children send long messages through one end. Do they
//! arrive whole?
//!
//!     cargo run --example pipe_shared

use multiprocessing::{Error, Process, Sender, pipe_one_way};

const LENGTH: usize = 1_000_000;

fn main() -> Result<(), Error> {
    multiprocessing::init();
    let (receiver, sender) = pipe_one_way::<[u8]>()?;
    let mut children = vec![];
    for letter in *b"abcd" {
        let task = (sender.clone(), letter);
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

fn send(task: (Sender<[u8]>, u8)) -> Result<(), Error> {
    let (sender, letter) = task;
    let text = vec![letter; LENGTH];
    (0..10).try_for_each(|_| sender.send_bytes(&text))
}
