//! One process serves all its clients in one loop. To each
//! line, whatever its length, it answers "you said ...". Half
//! a line is answered when its other half has come, and holds
//! up nobody. Several lines may come in one piece. A client may
//! leave at any moment, which is no matter to the others. When
//! all have left, the program ends.
//!
//! As it is given, it waits for the end of half a line, and
//! loses lines that have come in one piece. Change what you
//! need to, for instance `serve` and what it is given.
//!
//!     cargo exercise chat_lines
//!
//! The arguments are the path of a Unix socket and how many
//! clients will come. To be such a client: `nc -U PATH`.

use multiprocessing::{Error, wait};
use std::env;
use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::net::{UnixListener, UnixStream};

fn main() -> Result<(), Error> {
    let path = env::args().nth(1).unwrap_or_default();
    let listener = UnixListener::bind(path)?;
    let mut clients = vec![];
    for _ in 0..count() {
        clients.push(listener.accept()?.0);
    }
    while !clients.is_empty() {
        // From the back: `remove` moves those behind n.
        for n in wait(&clients, None)?.into_iter().rev() {
            if !serve(&clients[n])? {
                clients.remove(n); // it has left
            }
        }
    }
    Ok(())
}

fn count() -> usize {
    let argument = env::args().nth(2);
    argument.and_then(|text| text.parse().ok()).unwrap_or(2)
}

/// Answers a client from which something has come. Returns
/// false if that is the end.
fn serve(mut client: &UnixStream) -> io::Result<bool> {
    let mut line = String::new();
    let size = BufReader::new(client).read_line(&mut line)?;
    if size > 0 {
        writeln!(client, "you said {}", line.trim_end())?;
    }
    Ok(size > 0)
}
