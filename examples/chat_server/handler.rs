//! The process of one client.

use crate::fault::try_fault;
use crate::text::read_line;
use multiprocessing::{Connection, Descriptor, Error, Sender};
use nix::sys::resource::{Resource, setrlimit};
use nix::sys::signal::{SigHandler, Signal, signal};
use nix::sys::socket::setsockopt;
use nix::sys::socket::sockopt::{KeepAlive, TcpKeepIdle};
use nix::unistd::alarm;
use serde::{Deserialize, Serialize};
use std::io::{self, BufReader, Write};
use std::net::TcpStream;
use std::{process, thread, time::Duration};

/// What a handler tells the router.
#[derive(Serialize, Deserialize)]
pub enum Event {
    Joined(String),
    Said(String),
    Left,
}

/// How many seconds a client may take to send its name, or to
/// make room for a line.
const PATIENCE: u32 = 10;
/// After how many idle seconds it is asked whether it is there.
const IDLE: u32 = 60;
/// How long a line takes at least: a flood waits here.
const PACE: Duration = Duration::from_millis(1);
/// How much memory a handler may take, in bytes.
const MEMORY: u64 = 64 << 20;

// ANCHOR: prepare
/// In the fork server, once: its children inherit both.
pub fn prepare(_: ()) {
    let limit = Resource::RLIMIT_DATA;
    setrlimit(limit, MEMORY, MEMORY).expect("it is lower");
    // SAFETY: no handler is replaced, and none is installed.
    // (Ctrl-C is for the router, which tells everybody.)
    unsafe { signal(Signal::SIGINT, SigHandler::SigIgn) }
        .expect("SIGINT can be ignored");
}
// ANCHOR_END: prepare

type Ends = (Descriptor, Connection<Event, String>);

// ANCHOR: serve
pub fn serve((client, router): Ends) -> Result<(), Error> {
    let mut client = TcpStream::from(client.into_fd());
    alarm::set(PATIENCE); // it ends this process, unless ...
    client.set_nodelay(true)?;
    let patience = Duration::from_secs(PATIENCE.into());
    client.set_write_timeout(Some(patience))?;
    keep_alive(&client).map_err(io::Error::from)?;
    let reader = BufReader::new(client.try_clone()?);
    let (lines, events) = router.split();
    let writer = thread::spawn(move || {
        for line in lines.iter().flatten() {
            if client.write_all(line.as_bytes()).is_err() {
                break;
            }
        }
        process::exit(0) // although the reader may wait
    });
    // An error is an end, too: a reset, a line too long.
    let _ = listen(reader, &events);
    events.send(Event::Left)?;
    let _ = writer.join(); // until the router closes
    Ok(())
}

fn keep_alive(client: &TcpStream) -> nix::Result<()> {
    setsockopt(client, KeepAlive, &true)?;
    setsockopt(client, TcpKeepIdle, &IDLE)
}

fn listen(
    mut client: BufReader<TcpStream>,
    router: &Sender<Event>,
) -> Result<(), Error> {
    let Some(mut name) = read_line(&mut client)? else {
        return Ok(());
    };
    alarm::cancel(); // ... a name has come
    name.truncate(name.floor_char_boundary(30));
    if name.is_empty() {
        name = "somebody".to_string();
    }
    router.send(Event::Joined(name))?;
    while let Some(line) = read_line(&mut client)? {
        try_fault(&line);
        router.send(Event::Said(line))?;
        thread::sleep(PACE);
    }
    Ok(())
}
// ANCHOR_END: serve
