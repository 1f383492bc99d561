//! Half a line holds up its reader, and with it everybody
//! whom the same thread serves.
//!
//!     cargo run --example chat_half

use multiprocessing::{Descriptor, Error, Process, wait};
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

fn main() -> Result<(), Error> {
    multiprocessing::init();
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    let mut ann = TcpStream::connect(address)?;
    let mut bob = TcpStream::connect(address)?;
    let server = Process::spawn(serve, listener.into())?;
    ann.write_all(b"hel")?; // and no more for now
    bob.write_all(b"I am Bob\n")?;
    println!("Bob reads: {}", answer(&bob));
    ann.write_all(b"lo\n")?;
    println!("Bob reads: {}", answer(&bob));
    server.kill()
}

fn answer(client: &TcpStream) -> String {
    let moment = Duration::from_millis(500);
    let _ = client.set_read_timeout(Some(moment));
    let mut line = String::new();
    match BufReader::new(client).read_line(&mut line) {
        Ok(_) => line.trim().to_string(),
        Err(_) => "nothing yet".to_string(),
    }
}

// ANCHOR: serve
fn serve(listener: Descriptor) -> Result<(), Error> {
    let listener = TcpListener::from(listener.into_fd());
    let clients = [listener.accept()?.0, listener.accept()?.0];
    loop {
        for n in wait(&clients, None)? {
            let mut client = &clients[n];
            let mut line = String::new();
            BufReader::new(client).read_line(&mut line)?;
            writeln!(client, "hello, {line}")?;
        }
    }
}
// ANCHOR_END: serve
