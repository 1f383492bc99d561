//! ipc-channel and crossbeam-channel: what two children send
//! goes into one queue, from which two threads take.
//!
//!     cargo run --example queue_ipc_channel

use crossbeam_channel::{Receiver, bounded};
use ipc_channel::ipc::{IpcOneShotServer, IpcSender};
use ipc_channel::router::ROUTER;
use std::{env, error::Error, process::Command, thread};

fn main() -> Result<(), Box<dyn Error>> {
    if let Some(name) = env::args().nth(1) {
        return child(name);
    }
    // ANCHOR: route
    let (sender, queue) = bounded::<u64>(10);
    let mut children = Vec::new();
    for _ in 0..2 {
        let (server, name) = IpcOneShotServer::new()?;
        let program = env::current_exe()?;
        children.push(Command::new(program).arg(name).spawn()?);
        let (receiver, _one) = server.accept()?;
        let to = sender.clone();
        ROUTER.route_ipc_receiver_to_crossbeam_sender(
            receiver, to,
        );
    }
    drop(sender); // the router has the others
    // ANCHOR_END: route
    let mut got = 0;
    for thread in [&queue; 2].map(count) {
        got += thread.join().map_err(|_| "it panicked")?;
    }
    println!("the threads got {got} values");
    for child in &mut children {
        child.wait()?;
    }
    Ok(())
}

fn count(queue: &Receiver<u64>) -> thread::JoinHandle<usize> {
    let queue = queue.clone();
    thread::spawn(move || queue.iter().count())
}

fn child(name: String) -> Result<(), Box<dyn Error>> {
    let sender = IpcSender::connect(name)?;
    Ok((0..=100).try_for_each(|n: u64| sender.send(n))?)
}
