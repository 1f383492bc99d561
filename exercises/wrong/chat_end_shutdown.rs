//! Refused: Bob's process was killed. Bob should read the end
// `shutdown` ends the connection for all who hold it. A killed process calls nothing.
use multiprocessing::{Descriptor, Error, Process};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::{env, process::id};

/// A client, and the process that serves it.
struct Guest {
    socket: UnixStream,
    handler: Process<Result<(), Error>>,
}

fn main() -> Result<(), Error> {
    multiprocessing::init();
    let path = env::args().nth(1).unwrap_or_default();
    let listener = UnixListener::bind(path)?;
    let mut guests = vec![];
    for _ in 0..count() {
        let (mut socket, _) = listener.accept()?;
        writeln!(socket, "welcome")?;
        let copy = Descriptor::from(socket.try_clone()?);
        let handler = Process::spawn(serve, copy)?;
        guests.push(Guest { socket, handler });
    }
    for guest in guests {
        let _ = guest.handler.join(); // it may be killed
        drop(guest.socket);
    }
    Ok(())
}

fn count() -> usize {
    let argument = env::args().nth(2);
    argument.and_then(|text| text.parse().ok()).unwrap_or(2)
}

/// The process of one client.
fn serve(client: Descriptor) -> Result<(), Error> {
    let mut client = UnixStream::from(client.into_fd());
    let reader = BufReader::new(client.try_clone()?);
    for line in reader.lines() {
        match line?.as_str() {
            "bye" => break,
            line => writeln!(client, "{line}, says {}", id())?,
        }
    }
    client.shutdown(std::net::Shutdown::Both)?;
    Ok(())
}
