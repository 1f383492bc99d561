//! Refused: read “you said hällo”, but read “you said h��llo”
// A letter of two bytes may come in two pieces.
use multiprocessing::{Error, wait};
use std::env;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::{UnixListener, UnixStream};

struct Client {
    socket: UnixStream,
    /// What has come, from the last line's end on.
    rest: String,
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
        clients.push(Client { socket, rest: String::new() });
    }
    while !clients.is_empty() {
        // From the back: `remove` moves those behind n.
        for n in wait(&clients, None)?.into_iter().rev() {
            // An error is this client's end, and no other's.
            if !serve(&mut clients[n]).unwrap_or(false) {
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
    rest.push_str(&String::from_utf8_lossy(&bytes[..size]));
    while let Some(end) = rest.find('\n') {
        let text: String = rest.drain(..=end).collect();
        writeln!(socket, "you said {}", text.trim_end())?;
    }
    Ok(size > 0)
}
