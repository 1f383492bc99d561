//! A client for `chat_server`: what you type is sent, and what
//! the others say is printed.
//!
//!     cargo run --example chat_client
//!
//! Another address: -- 192.0.2.1:7777
//!
//! Expect: for people

use std::env::args;
use std::io::{copy, stdin, stdout};
use std::net::{Shutdown, TcpStream};
use std::process::exit;
use std::thread;

fn main() -> std::io::Result<()> {
    let address = args().nth(1);
    let address =
        address.as_deref().unwrap_or("127.0.0.1:7777");
    let server = TcpStream::connect(address)?;
    let mut reader = server.try_clone()?;
    eprintln!("Your name? (Ctrl-D ends the talk.)");
    thread::spawn(move || {
        let printed = copy(&mut reader, &mut stdout());
        eprintln!("The server has hung up.");
        exit(printed.is_err().into()) // stdin may still wait
    });
    copy(&mut stdin(), &mut &server)?;
    server.shutdown(Shutdown::Write)?; // no more from here
    thread::park(); // the thread above ends the program
    Ok(())
}
