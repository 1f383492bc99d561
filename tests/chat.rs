//! The chat server: faults are planted in it, and it is watched from outside.

use libtest_mimic::Arguments;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::signal::{Signal, kill};
use nix::sys::socket::{setsockopt, sockopt};
use nix::unistd::Pid;
use std::collections::BTreeSet;
use std::fs;
use std::io::{self, BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, ExitCode, ExitStatus, Stdio};
use std::sync::OnceLock;
use std::thread;
use std::time::{Duration, Instant};
use tests::helper::LONG;
use tests::program::build;
use tests::{Outcome, trials};

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    // A thousand clients and a flood are enough load together.
    arguments.test_threads = arguments.test_threads.or(Some(2));
    if !arguments.list {
        let folder = build(&["chat_server", "chat_client"]).expect("the programs compile");
        PROGRAMS.set(folder).expect("it is set once");
        let (_, most) = getrlimit(Resource::RLIMIT_NOFILE).expect("a limit");
        setrlimit(Resource::RLIMIT_NOFILE, most, most).expect("it may be raised");
    }
    let trials = trials![
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
        a_handler_that_panics_is_one_client_less,
        a_handler_that_leaks_is_one_client_less,
        a_handler_that_is_killed_is_one_client_less,
        a_stopped_handler_drops_out_once_it_is_far_behind,
        a_handler_that_is_continued_has_missed_nothing,
        a_stopped_router_goes_on_where_it_was,
        a_killed_router_leaves_no_process,
        a_killed_fork_server_is_replaced,
        ctrl_c_tells_everybody_and_leaves_no_process,
        ctrl_c_does_not_wait_for_those_who_hang,
        who_finds_no_seat_waits,
        without_a_descriptor_the_client_waits_and_the_router_sleeps,
        without_a_process_the_client_waits_and_the_router_sleeps,
        a_thousand_clients,
        the_client_for_people,
    ];
    libtest_mimic::run(&arguments, trials).exit_code()
}

static PROGRAMS: OnceLock<PathBuf> = OnceLock::new();

/// A server that runs; it is killed at the end of a test that failed.
struct Server {
    router: Child,
    address: SocketAddr,
}

impl Server {
    fn start() -> io::Result<Self> {
        Self::start_with(|| Ok(()))
    }

    /// `prepare` is called in the child before it becomes the server.
    fn start_with(
        prepare: impl FnMut() -> io::Result<()> + Send + Sync + 'static,
    ) -> io::Result<Self> {
        let mut command = Command::new(program("chat_server"));
        command.arg("127.0.0.1:0").stdout(Stdio::piped()).stderr(Stdio::null());
        // SAFETY: `prepare` calls nothing but setrlimit(2), which allocates nothing.
        unsafe { command.pre_exec(prepare) };
        let mut router = command.spawn()?;
        let mut line = String::new();
        let output = router.stdout.take().ok_or(ErrorKind::Other)?;
        BufReader::new(output).read_line(&mut line)?;
        let address = line.trim().trim_start_matches("listening on ");
        let address = address.parse().map_err(|_| io::Error::other(line.clone()))?;
        Ok(Self { router, address })
    }

    fn pid(&self) -> Pid {
        Pid::from_raw(self.router.id() as i32)
    }

    /// A client that is a member: it has read that it joined.
    fn join(&self, name: &str) -> io::Result<Client> {
        let mut client = Client::connect(self.address)?;
        client.say(name)?;
        client.read_to(&format!("{name} joined"))?;
        Ok(client)
    }

    /// The same, and the client's process.
    fn join_with_handler(&self, name: &str) -> io::Result<(Client, Pid)> {
        let before = self.handlers();
        let client = self.join(name)?;
        let new = &self.handlers() - &before;
        Ok((client, *new.first().ok_or(ErrorKind::NotFound)?))
    }

    fn fork_server(&self) -> Option<Pid> {
        children(self.pid()).into_iter().next()
    }

    fn handlers(&self) -> BTreeSet<Pid> {
        self.fork_server().map(children).unwrap_or_default()
    }

    fn signal(&self, signal: Signal) -> nix::Result<()> {
        kill(self.pid(), signal)
    }

    /// Ends it as Ctrl-C does. It must succeed and leave nothing.
    fn end(mut self) -> Outcome {
        let processes = self.processes();
        self.signal(Signal::SIGINT)?;
        let status = self.wait()?;
        assert!(status.success(), "{status}");
        all_end(&processes);
        Ok(())
    }

    fn wait(&mut self) -> io::Result<ExitStatus> {
        until("the server ends", || Ok(self.router.try_wait()?.is_some()))?;
        self.router.wait()
    }

    fn processes(&self) -> BTreeSet<Pid> {
        let mut all = self.handlers();
        all.extend(self.fork_server());
        all
    }

    fn open(&self) -> io::Result<usize> {
        Ok(fs::read_dir(format!("/proc/{}/fd", self.pid()))?.count())
    }

    /// The time that the processor has spent on the router.
    fn busy(&self) -> io::Result<Duration> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.pid()))?;
        let fields = stat.rsplit(") ").next().unwrap_or_default();
        let ticks = fields.split(' ').skip(11).take(2).filter_map(|t| t.parse::<u64>().ok());
        Ok(Duration::from_millis(10) * ticks.sum::<u64>() as u32) // 100 ticks a second, on Linux
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        for pid in self.processes() {
            let _ = kill(pid, Signal::SIGKILL);
        }
        let _ = self.router.kill();
        let _ = self.router.wait();
    }
}

struct Client {
    socket: TcpStream,
    reader: BufReader<TcpStream>,
}

impl Client {
    fn connect(address: SocketAddr) -> io::Result<Self> {
        let socket = TcpStream::connect(address)?;
        socket.set_read_timeout(Some(LONG))?;
        socket.set_write_timeout(Some(LONG))?;
        Ok(Self { reader: BufReader::new(socket.try_clone()?), socket })
    }

    fn say(&mut self, line: &str) -> io::Result<()> {
        self.socket.write_all(format!("{line}\n").as_bytes())
    }

    /// The next line; none at the end, which may be a reset.
    fn line(&mut self) -> io::Result<Option<String>> {
        let mut line = String::new();
        match self.reader.read_line(&mut line) {
            Ok(0) => Ok(None),
            Err(error) if error.kind() == ErrorKind::ConnectionReset => Ok(None),
            read => read.map(|_| Some(line.trim_end_matches('\n').to_string())),
        }
    }

    fn reads(&mut self, expected: &str) -> io::Result<()> {
        let line = self.line()?;
        assert_eq!(line.as_deref(), Some(expected));
        Ok(())
    }

    /// Reads up to this line, and returns those before it.
    fn read_to(&mut self, last: &str) -> io::Result<Vec<String>> {
        let mut lines = vec![];
        loop {
            match self.line()? {
                Some(line) if line == last => return Ok(lines),
                Some(line) => lines.push(line),
                None => return Err(io::Error::other(format!("no `{last}` behind {lines:?}"))),
            }
        }
    }

    fn rest(&mut self) -> io::Result<Vec<String>> {
        let mut lines = vec![];
        while let Some(line) = self.line()? {
            lines.push(line);
        }
        Ok(lines)
    }
}

fn program(name: &str) -> PathBuf {
    PROGRAMS.get().map(|folder| folder.join(name)).unwrap_or_default()
}

/// Processes that have ended, but were not reaped, are none.
fn children(parent: Pid) -> BTreeSet<Pid> {
    let file = format!("/proc/{parent}/task/{parent}/children");
    let text = fs::read_to_string(file).unwrap_or_default();
    let pids = text.split_whitespace().filter_map(|pid| pid.parse().ok()).map(Pid::from_raw);
    pids.filter(|pid| is_alive(*pid)).collect()
}

fn is_alive(pid: Pid) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit(") ").next().is_some_and(|state| !state.is_empty() && !state.starts_with('Z'))
}

fn is_in_state(pid: Pid, wanted: char) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit(") ").next().is_some_and(|state| state.starts_with(wanted))
}

/// For what another process does and does not tell.
fn until(what: &str, mut holds: impl FnMut() -> io::Result<bool>) -> io::Result<()> {
    let start = Instant::now();
    while !holds()? {
        if start.elapsed() > LONG {
            return Err(io::Error::other(format!("in vain: {what}")));
        }
        thread::sleep(Duration::from_millis(2));
    }
    Ok(())
}

fn all_end(processes: &BTreeSet<Pid>) {
    let ended = until("the processes end", || Ok(!processes.iter().any(|pid| is_alive(*pid))));
    ended.expect("no process is left");
}

fn stop(pid: Pid) -> Outcome {
    kill(pid, Signal::SIGSTOP)?;
    Ok(until("it is stopped", || Ok(is_in_state(pid, 'T')))?)
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

/// A fault of Eve's ends her talk and no other.
fn one_less(plant: impl FnOnce(&mut Client, Pid) -> Outcome) -> Outcome {
    let server = Server::start()?;
    let mut ann = server.join("Ann")?;
    let mut bob = server.join("Bob")?;
    let (mut eve, handler) = server.join_with_handler("Eve")?;
    bob.reads("Eve joined")?;
    plant(&mut eve, handler)?;
    bob.reads("Eve left")?;
    all_end(&[handler].into());
    assert_eq!(eve.line()?, None, "her connection is closed");
    ann.say("who was that?")?;
    bob.reads("Ann: who was that?")?;
    assert_eq!(server.handlers().len(), 2);
    server.join("Eve")?;
    bob.reads("Eve joined")?;
    server.end()
}

fn a_handler_that_panics_is_one_client_less() -> Outcome {
    one_less(|eve, _| Ok(eve.say("/panic")?))
}

fn a_handler_that_leaks_is_one_client_less() -> Outcome {
    one_less(|eve, _| Ok(eve.say("/leak")?))
}

fn a_handler_that_is_killed_is_one_client_less() -> Outcome {
    one_less(|eve, _| Ok(eve.say("/kill")?))?;
    one_less(|_, handler| Ok(kill(handler, Signal::SIGKILL)?))?;
    one_less(|_, handler| {
        stop(handler)?;
        Ok(kill(handler, Signal::SIGKILL)?)
    })
}

fn a_stopped_handler_drops_out_once_it_is_far_behind() -> Outcome {
    let server = Server::start()?;
    let (_eve, handler) = server.join_with_handler("Eve")?;
    let mut ann = server.join("Ann")?;
    let mut bob = server.join("Bob")?;
    ann.reads("Bob joined")?;
    stop(handler)?;
    for n in 0.. {
        assert!(n < 5_000, "Eve still has her seat");
        ann.say(&n.to_string())?;
        if ann.line()?.is_some_and(|line| line == "Eve left") {
            assert!(n > 1_000, "she had a backlog of {n} only");
            break;
        }
        bob.reads(&format!("Ann: {n}"))?;
    }
    all_end(&[handler].into());
    bob.read_to("Eve left")?;
    server.end()
}

fn a_handler_that_is_continued_has_missed_nothing() -> Outcome {
    let server = Server::start()?;
    let (mut eve, handler) = server.join_with_handler("Eve")?;
    let mut ann = server.join("Ann")?;
    eve.reads("Ann joined")?;
    stop(handler)?;
    for n in 0..1_000 {
        ann.say(&n.to_string())?;
        ann.reads(&format!("Ann: {n}"))?;
    }
    kill(handler, Signal::SIGCONT)?;
    for n in 0..1_000 {
        eve.reads(&format!("Ann: {n}"))?;
    }
    ann.say("welcome back")?;
    eve.reads("Ann: welcome back")?;
    server.end()
}

fn a_stopped_router_goes_on_where_it_was() -> Outcome {
    let server = Server::start()?;
    let mut ann = server.join("Ann")?;
    let mut bob = server.join("Bob")?;
    ann.reads("Bob joined")?;
    stop(server.pid())?;
    for n in 0..1_000 {
        ann.say(&n.to_string())?;
    }
    let mut cid = Client::connect(server.address)?; // the kernel has let him in
    cid.say("Cid")?;
    bob.socket.set_read_timeout(Some(Duration::from_millis(50)))?;
    assert!(bob.line().is_err(), "nobody passes anything on");
    bob.socket.set_read_timeout(Some(LONG))?;
    server.signal(Signal::SIGCONT)?;
    let mut said = vec![];
    while said.len() < 1_000 {
        said.extend(bob.line()?.filter(|line| line.starts_with("Ann: ")));
    }
    assert_eq!(said, (0..1_000).map(|n| format!("Ann: {n}")).collect::<Vec<_>>());
    cid.read_to("Cid joined")?;
    server.end()
}

fn a_killed_router_leaves_no_process() -> Outcome {
    let mut server = Server::start()?;
    let mut ann = server.join("Ann")?;
    let (never_reads, _) = server.join_with_handler("Bob")?;
    ann.reads("Bob joined")?;
    let processes = server.processes();
    assert_eq!(processes.len(), 3);
    server.signal(Signal::SIGKILL)?;
    server.wait()?;
    all_end(&processes);
    assert_eq!(ann.line()?, None);
    drop(never_reads);
    Ok(())
}

fn a_killed_fork_server_is_replaced() -> Outcome {
    let server = Server::start()?;
    let mut ann = server.join("Ann")?;
    let mut bob = server.join("Bob")?;
    ann.reads("Bob joined")?;
    let old = server.processes();
    let killed = server.fork_server().ok_or("there is none")?;
    kill(killed, Signal::SIGKILL)?;
    all_end(&[killed].into());
    ann.say("still here")?;
    bob.reads("Ann: still here")?;
    let mut cid = server.join("Cid")?;
    bob.reads("Cid joined")?;
    drop(ann);
    cid.reads("Ann left")?;
    server.end()?;
    all_end(&old);
    Ok(())
}

fn ctrl_c_tells_everybody_and_leaves_no_process() -> Outcome {
    for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP] {
        let mut server = Server::start()?;
        let mut all = vec![];
        for name in ["Ann", "Bob", "Cid"] {
            all.push(server.join(name)?);
        }
        let _nameless = Client::connect(server.address)?;
        until("four handlers", || Ok(server.handlers().len() == 4))?;
        let processes = server.processes();
        // As the terminal does, which signals all of them at once.
        for pid in processes.iter().filter(|_| signal == Signal::SIGINT) {
            kill(*pid, signal)?;
        }
        server.signal(signal)?;
        for client in &mut all {
            client.read_to("The chat is over.")?;
            assert_eq!(client.line()?, None);
        }
        let status = server.wait()?;
        assert!(status.success(), "{status}");
        all_end(&processes);
        assert!(TcpStream::connect(server.address).is_err(), "nobody listens");
    }
    Ok(())
}

fn ctrl_c_does_not_wait_for_those_who_hang() -> Outcome {
    let server = Server::start()?;
    let (_eve, handler) = server.join_with_handler("Eve")?;
    let mut ann = server.join("Ann")?;
    stop(handler)?;
    let start = Instant::now();
    server.end()?;
    assert!(start.elapsed() < LONG / 4, "{:?}", start.elapsed());
    ann.read_to("The chat is over.")?;
    Ok(())
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

fn a_thousand_clients() -> Outcome {
    let server = Server::start()?;
    let mut ann = server.join("Ann")?;
    let reader = ann.reader;
    let all_have_joined = thread::spawn(move || {
        let joined = reader
            .lines()
            .take(999)
            .filter(|line| line.as_ref().is_ok_and(|line| line.ends_with(" joined")));
        joined.count()
    });
    let mut all = vec![];
    for n in 0..999 {
        let mut client = Client::connect(server.address)?;
        client.say(&format!("N{n}"))?;
        all.push(client);
    }
    assert_eq!(all_have_joined.join().map_err(|_| "it panicked")?, 999);
    assert_eq!(server.handlers().len(), 1_000);
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
