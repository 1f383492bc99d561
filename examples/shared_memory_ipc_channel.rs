//! The same with ipc-channel: a block of bytes that is sent to
//! another program without being copied.
//!
//!     cargo run --example shared_memory_ipc_channel

use ipc_channel::ipc::{
    IpcOneShotServer, IpcReceiver, IpcSender, IpcSharedMemory,
    channel,
};
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
/// What the child sends first: where blocks go to, and where
/// sums come from.
type Ends = (IpcSender<IpcSharedMemory>, IpcReceiver<u64>);

fn parent() -> Result<(), Box<dyn Error>> {
    let (server, name) = IpcOneShotServer::new()?;
    let program = current_exe()?;
    let mut child = Command::new(program).arg(name).spawn()?;
    let (_, (blocks, sums)): (_, Ends) = server.accept()?;
    blocks.send(IpcSharedMemory::from_bytes(&[1, 4, 9, 16]))?;
    println!("The sum, from the child: {}", sums.recv()?);
    child.wait()?;
    Ok(())
}

fn child(name: String) -> Result<(), Box<dyn Error>> {
    let (to_child, blocks) = channel()?;
    let (sums, to_parent) = channel()?;
    IpcSender::connect(name)?.send((to_child, to_parent))?;
    let block: IpcSharedMemory = blocks.recv()?;
    let sum: u64 =
        block.iter().map(|byte| u64::from(*byte)).sum();
    sums.send(sum)?;
    Ok(())
}
// ANCHOR_END: parent
