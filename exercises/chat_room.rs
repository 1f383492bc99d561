//! A chat: each line is sent to all members: "Ann: hello".
//! Whoever leaves is named to the others: "Ann left". The
//! router waits for no member. One who does not read, until
//! there is no room for a line, has to leave: its process is
//! ended. As it is given, nobody is told who has left, and who
//! does not read holds up all. Mend `route`, and check it:
//!
//!     cargo exercise chat_room
//!
//! The arguments: the path of a Unix socket, and names, in the
//! order in which the members connect (`nc -U PATH`).

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
        if let Ok(text) = from.connection.recv() {
            let line = format!("{}: {text}\n", from.name);
            for member in &members {
                member.connection.send(line.clone())?;
            }
        } else {
            members.remove(n).process.wait();
        }
    }
    Ok(())
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
