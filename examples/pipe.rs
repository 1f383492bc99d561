//! Five messages and "finish" go through a pipe to a child.
//!
//!     cargo run --example pipe

use multiprocessing::{Error, Process, Receiver, pipe_one_way};

fn main() -> Result<(), Error> {
    multiprocessing::init();
    let (receiver, sender) = pipe_one_way()?;
    let child = Process::spawn(receive, receiver)?;
    for number in 0..5 {
        sender.send(format!("msg {number}"))?;
    }
    sender.send("finish".to_string())?;
    child.join()?
}

fn receive(receiver: Receiver<String>) -> Result<(), Error> {
    loop {
        let message = receiver.recv()?;
        println!("Child process received msg: {message}");
        if message == "finish" {
            return Ok(());
        }
    }
}
