//! SO_REUSEPORT: each worker has a listener of its own. A
//! connection waits for one of them, even if others are idle.
//!
//!     cargo run --example chat_reuseport

use nix::sys::socket::sockopt::ReusePort;
use nix::sys::socket::{
    AddressFamily, Backlog, SockFlag, SockType, SockaddrIn,
    bind, listen, setsockopt, socket,
};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::fd::AsRawFd;
use std::{io::Result, iter::from_fn};

fn main() -> Result<()> {
    let busy = bound(0, true)?; // its worker never accepts
    let port = busy.local_addr()?.port();
    let late = bound(port, false).map_err(|e| e.desc());
    println!("the option after bind: {:?}", late.err());
    let idle = bound(port, true)?;
    let clients = connect(port)?;
    idle.set_nonblocking(true)?;
    let got = from_fn(|| idle.accept().ok()).count();
    let wait = got < clients.len();
    println!("two listeners: some wait? {wait}");
    let busy = bound(0, true)?;
    let idle = busy.try_clone()?; // the same listener
    for _ in connect(busy.local_addr()?.port())? {
        idle.accept()?;
    }
    println!("one listener, shared: none waits");
    Ok(())
}

/// Sets the option before `bind`, or only afterwards.
fn bound(port: u16, before: bool) -> nix::Result<TcpListener> {
    let (ip, tcp) = (AddressFamily::Inet, SockType::Stream);
    let socket = socket(ip, tcp, SockFlag::empty(), None)?;
    setsockopt(&socket, ReusePort, &before)?;
    let address = SockaddrIn::new(127, 0, 0, 1, port);
    bind(socket.as_raw_fd(), &address)?;
    setsockopt(&socket, ReusePort, &true)?;
    listen(&socket, Backlog::MAXCONN)?;
    Ok(socket.into())
}

fn connect(port: u16) -> Result<Vec<TcpStream>> {
    let to = (Ipv4Addr::LOCALHOST, port);
    (0..30).map(|_| TcpStream::connect(to)).collect()
}
