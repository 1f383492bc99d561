//! A server that talks to one client, and then to the next.
//!
//!     cargo run --example chat_one

use multiprocessing::{Descriptor, Error, Process};
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

fn main() -> Result<(), Error> {
    multiprocessing::init();
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    let server = Process::spawn(serve, listener.into())?;
    let mut ann = TcpStream::connect(address)?;
    let mut bob = TcpStream::connect(address)?;
    bob.write_all(b"Bob\n")?;
    ann.write_all(b"Ann\n")?;
    println!("Ann reads: {}", answer(&ann));
    println!("Bob reads: {}", answer(&bob));
    drop(ann);
    println!("Ann has left");
    println!("Bob reads: {}", answer(&bob));
    server.kill() // it would wait for the next client
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

fn serve(listener: Descriptor) -> Result<(), Error> {
    let listener = TcpListener::from(listener.into_fd());
    loop {
        let (mut client, _) = listener.accept()?;
        for line in BufReader::new(client.try_clone()?).lines()
        {
            writeln!(client, "hello, {}", line?)?;
        }
    }
}
