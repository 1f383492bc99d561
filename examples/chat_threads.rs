//! A thread for each client: little memory, and a crash ends
//! the talk of all.
//!
//!     cargo run --example chat_threads

use multiprocessing::{Descriptor, Error, Process};
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;

fn main() -> Result<(), Error> {
    multiprocessing::init();
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    let server = Process::spawn(accept, listener.into())?;
    let ann = TcpStream::connect(address)?;
    let bob = TcpStream::connect(address)?;
    println!("Bob reads: {}", ask(&bob, "Bob"));
    println!("Ann reads: {}", ask(&ann, "crash"));
    println!("Bob reads: {}", ask(&bob, "still here"));
    println!("the server: {:?}", server.join());
    Ok(())
}

fn ask(mut client: &TcpStream, line: &str) -> String {
    let mut answer = String::new();
    let _ = writeln!(client, "{line}");
    let _ = BufReader::new(client).read_line(&mut answer);
    format!("{:?}", answer.trim())
}

// ANCHOR: serve
fn accept(listener: Descriptor) -> Result<(), Error> {
    let listener = TcpListener::from(listener.into_fd());
    loop {
        let (client, _) = listener.accept()?;
        thread::spawn(move || serve(client));
    }
}

fn serve(mut client: TcpStream) -> Result<(), Error> {
    for line in BufReader::new(client.try_clone()?).lines() {
        match line?.as_str() {
            "crash" => std::process::abort(),
            name => writeln!(client, "hello, {name}")?,
        }
    }
    Ok(())
}
// ANCHOR_END: serve
