//! The chat server: who reads what, also if others flood it, never read, reset their connections,
//! or come by the hundred.

use nix::sys::resource::{Resource, setrlimit};
use nix::sys::socket::{setsockopt, sockopt};
use nix::unistd::Pid;
use std::io::{self, BufRead, ErrorKind, Read, Write};
use std::net::Shutdown;
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};
use std::{env, fs, thread};
use tests::chat::{self, Client, Server, all_end, program, until};
use tests::helper::LONG;
use tests::{Outcome, trials};

fn main() -> ExitCode {
    chat::main(trials![
        everybody_reads_the_same_in_the_same_order,
        a_client_that_says_no_more_reads_to_the_end,
        half_a_line_holds_up_nobody,
        a_line_without_an_end_is_the_last,
        bytes_that_are_no_text_are_marked,
        a_name_has_an_end_too,
        who_sends_no_name_has_to_leave,
        connections_that_are_reset_leave_nothing,
        a_flood_drowns_nobody,
        a_client_that_never_reads_drops_out,
        who_finds_no_seat_waits,
        without_a_descriptor_the_client_waits_and_the_router_sleeps,
        without_a_process_the_client_waits_and_the_router_sleeps,
        hundreds_of_clients,
        the_client_for_people,
    ])
}

fn everybody_reads_the_same_in_the_same_order() -> Outcome {
    let server = Server::start()?;
    let mut all = vec![];
    for name in ["Ann", "Bob", "Cid"] {
        all.push(server.join(name)?);
    }
    all[0].read_to("Cid joined")?;
    all[1].read_to("Cid joined")?;
    for client in &mut all {
        for n in 0..20 {
            client.say(&format!("line {n}"))?;
        }
    }
    let mut read = vec![];
    for client in &mut all {
        read.push((0..60).map(|_| client.line()).collect::<Result<Vec<_>, _>>()?);
    }
    assert_eq!(read[0], read[1]);
    assert_eq!(read[0], read[2]);
    for name in ["Ann", "Bob", "Cid"] {
        let said: Vec<_> = read[0].iter().flatten().filter(|l| l.starts_with(name)).collect();
        assert_eq!(
            said,
            (0..20)
                .map(|n| format!("{name}: line {n}"))
                .collect::<Vec<_>>()
                .iter()
                .collect::<Vec<_>>()
        );
    }
    drop(all.pop());
    all[0].reads("Cid left")?;
    server.end()
}

fn a_client_that_says_no_more_reads_to_the_end() -> Outcome {
    let server = Server::start()?;
    let mut bob = server.join("Bob")?;
    let mut ann = Client::connect(server.address)?;
    ann.socket.write_all(b"Ann\nhello\nbye")?; // without a line's end
    ann.socket.shutdown(Shutdown::Write)?;
    assert_eq!(ann.rest()?, ["Ann joined", "Ann: hello", "Ann: bye"]);
    assert_eq!(bob.read_to("Ann left")?, ["Ann joined", "Ann: hello", "Ann: bye"]);
    until("her process ends", || Ok(server.handlers().len() == 1))?;
    server.end()
}

fn half_a_line_holds_up_nobody() -> Outcome {
    let server = Server::start()?;
    let mut ann = server.join("Ann")?;
    let mut bob = server.join("Bob")?;
    let mut nobody = Client::connect(server.address)?;
    nobody.socket.write_all(b"No")?; // half a name
    ann.socket.write_all(b"hel")?;
    for n in 0..10 {
        bob.say(&n.to_string())?;
        bob.reads(&format!("Bob: {n}"))?;
    }
    ann.say("lo")?;
    bob.reads("Ann: hello")?;
    nobody.say("ra")?;
    bob.reads("Nora joined")?;
    server.end()
}

fn a_line_without_an_end_is_the_last() -> Outcome {
    let server = Server::start()?;
    let mut ann = server.join("Ann")?;
    let (mut eve, handler) = server.join_with_handler("Eve")?;
    ann.reads("Eve joined")?;
    let (mut sent, piece) = (0_u64, [b'x'; 65536]);
    while sent < 1 << 30 && eve.socket.write_all(&piece).is_ok() {
        sent += piece.len() as u64;
    }
    assert!(sent < 1 << 26, "{sent} bytes were taken");
    ann.reads("Eve left")?;
    all_end(&[handler].into());
    ann.say(&"y".repeat(1000))?;
    ann.reads(&format!("Ann: {}", "y".repeat(1000)))?;
    ann.say(&"y".repeat(1001))?;
    assert_eq!(ann.line()?, None, "a byte too many");
    server.end()
}

fn bytes_that_are_no_text_are_marked() -> Outcome {
    let server = Server::start()?;
    let mut ann = server.join("Ann")?;
    let mut eve = server.join("Eve")?;
    ann.reads("Eve joined")?;
    eve.socket.write_all(b"\xff\xfe\n\x1b[2J\x07\n\0\n\xc3(\r\n")?;
    let bad = '\u{fffd}';
    ann.reads(&format!("Eve: {bad}{bad}"))?;
    ann.reads(&format!("Eve: {bad}[2J{bad}"))?;
    ann.reads(&format!("Eve: {bad}"))?;
    ann.reads(&format!("Eve: {bad}("))?;
    server.end()
}

fn a_name_has_an_end_too() -> Outcome {
    let server = Server::start()?;
    let mut ann = server.join("Ann")?;
    let mut long = Client::connect(server.address)?;
    long.say(&"ä".repeat(200))?;
    ann.reads(&format!("{} joined", "ä".repeat(15)))?;
    let mut none = Client::connect(server.address)?;
    none.say("")?;
    ann.reads("somebody joined")?;
    drop((long, none));
    let mut left = [ann.line()?, ann.line()?];
    left.sort();
    assert_eq!(left[0].as_deref(), Some("somebody left"));
    server.end()
}

fn who_sends_no_name_has_to_leave() -> Outcome {
    let server = Server::start()?;
    let mut ann = server.join("Ann")?;
    let mut silent = Client::connect(server.address)?;
    let mut slow = Client::connect(server.address)?;
    slow.socket.set_read_timeout(Some(Duration::from_secs(1)))?;
    let start = Instant::now();
    until("the slow one has to leave", || {
        let _ = slow.socket.write_all(b"x"); // one more letter of the name
        Ok(!matches!(slow.line(), Err(error) if error.kind() == ErrorKind::WouldBlock))
    })?;
    assert!(start.elapsed() > Duration::from_secs(8), "{:?}", start.elapsed());
    assert_eq!(silent.line()?, None);
    until("their processes end", || Ok(server.handlers().len() == 1))?;
    ann.say("quiet here")?;
    ann.reads("Ann: quiet here")?;
    server.end()
}

fn connections_that_are_reset_leave_nothing() -> Outcome {
    let server = Server::start()?;
    let mut ann = server.join("Ann")?;
    until("one handler", || Ok(server.handlers().len() == 1))?;
    let before = server.open()?;
    let now = nix::libc::linger { l_onoff: 1, l_linger: 0 };
    for n in 0..60 {
        let mut eve = Client::connect(server.address)?;
        setsockopt(&eve.socket, sockopt::Linger, &now)?; // close sends a reset
        if n % 2 == 0 {
            eve.say("Eve")?;
        }
        if n % 4 == 0 {
            eve.reads("Eve joined")?;
            ann.read_to("Eve joined")?;
        }
    }
    until("all handlers end", || Ok(server.handlers().len() == 1))?;
    until("the router forgets them", || Ok(server.open()? == before))?;
    ann.say("alone")?;
    ann.read_to("Ann: alone")?;
    server.end()
}

fn a_flood_drowns_nobody() -> Outcome {
    const LINES: usize = 2_000;
    let server = Server::start()?;
    let mut ann = server.join("Ann")?;
    let mut bob = server.join("Bob")?;
    let eve = server.join("Eve")?;
    let (mut socket, mut reader) = (eve.socket.try_clone()?, eve.reader);
    let start = Instant::now();
    let flood = thread::spawn(move || {
        let lines: String = (0..LINES).map(|n| format!("{n}\n")).collect();
        socket.write_all(lines.as_bytes())
    });
    let reading = thread::spawn(move || io::copy(&mut reader, &mut io::sink()));
    bob.read_to("Eve: 100")?;
    bob.say("may I?")?;
    let before: Vec<String> = ann.read_to("Bob: may I?")?;
    let mut after = ann.read_to(&format!("Eve: {}", LINES - 1))?;
    assert!(!after.is_empty(), "Bob had to wait for the end of the flood");
    let least = Duration::from_millis(LINES as u64 - 1);
    assert!(start.elapsed() >= least, "it was not held up: {:?}", start.elapsed());
    let mut all = before;
    all.append(&mut after);
    all.retain(|line| line.starts_with("Eve: "));
    assert_eq!(all, (0..LINES - 1).map(|n| format!("Eve: {n}")).collect::<Vec<_>>());
    flood.join().map_err(|_| "it panicked")??;
    eve.socket.shutdown(Shutdown::Both)?;
    let _ = reading.join();
    server.end()
}

fn a_client_that_never_reads_drops_out() -> Outcome {
    let server = Server::start()?;
    let (eve, handler) = server.join_with_handler("Eve")?;
    setsockopt(&eve.socket, sockopt::RcvBuf, &4096)?;
    let mut ann = server.join("Ann")?;
    let mut bob = server.join("Bob")?;
    ann.reads("Bob joined")?;
    ann.socket.set_read_timeout(Some(LONG / 12))?; // nobody waits for Eve, not even for a while
    let text = "x".repeat(990);
    for n in 0.. {
        assert!(n < 20_000, "Eve still has her seat");
        ann.say(&text)?;
        if ann.line()?.is_some_and(|line| line == "Eve left") {
            break;
        }
        assert_eq!(bob.line()?, Some(format!("Ann: {text}")));
    }
    all_end(&[handler].into());
    bob.read_to("Eve left")?;
    drop(eve);
    server.end()
}

fn descriptors(most: u64) -> impl FnMut() -> io::Result<()> + Send + Sync + 'static {
    move || Ok(setrlimit(Resource::RLIMIT_NOFILE, most, most)?)
}

fn who_finds_no_seat_waits() -> Outcome {
    let server = Server::start_with(descriptors(60))?; // for six clients
    let mut seated = vec![];
    for n in 0..6 {
        seated.push(server.join(&format!("N{n}"))?);
    }
    let mut late = Client::connect(server.address)?;
    late.say("Late")?;
    seated[0].read_to("N5 joined")?;
    sleeps(&server)?;
    assert_eq!(server.handlers().len(), 6);
    drop(seated.pop());
    late.read_to("Late joined")?;
    assert_eq!(seated[0].read_to("Late joined")?, ["N5 left"]);
    server.end()
}

/// Whether the router uses next to no processor time for half a second.
fn sleeps(server: &Server) -> Outcome {
    let before = server.busy()?;
    thread::sleep(Duration::from_millis(500)); // there is no event for "nothing happens"
    let busy = server.busy()? - before;
    assert!(busy < Duration::from_millis(100), "it was busy for {busy:?}");
    Ok(())
}

fn without_a_descriptor_the_client_waits_and_the_router_sleeps() -> Outcome {
    let server = Server::start()?;
    let mut ann = server.join("Ann")?;
    let mut bob = server.join("Bob")?;
    ann.reads("Bob joined")?;
    let open = server.open()? as u64;
    limit(server.pid(), "nofile", open)?;
    let mut late = Client::connect(server.address)?;
    late.say("Late")?;
    sleeps(&server)?;
    ann.say("where is Late?")?;
    bob.reads("Ann: where is Late?")?;
    limit(server.pid(), "nofile", 1_000)?;
    late.read_to("Late joined")?;
    bob.reads("Late joined")?;
    server.end()
}

fn without_a_process_the_client_waits_and_the_router_sleeps() -> Outcome {
    // The limit binds no root, and counts all processes of a user.
    let becomes_another = || match nix::unistd::Uid::effective().is_root() {
        true => Ok(nix::unistd::setuid(54_321.into())?),
        false => Ok(()),
    };
    let server = match Server::start_with(becomes_another) {
        Err(error) if error.kind() == ErrorKind::PermissionDenied => {
            eprintln!("skipped: another user cannot run programs from here");
            return Ok(());
        }
        started => started?,
    };
    let mut ann = server.join("Ann")?;
    let mut bob = server.join("Bob")?;
    ann.reads("Bob joined")?;
    let forks = server.fork_server().ok_or("there is none")?;
    limit(forks, "nproc", 1)?;
    let mut late = Client::connect(server.address)?;
    late.say("Late")?;
    sleeps(&server)?;
    ann.say("where is Late?")?;
    bob.reads("Ann: where is Late?")?;
    limit(forks, "nproc", 1_000)?;
    late.read_to("Late joined")?;
    server.end()
}

/// Sets how much of something a process may have from now on.
fn limit(process: Pid, what: &str, most: u64) -> Outcome {
    let owner = fs::metadata(format!("/proc/{process}"))?.uid();
    let status = Command::new("prlimit")
        .uid(owner)
        .args([format!("--pid={process}"), format!("--{what}={most}:")])
        .status()?;
    assert!(status.success(), "prlimit(1): {status}");
    Ok(())
}

/// As many as `CLIENTS` says: each has a process.
fn hundreds_of_clients() -> Outcome {
    let clients = env::var("CLIENTS").ok().and_then(|clients| clients.parse().ok());
    let others = clients.unwrap_or(300) - 1;
    let server = Server::start()?;
    let mut ann = server.join("Ann")?;
    let reader = ann.reader;
    let all_have_joined = thread::spawn(move || {
        let joined = reader
            .lines()
            .take(others)
            .filter(|line| line.as_ref().is_ok_and(|line| line.ends_with(" joined")));
        joined.count()
    });
    let mut all = vec![];
    for n in 0..others {
        let mut client = Client::connect(server.address)?;
        client.say(&format!("N{n}"))?;
        all.push(client);
    }
    assert_eq!(all_have_joined.join().map_err(|_| "it panicked")?, others);
    assert_eq!(server.handlers().len(), others + 1);
    ann.socket.write_all(b"hello, all\n")?;
    for client in &mut all {
        client.read_to("Ann: hello, all")?;
    }
    server.end()?;
    for client in &mut all {
        assert_eq!(client.rest()?, ["The chat is over."]);
    }
    Ok(())
}

fn the_client_for_people() -> Outcome {
    let server = Server::start()?;
    let mut ann = server.join("Ann")?;
    let mut command = Command::new(program("chat_client"));
    let pipes = command.arg(server.address.to_string()).stdin(Stdio::piped());
    let mut bob = pipes.stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
    let mut typed = bob.stdin.take().ok_or("no stdin")?;
    typed.write_all(b"Bob\nhello\n")?;
    assert_eq!(ann.read_to("Bob: hello")?, ["Bob joined"]);
    ann.say("bye")?;
    ann.reads("Ann: bye")?;
    drop(typed); // Ctrl-D
    let mut printed = String::new();
    bob.stdout.take().ok_or("no stdout")?.read_to_string(&mut printed)?;
    assert_eq!(printed, "Bob joined\nBob: hello\nAnn: bye\n");
    assert!(bob.wait()?.success());
    ann.reads("Bob left")?;
    server.end()
}
