//! A sender and a receiver, two children of one parent. The
//! end needs no word of its own.
//!
//!     cargo run --example pipe_end
//!
//! Expect: lines in any order

use multiprocessing::{
    Process, Receiver, Sender, pipe_one_way,
};
use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    multiprocessing::init();
    let (receiver, sender) = pipe_one_way()?;
    let p1 = Process::spawn(send, sender)?;
    let p2 = Process::spawn(receive, receiver)?;
    p1.join()?;
    p2.join()?;
    Ok(())
}

fn send(sender: Sender<String>) {
    for message in ["hello", "hey", "hru?", "END"] {
        let sent = sender.send(message.to_string());
        sent.expect("the receiver listens");
        println!("Sent the message: {message}");
    }
}

fn receive(receiver: Receiver<String>) {
    for message in receiver.iter() {
        let message = message.expect("a message");
        println!("Received the message: {message}");
    }
    println!("Nothing more comes.");
}
