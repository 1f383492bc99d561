//! The same with ipc-channel: a block of bytes that is sent to
//! another program without being copied.
//!
//!     cargo run --example shared_memory_ipc_channel

use ipc_channel::ipc::{
    IpcOneShotServer, IpcSender, IpcSharedMemory, channel,
};
use std::env::{args, current_exe};
use std::error::Error;
use std::process::Command;

type ToParent = (IpcSender<IpcSharedMemory>, u64);

fn main() -> Result<(), Box<dyn Error>> {
    match args().nth(1) {
        Some(name) => child(name),
        None => parent(),
    }
}

// ANCHOR: parent
fn parent() -> Result<(), Box<dyn Error>> {
    let (server, name) = IpcOneShotServer::new()?;
    let program = current_exe()?;
    let mut child = Command::new(program).arg(name).spawn()?;
    let (answers, (to_child, _)): (_, ToParent) =
        server.accept()?;
    let block = IpcSharedMemory::from_bytes(&[1, 4, 9, 16]);
    to_child.send(block)?;
    let (_, sum) = answers.recv()?;
    println!("The sum, from the child: {sum}");
    child.wait()?;
    Ok(())
}

fn child(name: String) -> Result<(), Box<dyn Error>> {
    let to_parent = IpcSender::connect(name)?;
    let (sender, receiver) = channel()?;
    to_parent.send((sender.clone(), 0u64))?;
    let block: IpcSharedMemory = receiver.recv()?;
    let sum = block.iter().map(|byte| u64::from(*byte)).sum();
    to_parent.send((sender, sum))?;
    Ok(())
}
// ANCHOR_END: parent
