//! Prefork: the workers are started first, and all of them
//! accept from one listener. Each serves one client at a time.
//!
//!     cargo run --example chat_prefork

use multiprocessing::{Descriptor, Error, Process};
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

fn main() -> Result<(), Error> {
    multiprocessing::init();
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    let (mut workers, mut clients) = (vec![], vec![]);
    for _ in 0..2 {
        let shared = listener.try_clone()?.into();
        workers.push(Process::spawn(serve, shared)?);
    }
    for name in ["Ann", "Bob", "Cid"] {
        let mut client = TcpStream::connect(address)?;
        writeln!(client, "{name}")?;
        println!("{name} reads: {}", answer(&client));
        clients.push(client);
    }
    drop(clients.remove(0)); // Ann leaves: a worker is free
    println!("Cid reads: {}", answer(&clients[1]));
    workers.iter().try_for_each(Process::kill)
}

fn answer(client: &TcpStream) -> String {
    let moment = Duration::from_millis(500);
    let _ = client.set_read_timeout(Some(moment));
    let mut line = String::new();
    let _ = BufReader::new(client).read_line(&mut line);
    format!("{:?}", line.trim())
}

// ANCHOR: serve
fn serve(listener: Descriptor) -> Result<(), Error> {
    let listener = TcpListener::from(listener.into_fd());
    loop {
        let (mut client, _) = listener.accept()?;
        let reader = BufReader::new(client.try_clone()?);
        for line in reader.lines() {
            writeln!(client, "hello, {}", line?)?;
        }
    }
}
// ANCHOR_END: serve
