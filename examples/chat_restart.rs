//! When may a server bind to the address of the one before?
//!
//!     cargo run --example chat_restart

use nix::sys::socket::{
    AddressFamily, SockFlag, SockType, SockaddrIn, bind, socket,
};
use std::io::Result;
use std::net::{TcpListener, TcpStream};
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixListener;
use std::{env, fs, process};

fn main() -> Result<()> {
    let first = TcpListener::bind("127.0.0.1:0")?;
    let at = first.local_addr()?;
    let again = TcpListener::bind(at);
    println!("it still listens: {}", told(again));

    let client = TcpStream::connect(at)?;
    let served = first.accept()?.0;
    drop((first, served)); // the server hangs up first,
    drop(client); // and then its client
    let again = bare(at.port());
    println!("it has ended, bare bind: {}", told(again));
    let again = TcpListener::bind(at);
    println!("it has ended, SO_REUSEADDR: {}", told(again));

    let name = format!("chat_restart_{}", process::id());
    let path = env::temp_dir().join(name);
    drop(UnixListener::bind(&path)?);
    let again = UnixListener::bind(&path);
    println!("its file is there: {}", told(again));
    fs::remove_file(&path)?;
    let again = UnixListener::bind(&path);
    println!("it was removed: {}", told(again));
    fs::remove_file(path)
}

/// Without an option.
fn bare(port: u16) -> Result<()> {
    let (ip, tcp) = (AddressFamily::Inet, SockType::Stream);
    let socket = socket(ip, tcp, SockFlag::empty(), None)?;
    let address = SockaddrIn::new(127, 0, 0, 1, port);
    Ok(bind(socket.as_raw_fd(), &address)?)
}

fn told<T>(result: Result<T>) -> String {
    result.map_or_else(|e| e.to_string(), |_| "bound".into())
}
