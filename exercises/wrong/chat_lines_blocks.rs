//! Refused: Ann has sent half a line. Bob should read “you said 
// All lines of the buffer are taken, and half a line still holds up everybody.
use multiprocessing::{Error, wait};
use std::env;
use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::net::{UnixListener, UnixStream};

fn main() -> Result<(), Error> {
    let path = env::args().nth(1).unwrap_or_default();
    let listener = UnixListener::bind(path)?;
    let mut clients = vec![];
    for _ in 0..count() {
        clients.push(BufReader::new(listener.accept()?.0));
    }
    while !clients.is_empty() {
        // From the back: `remove` moves those behind n.
        let sockets: Vec<_> = clients.iter().map(BufReader::get_ref).collect();
        for n in wait(&sockets, None)?.into_iter().rev() {
            if !serve(&mut clients[n]).unwrap_or(false) {
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
fn serve(client: &mut BufReader<UnixStream>) -> io::Result<bool> {
    loop {
        let mut line = String::new();
        let size = client.read_line(&mut line)?;
        if size > 0 {
            writeln!(client.get_mut(), "you said {}", line.trim_end())?;
        }
        if size == 0 || !client.buffer().contains(&b'\n') {
            return Ok(size > 0);
        }
    }
}
