//! The parent accepts, and passes the socket to a worker.
//!
//!     cargo run --example chat_pass

use multiprocessing::*;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::{os::fd::AsFd, process::id};

fn main() -> Result<(), Error> {
    init();
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    let (mut workers, mut clients) = (vec![], vec![]);
    for _ in 0..2 {
        let (receiver, sender) = pipe_one_way()?;
        workers
            .push((sender, Process::spawn(serve, receiver)?));
    }
    for n in 0..4 {
        clients.push(TcpStream::connect(address)?);
        let client = listener.accept()?.0.into();
        workers[n % 2].0.send(client)?; // it is moved there
    }
    for client in &mut clients {
        client.write_all(b"hello")?;
        let mut line = String::new();
        BufReader::new(client).read_line(&mut line)?;
        print!("{line}");
    }
    workers.iter().try_for_each(|(_, worker)| worker.kill())
}

// ANCHOR: serve
fn serve(new: Receiver<Descriptor>) -> Result<(), Error> {
    let mut clients: Vec<TcpStream> = vec![];
    loop {
        let mut all: Vec<&dyn AsFd> = vec![&new];
        all.extend(clients.iter().map(|c| c as &dyn AsFd));
        let ready = wait(&all, None)?[0];
        if ready == 0 {
            clients.push(new.recv()?.into_fd().into());
        } else {
            let client = &mut clients[ready - 1];
            let size = client.read(&mut [0; 1000])?;
            writeln!(client, "process {} read {size}", id())?;
        }
    }
}
// ANCHOR_END: serve
