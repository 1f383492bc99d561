//! Who speaks the handshake of a listener by hand.

use crate::Outcome;
use crate::helper::LONG;
use crate::server::KEY;
use hmac_sha256::HMAC;
use multiprocessing::{Client, Error, Listener};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use std::io::{self, Read};
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

/// As many descriptors as the system allows.
pub fn many_descriptors() -> nix::Result<u64> {
    let (_, most) = getrlimit(Resource::RLIMIT_NOFILE)?;
    setrlimit(Resource::RLIMIT_NOFILE, most, most)?;
    Ok(most)
}

/// Connects, and has said nothing yet.
pub fn stranger(listener: &Listener) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(listener.local_addr().to_string())?;
    stream.set_read_timeout(Some(LONG))?;
    Ok(stream)
}

/// A message as it is sent.
pub fn frame(message: &[u8]) -> Vec<u8> {
    [&(message.len() as u32).to_be_bytes(), message].concat()
}

/// The next message.
pub fn read_frame(stream: &mut TcpStream) -> io::Result<Vec<u8>> {
    let mut length = [0; 4];
    stream.read_exact(&mut length)?;
    let mut message = vec![0; u32::from_be_bytes(length) as usize];
    stream.read_exact(&mut message)?;
    Ok(message)
}

/// What it is challenged with, behind the mark of a challenge.
pub fn challenge(stream: &mut TcpStream) -> io::Result<Vec<u8>> {
    let message = read_frame(stream)?;
    Ok(message.strip_prefix(b"#CHALLENGE#").ok_or(io::ErrorKind::InvalidData)?.to_vec())
}

/// The answer of one who has the key.
pub fn answer(challenge: &[u8]) -> Vec<u8> {
    [&b"{sha256}"[..], &HMAC::mac(challenge, KEY)].concat()
}

/// The listener closes the connection, after `last`.
pub fn assert_closed(mut stream: TcpStream, last: &[u8]) -> Outcome {
    let mut rest = Vec::new();
    match stream.read_to_end(&mut rest) {
        Err(error) if error.kind() != io::ErrorKind::ConnectionReset => Err(error)?,
        _ => assert_eq!(rest, last),
    }
    Ok(())
}

/// Waits until so many were refused, and lets in one who has the key.
pub fn assert_refused(listener: &Listener, count: u64) -> Outcome {
    let start = Instant::now();
    while listener.refused() != count && start.elapsed() < LONG {
        thread::sleep(Duration::from_millis(1));
    }
    assert_eq!(listener.refused(), count);
    let honest = Client::<u32, ()>::connect_timeout(listener.local_addr(), KEY, LONG)?;
    honest.send(7)?;
    assert_eq!(listener.accept_timeout::<(), u32>(LONG)?.recv()?, 7);
    Ok(())
}

/// What a client's refusal says.
pub fn refusal(connected: Result<Client<(), ()>, Error>) -> String {
    match connected {
        Err(error @ Error::Authentication { .. }) => error.to_string(),
        other => panic!("{other:?}"),
    }
}
