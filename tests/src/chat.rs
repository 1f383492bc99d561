//! The book's chat server, seen from outside: it is started, talked to, and watched.

use crate::Outcome;
use crate::helper::LONG;
use crate::program::build;
use libtest_mimic::{Arguments, Trial};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::collections::BTreeSet;
use std::io::{self, BufRead, BufReader, ErrorKind, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, ExitCode, ExitStatus, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};
use std::{fs, thread};

static PROGRAMS: OnceLock<PathBuf> = OnceLock::new();

/// A server that runs; it is killed at the end of a test that failed.
pub struct Server {
    router: Child,
    /// Where it listens.
    pub address: SocketAddr,
}

impl Server {
    /// One with all descriptors that the system allows.
    pub fn start() -> io::Result<Self> {
        Self::start_with(|| Ok(()))
    }

    /// `prepare` is called in the child before it becomes the server.
    pub fn start_with(
        prepare: impl FnMut() -> io::Result<()> + Send + Sync + 'static,
    ) -> io::Result<Self> {
        let mut command = Command::new(program("chat_server"));
        command.arg("127.0.0.1:0").stdout(Stdio::piped()).stderr(Stdio::null());
        // SAFETY: `prepare` calls nothing but setrlimit(2) and setuid(2), which allocate nothing.
        unsafe { command.pre_exec(prepare) };
        let mut router = command.spawn()?;
        let mut line = String::new();
        let output = router.stdout.take().ok_or(ErrorKind::Other)?;
        BufReader::new(output).read_line(&mut line)?;
        let address = line.trim().trim_start_matches("listening on ");
        let address = address.parse().map_err(|_| io::Error::other(line.clone()))?;
        Ok(Self { router, address })
    }

    /// The router's process id.
    pub fn pid(&self) -> Pid {
        Pid::from_raw(self.router.id() as i32)
    }

    /// A client that is a member: it has read that it joined.
    pub fn join(&self, name: &str) -> io::Result<Client> {
        let mut client = Client::connect(self.address)?;
        client.say(name)?;
        client.read_to(&format!("{name} joined"))?;
        Ok(client)
    }

    /// The same, and the client's process.
    pub fn join_with_handler(&self, name: &str) -> io::Result<(Client, Pid)> {
        let before = self.handlers();
        let client = self.join(name)?;
        let new = &self.handlers() - &before;
        Ok((client, *new.first().ok_or(ErrorKind::NotFound)?))
    }

    /// The process that starts the handlers.
    pub fn fork_server(&self) -> Option<Pid> {
        children(self.pid()).into_iter().next()
    }

    /// The processes that talk with the clients.
    pub fn handlers(&self) -> BTreeSet<Pid> {
        self.fork_server().map(children).unwrap_or_default()
    }

    /// Sends the router a signal.
    pub fn signal(&self, signal: Signal) -> nix::Result<()> {
        kill(self.pid(), signal)
    }

    /// Ends it as Ctrl-C does. It must succeed and leave nothing.
    pub fn end(mut self) -> Outcome {
        let processes = self.processes();
        self.signal(Signal::SIGINT)?;
        let status = self.wait()?;
        assert!(status.success(), "{status}");
        all_end(&processes);
        Ok(())
    }

    /// Waits for the end of the router.
    pub fn wait(&mut self) -> io::Result<ExitStatus> {
        until("the server ends", || Ok(self.router.try_wait()?.is_some()))?;
        self.router.wait()
    }

    /// All processes but the router.
    pub fn processes(&self) -> BTreeSet<Pid> {
        let mut all = self.handlers();
        all.extend(self.fork_server());
        all
    }

    /// How many descriptors the router has open.
    pub fn open(&self) -> io::Result<usize> {
        Ok(fs::read_dir(format!("/proc/{}/fd", self.pid()))?.count())
    }

    /// The time that the processor has spent on the router.
    pub fn busy(&self) -> io::Result<Duration> {
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

/// One who talks with it over TCP.
pub struct Client {
    /// Both directions.
    pub socket: TcpStream,
    /// What was read of it.
    pub reader: BufReader<TcpStream>,
}

impl Client {
    /// Connects, and says nothing yet.
    pub fn connect(address: SocketAddr) -> io::Result<Self> {
        let socket = TcpStream::connect(address)?;
        socket.set_read_timeout(Some(LONG))?;
        socket.set_write_timeout(Some(LONG))?;
        Ok(Self { reader: BufReader::new(socket.try_clone()?), socket })
    }

    /// Says a line.
    pub fn say(&mut self, line: &str) -> io::Result<()> {
        self.socket.write_all(format!("{line}\n").as_bytes())
    }

    /// The next line; none at the end, which may be a reset.
    pub fn line(&mut self) -> io::Result<Option<String>> {
        let mut line = String::new();
        match self.reader.read_line(&mut line) {
            Ok(0) => Ok(None),
            Err(error) if error.kind() == ErrorKind::ConnectionReset => Ok(None),
            read => read.map(|_| Some(line.trim_end_matches('\n').to_string())),
        }
    }

    /// Fails if the next line is another.
    pub fn reads(&mut self, expected: &str) -> io::Result<()> {
        let line = self.line()?;
        assert_eq!(line.as_deref(), Some(expected));
        Ok(())
    }

    /// Reads up to this line, and returns those before it.
    pub fn read_to(&mut self, last: &str) -> io::Result<Vec<String>> {
        let mut lines = vec![];
        loop {
            match self.line()? {
                Some(line) if line == last => return Ok(lines),
                Some(line) => lines.push(line),
                None => return Err(io::Error::other(format!("no `{last}` behind {lines:?}"))),
            }
        }
    }

    /// All lines to the end.
    pub fn rest(&mut self) -> io::Result<Vec<String>> {
        let mut lines = vec![];
        while let Some(line) = self.line()? {
            lines.push(line);
        }
        Ok(lines)
    }
}

/// The path of a program of the chapter.
pub fn program(name: &str) -> PathBuf {
    PROGRAMS.get().map(|folder| folder.join(name)).unwrap_or_default()
}

/// Processes that have ended, but were not reaped, are none.
pub fn children(parent: Pid) -> BTreeSet<Pid> {
    let file = format!("/proc/{parent}/task/{parent}/children");
    let text = fs::read_to_string(file).unwrap_or_default();
    let pids = text.split_whitespace().filter_map(|pid| pid.parse().ok()).map(Pid::from_raw);
    pids.filter(|pid| is_alive(*pid)).collect()
}

/// Whether a process has not ended.
pub fn is_alive(pid: Pid) -> bool {
    state(pid).is_some_and(|state| state != 'Z')
}

/// Whether proc_pid_stat(5) gives it this state.
pub fn is_in_state(pid: Pid, wanted: char) -> bool {
    state(pid) == Some(wanted)
}

fn state(pid: Pid) -> Option<char> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit(") ").next()?.chars().next()
}

/// For what another process does and does not tell.
pub fn until(what: &str, mut holds: impl FnMut() -> io::Result<bool>) -> io::Result<()> {
    let start = Instant::now();
    while !holds()? {
        if start.elapsed() > LONG {
            return Err(io::Error::other(format!("in vain: {what}")));
        }
        thread::sleep(Duration::from_millis(2));
    }
    Ok(())
}

/// Fails if one of them does not end.
pub fn all_end(processes: &BTreeSet<Pid>) {
    let ended = until("the processes end", || Ok(!processes.iter().any(|pid| is_alive(*pid))));
    ended.expect("no process is left");
}

/// Stops a process, as Ctrl-Z does.
pub fn stop(pid: Pid) -> Outcome {
    kill(pid, Signal::SIGSTOP)?;
    Ok(until("it is stopped", || Ok(is_in_state(pid, 'T')))?)
}

/// The main function of a test program.
pub fn main(trials: Vec<Trial>) -> ExitCode {
    let mut arguments = Arguments::from_args();
    // Hundreds of clients and a flood are enough load together.
    arguments.test_threads = arguments.test_threads.or(Some(2));
    if !arguments.list {
        let folder = build(&["chat_server", "chat_client"]).expect("the programs compile");
        PROGRAMS.set(folder).expect("it is set once");
        let (_, most) = getrlimit(Resource::RLIMIT_NOFILE).expect("a limit");
        setrlimit(Resource::RLIMIT_NOFILE, most, most).expect("it may be raised");
    }
    libtest_mimic::run(&arguments, trials).exit_code()
}
