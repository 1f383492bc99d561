//! The same with ipc-channel. The child is a program that was
//! started with a name, by which it fetches its channel.
//!
//!     cargo run --example pipe_ipc_channel

use ipc_channel::ipc::{IpcOneShotServer, IpcSender, channel};
use std::env::{args, current_exe};
use std::error::Error;
use std::process::Command;

fn main() -> Result<(), Box<dyn Error>> {
    match args().nth(1) {
        Some(name) => child(name),
        None => parent(),
    }
}

// ANCHOR: parent
fn parent() -> Result<(), Box<dyn Error>> {
    let (server, name) = IpcOneShotServer::new()?;
    let mut child =
        Command::new(current_exe()?).arg(name).spawn()?;
    // The child connects, and sends the sender of a channel.
    let (_, sender): (_, IpcSender<String>) =
        server.accept()?;
    for number in 0..5 {
        sender.send(format!("msg {number}"))?;
    }
    sender.send("finish".to_string())?;
    child.wait()?;
    Ok(())
}

fn child(name: String) -> Result<(), Box<dyn Error>> {
    let to_parent = IpcSender::connect(name)?;
    let (sender, receiver) = channel::<String>()?;
    to_parent.send(sender)?;
    loop {
        let message = receiver.recv()?;
        println!("Child process received msg: {message}");
        if message == "finish" {
            return Ok(());
        }
    }
}
// ANCHOR_END: parent
