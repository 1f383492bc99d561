//! A chat with a router. Each line is sent to all members:
//! "Ann: hello". A member who leaves is named to the others:
//! "Ann left". The router waits for no member. One who does not
//! read until there is no room for a line has to leave: its
//! process is ended, even if it hangs.
//!
//! As it is given, nobody is told who has left, and one member
//! who does not read holds up all. Change `route` and
//! `tell_all`; the rest is as it should be.
//!
//!     cargo exercise chat_room
//!
//! The arguments are the path of a Unix socket and the names
//! of the members, in the order in which they will connect.
//! To be such a member: `nc -U PATH`.

use multiprocessing::{
    Connection, Descriptor, Error, Process, Receiver, pipe,
    wait,
};
use std::io::{BufRead, BufReader, Write};
use std::os::fd::{AsFd, BorrowedFd};
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
        let (client, _) = listener.accept()?;
        let (connection, theirs) = pipe()?;
        let ends = (client.into(), theirs);
        let process = Process::spawn(serve, ends)?;
        let member = Member {
            name,
            connection,
            process,
        };
        members.push(member);
    }
    route(members)
}

fn route(mut members: Vec<Member>) -> Result<(), Error> {
    while !members.is_empty() {
        let n = wait(&members, None)?[0]; // one is enough
        match members[n].connection.recv() {
            Ok(text) => {
                let name = &members[n].name;
                let line = format!("{name}: {text}\n");
                tell_all(&members, &line)?;
            }
            Err(_) => members.remove(n).process.wait(),
        }
    }
    Ok(())
}

fn tell_all(
    members: &[Member],
    line: &str,
) -> Result<(), Error> {
    for member in members {
        member.connection.send(line.to_string())?;
    }
    Ok(())
}

/// A member is ready when its process says something or ends.
impl AsFd for Member {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.connection.as_fd()
    }
}

type Ends = (Descriptor, Connection<String, String>);

/// The process of one member: this thread reads what it says,
/// the other one writes to it.
fn serve((client, router): Ends) -> Result<(), Error> {
    let client = UnixStream::from(client.into_fd());
    let reader = BufReader::new(client.try_clone()?);
    let (lines, router) = router.split();
    thread::spawn(move || write(client, &lines));
    for line in reader.lines() {
        router.send(line?)?;
    }
    Ok(())
}

fn write(mut client: UnixStream, lines: &Receiver<String>) {
    for line in lines.iter().flatten() {
        if client.write_all(line.as_bytes()).is_err() {
            break; // it has gone
        }
    }
}
