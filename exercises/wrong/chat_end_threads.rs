//! Refused: Each of four clients should have a process of its own
// A thread for each client: each socket is in one process, and all of them in the same.
use multiprocessing::Error;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::{env, process::id, thread};

fn main() -> Result<(), Error> {
    multiprocessing::init();
    let path = env::args().nth(1).unwrap_or_default();
    let listener = UnixListener::bind(path)?;
    let mut threads = vec![];
    for _ in 0..count() {
        let (mut socket, _) = listener.accept()?;
        writeln!(socket, "welcome")?;
        threads.push(thread::spawn(move || serve(socket)));
    }
    for thread in threads {
        let _ = thread.join(); // it may be killed
    }
    Ok(())
}

fn count() -> usize {
    let argument = env::args().nth(2);
    argument.and_then(|text| text.parse().ok()).unwrap_or(2)
}

/// The process of one client.
fn serve(mut client: UnixStream) -> Result<(), Error> {
    let reader = BufReader::new(client.try_clone()?);
    for line in reader.lines() {
        match line?.as_str() {
            "bye" => break,
            line => writeln!(client, "{line}, says {}", id())?,
        }
    }
    Ok(())
}
