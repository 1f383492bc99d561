//! A process for each client: a crash ends one talk.
//!
//!     cargo run --example chat_each

use multiprocessing::{Descriptor, Error, Process};
use std::io::{self, BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};

fn main() -> Result<(), Error> {
    multiprocessing::init();
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    let (mut clients, mut handlers) = (vec![], vec![]);
    for _ in ["Ann", "Bob"] {
        clients.push(TcpStream::connect(address)?);
        // ANCHOR: accept
        let client = listener.accept()?.0.into();
        handlers.push(Process::spawn(serve, client)?);
        // ANCHOR_END: accept
    }
    let (ann, bob) = (&clients[0], &clients[1]);
    println!("Bob reads: {}", ask(bob, "Bob")?);
    println!("Ann reads: {}", ask(ann, "crash")?);
    println!("Bob reads: {}", ask(bob, "still here")?);
    clients.clear(); // both hang up
    for handler in handlers {
        println!("a handler: {:?}", handler.join());
    }
    Ok(())
}

fn ask(mut to: &TcpStream, line: &str) -> io::Result<String> {
    writeln!(to, "{line}")?;
    let mut answer = String::new();
    BufReader::new(to).read_line(&mut answer)?;
    Ok(format!("{:?}", answer.trim()))
}

// ANCHOR: serve
fn serve(client: Descriptor) -> Result<(), Error> {
    let mut client = TcpStream::from(client.into_fd());
    for line in BufReader::new(client.try_clone()?).lines() {
        match line?.as_str() {
            "crash" => std::process::abort(),
            name => writeln!(client, "hello, {name}")?,
        }
    }
    Ok(())
}
// ANCHOR_END: serve
