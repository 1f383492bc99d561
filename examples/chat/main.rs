//! All hear all: a process for each client, and a router in
//! the parent. Three clients talk; what each reads is printed.
//!
//!     cargo run --example chat

use multiprocessing::{
    Connection, Descriptor, Error, Process, Receiver, pipe,
    wait,
};
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};

fn main() -> Result<(), Error> {
    multiprocessing::init();
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    let clients = Process::spawn(talk, address)?;
    let (mut members, mut handlers) = (vec![], vec![]);
    // ANCHOR: accept
    for _ in 0..3 {
        let (client, _) = listener.accept()?;
        let (ours, theirs) = pipe()?;
        let ends = (client.into(), theirs);
        handlers.push(Process::spawn(serve, ends)?);
        members.push(ours);
    }
    // ANCHOR_END: accept
    route(members)?;
    clients.join()??;
    handlers.into_iter().try_for_each(|h| h.join()?)
}

// ANCHOR: server

type Member = Connection<String, String>;

/// What one member says is sent to all.
fn route(mut members: Vec<Member>) -> Result<(), Error> {
    while !members.is_empty() {
        // From the back: remove(n) moves those behind n.
        for n in wait(&members, None)?.into_iter().rev() {
            match members[n].recv() {
                Ok(line) => tell_all(&members, &line)?,
                Err(_) => members.remove(n).close(),
            }
        }
    }
    Ok(())
}

fn tell_all(
    members: &[Member],
    line: &str,
) -> Result<(), Error> {
    for member in members {
        member.send(line.to_string())?;
    }
    Ok(())
}

/// The process of one client: a thread writes to it, and this
/// one reads.
fn serve(ends: (Descriptor, Member)) -> Result<(), Error> {
    let client = TcpStream::from(ends.0.into_fd());
    let reader = BufReader::new(client.try_clone()?);
    let (lines, router) = ends.1.split();
    std::thread::spawn(move || write(client, &lines));
    for line in reader.lines() {
        router.send(line? + "\n")?;
    }
    Ok(())
}

fn write(mut client: TcpStream, lines: &Receiver<String>) {
    for line in lines.iter().flatten() {
        if client.write_all(line.as_bytes()).is_err() {
            break; // it has gone
        }
    }
}
// ANCHOR_END: server

fn talk(address: SocketAddr) -> Result<(), Error> {
    let mut clients = vec![];
    for name in ["Ann", "Bob", "Cid"] {
        let client = TcpStream::connect(address)?;
        let reader = BufReader::new(client.try_clone()?);
        clients.push((name, client, reader));
    }
    for speaker in 0..clients.len() {
        let (name, client, _) = &mut clients[speaker];
        writeln!(client, "{name}: hello")?;
        for (name, _, reader) in &mut clients {
            let mut line = String::new();
            reader.read_line(&mut line)?;
            print!("{name} reads {line}");
        }
    }
    Ok(())
}
