//! Each socket is in one process: the one that serves it.

use multiprocessing::{Descriptor, Error, Process};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::{env, process::id};

fn main() -> Result<(), Error> {
    multiprocessing::init();
    let path = env::args().nth(1).unwrap_or_default();
    let listener = UnixListener::bind(path)?;
    let mut handlers = vec![];
    for _ in 0..count() {
        let (mut socket, _) = listener.accept()?;
        writeln!(socket, "welcome")?;
        handlers.push(Process::spawn(serve, socket.into())?);
    }
    for handler in handlers {
        let _ = handler.join(); // it may be killed
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
