//! The router waits for all, and for nobody.

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
        let line = match members[n].connection.recv() {
            Ok(text) => {
                format!("{}: {text}\n", members[n].name)
            }
            Err(_) => leave(members.remove(n)),
        };
        tell_all(&mut members, line);
    }
    Ok(())
}

/// Waits for nobody. Who cannot be told has to leave, and the
/// others are told that, too.
fn tell_all(members: &mut Vec<Member>, line: String) {
    let mut lines = vec![line];
    while let Some(line) = lines.pop() {
        let cannot_be_told = |member: &mut Member| {
            member.connection.try_send(line.clone()).is_err()
        };
        let gone = members.extract_if(.., cannot_be_told);
        lines.extend(gone.map(leave));
    }
}

/// Ends a member's process. Returns what the others are told.
fn leave(member: Member) -> String {
    let _ = member.process.kill(); // it may have ended
    member.process.wait();
    format!("{} left\n", member.name)
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
