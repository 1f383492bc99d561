//! A sender and a receiver, two children of one parent. No
//! message has to announce the end.
//!
//!     cargo run --example pipe_end
//!
//! Expect: lines in any order

use multiprocessing::{
    Error, Process, Receiver, Sender, pipe_one_way,
};

fn main() -> Result<(), Error> {
    multiprocessing::init();
    let (receiver, sender) = pipe_one_way()?;
    let p1 = Process::spawn(send, sender)?;
    let p2 = Process::spawn(receive, receiver)?;
    p1.join()??;
    p2.join()?
}

fn send(sender: Sender<String>) -> Result<(), Error> {
    for message in ["hello", "hey", "hru?", "END"] {
        sender.send(message.to_string())?;
        println!("Sent the message: {message}");
    }
    Ok(())
}

fn receive(receiver: Receiver<String>) -> Result<(), Error> {
    for message in receiver.iter() {
        println!("Received the message: {}", message?);
    }
    println!("Nothing more comes.");
    Ok(())
}
