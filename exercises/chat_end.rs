//! A server with a process for each client. It prints nothing.
//! Whoever says "bye" is served no longer, and so is one whose
//! process is killed. Both should read the end of their
//! connection at once, while the others talk on.
//!
//! As it is given, they wait for it until all have left. Find
//! out who still holds their sockets, and mend `main`.
//!
//!     cargo exercise chat_end
//!
//! The arguments are the path of a Unix socket and how many
//! clients will come. To be such a client: `nc -U PATH`.

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
    Ok(())
}
