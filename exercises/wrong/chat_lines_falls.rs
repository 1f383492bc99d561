//! Refused: Dan has left without reading his answer.
// One client's error ends the talk of all.
use multiprocessing::{Error, wait};
use std::env;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::{UnixListener, UnixStream};

struct Client {
    socket: UnixStream,
    /// What has come, from the last line's end on.
    rest: Vec<u8>,
}

/// So that `wait` takes it.
impl AsFd for Client {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

fn main() -> Result<(), Error> {
    let path = env::args().nth(1).unwrap_or_default();
    let listener = UnixListener::bind(path)?;
    let mut clients = vec![];
    for _ in 0..count() {
        let (socket, _) = listener.accept()?;
        clients.push(Client { socket, rest: vec![] });
    }
    while !clients.is_empty() {
        // From the back: `remove` moves those behind n.
        for n in wait(&clients, None)?.into_iter().rev() {
            if !serve(&mut clients[n])? {
                clients.remove(n);
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
fn serve(client: &mut Client) -> io::Result<bool> {
    let Client { socket, rest } = client;
    let mut bytes = [0; 4096];
    let size = socket.read(&mut bytes)?;
    rest.extend(&bytes[..size]);
    while let Some(end) = rest.iter().position(|b| *b == b'\n')
    {
        let line: Vec<u8> = rest.drain(..=end).collect();
        let text = String::from_utf8_lossy(&line);
        writeln!(socket, "you said {}", text.trim_end())?;
    }
    Ok(size > 0)
}
