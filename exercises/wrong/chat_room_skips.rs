//! Refused: It was read by nobody
// Who has no room misses lines, and stays.
use multiprocessing::{
    Connection, Descriptor, Error, Process, pipe, wait,
};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::{env, thread};

struct Member {
    name: String,
    connection: Connection<String, String>,
    process: Process<Result<(), Error>>,
}

fn main() -> Result<(), Error> {
    multiprocessing::init();
    let path = env::args().nth(1).unwrap_or_default();
    let listener = UnixListener::bind(path)?;
    let mut members = vec![];
    for name in env::args().skip(2) {
        let client = listener.accept()?.0.into();
        let (connection, theirs) = pipe()?;
        let process = Process::spawn(serve, (client, theirs))?;
        members.push(Member {
            name,
            connection,
            process,
        });
    }
    route(members)
}

fn route(mut members: Vec<Member>) -> Result<(), Error> {
    while !members.is_empty() {
        let all = members.iter().map(|m| &m.connection);
        let n = wait(&all.collect::<Vec<_>>(), None)?[0];
        let from = &members[n];
        let line = match from.connection.recv() {
            Ok(text) => format!("{}: {text}\n", from.name),
            Err(_) => leave(members.remove(n)),
        };
        tell_all(&mut members, line);
    }
    Ok(())
}

/// Who has no room misses a line.
fn tell_all(members: &mut Vec<Member>, line: String) {
    for member in members {
        let _ = member.connection.try_send(line.clone());
    }
}

/// Ends a member's process. Returns what the others are told.
fn leave(member: Member) -> String {
    let _ = member.process.kill(); // it may have ended
    member.process.wait();
    format!("{} left\n", member.name)
}

type Ends = (Descriptor, Connection<String, String>);

/// A member's process. A thread writes to the member.
fn serve((client, router): Ends) -> Result<(), Error> {
    let mut client = UnixStream::from(client.into_fd());
    let reader = BufReader::new(client.try_clone()?);
    let (lines, router) = router.split();
    thread::spawn(move || {
        let mut lines = lines.iter().flatten();
        lines.try_for_each(|l| client.write_all(l.as_bytes()))
    });
    reader.lines().try_for_each(|l| Ok(router.send(l?)?))
}
