//! What a program with a manager leaves, however it ends: no process, no socket, no file. And what
//! Ctrl-C does, which signals all of its processes at once.

use multiprocessing::{Error, ListProxy, Manager, Process, Receiver, Sender, pipe_one_way};
use nix::errno::Errno;
use nix::sys::prctl::set_child_subreaper;
use nix::sys::signal::{SigHandler, Signal, kill, killpg, signal};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;
use std::collections::BTreeSet;
use std::error::Error as StdError;
use std::io::{self, BufRead, BufReader, Read};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, ChildStdout, ExitCode, Stdio};
use std::time::{Duration, Instant};
use std::{env, fs, thread};
use tempfile::TempDir;
use tests::helper::{self, LONG, command};
use tests::helpers;
use tests::server::{KEY, Watch};

fn main() -> ExitCode {
    let alone = helpers![
        nothing_is_left_after_a_normal_end,
        nothing_is_left_after_a_kill_of_the_owner,
        nothing_is_left_after_a_kill_of_the_server,
        nothing_is_left_after_a_kill_of_a_client,
        after_ctrl_c_a_program_can_finish,
        after_ctrl_c_a_child_can_finish,
    ];
    helper::main(vec![], alone, helpers![use_a_manager, outlive_ctrl_c, die_of_ctrl_c])
}

type Fallible = Result<(), Box<dyn StdError>>;

/// Uses a manager through a child, until the standard input ends.
fn use_a_manager() -> Fallible {
    let path = PathBuf::from(env::var_os("SOCKET").ok_or("no path")?);
    let manager = Manager::serve(path.clone(), KEY)?;
    let list = manager.list([0])?;
    let ((goes_on, hold), (begun, begins)) = (pipe_one_way()?, pipe_one_way()?);
    let client = Process::spawn(work, (path, list.clone(), begins, goes_on))?;
    begun.recv()?;
    println!("{} {}", manager.pid().ok_or("it was started here")?, client.pid());
    io::stdin().read_to_end(&mut vec![])?;
    drop(hold);
    let _ = client.join(); // it may have been killed
    Ok(())
}

/// Calls objects, in this machine and over the network, until its parent ends.
fn work(
    (path, list, begins, goes_on): (PathBuf, ListProxy<u32>, Sender<()>, Receiver<()>),
) -> Result<(), Error> {
    let remote = Manager::connect(path, KEY)?;
    let (lock, far) = (remote.lock()?, remote.list([0])?);
    let _guard = lock.acquire()?;
    begins.send(())?;
    while matches!(goes_on.try_recv(), Err(Error::WouldBlock)) {
        list.push(1)?;
        list.pop()?;
        far.push(1)?;
        far.pop()?;
    }
    Ok(())
}

struct Program {
    process: Child,
    output: BufReader<ChildStdout>,
    server: Pid,
    client: Pid,
}

impl Program {
    /// In a group of its own, as a shell starts it.
    fn start(name: &str, socket: PathBuf) -> Result<Self, Box<dyn StdError>> {
        let mut command = command(name);
        command.env("SOCKET", socket).process_group(0);
        let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let mut output = BufReader::new(process.stdout.take().ok_or("it is piped")?);
        let mut line = String::new();
        output.read_line(&mut line)?;
        let pids: Vec<_> = line.split_whitespace().map(str::parse).collect::<Result<_, _>>()?;
        let [server, client] = pids[..] else { return Err(line.into()) };
        let (server, client) = (Pid::from_raw(server), Pid::from_raw(client));
        Ok(Self { process, output, server, client })
    }

    fn pid(&self) -> Pid {
        Pid::from_raw(self.process.id() as i32)
    }

    /// The numbers of all sockets that its processes have open.
    fn sockets(&self) -> io::Result<BTreeSet<String>> {
        let mut all = BTreeSet::new();
        for pid in [self.pid(), self.server, self.client] {
            for entry in fs::read_dir(format!("/proc/{pid}/fd"))? {
                let link = fs::read_link(entry?.path()).unwrap_or_default();
                let link = link.to_string_lossy();
                let number = link.strip_prefix("socket:[").and_then(|n| n.strip_suffix(']'));
                all.extend(number.map(str::to_string));
            }
        }
        Ok(all)
    }

    /// What it prints from now on.
    fn rest(&mut self) -> io::Result<String> {
        let mut rest = String::new();
        self.output.read_to_string(&mut rest)?;
        Ok(rest)
    }
}

/// The names of these sockets (proc_net_unix(5)).
fn names(sockets: &BTreeSet<String>) -> io::Result<Vec<String>> {
    let table = fs::read_to_string("/proc/net/unix")?;
    let named = table.lines().filter_map(|line| {
        let mut fields = line.split_whitespace().skip(6);
        let (number, name) = (fields.next()?, fields.next()?);
        sockets.contains(number).then(|| name.to_string())
    });
    Ok(named.collect())
}

fn shared_memory() -> io::Result<BTreeSet<PathBuf>> {
    fs::read_dir("/dev/shm")?.map(|entry| entry.map(|entry| entry.path())).collect()
}

/// Waits for what comes a moment after an end.
fn soon(what: &str, mut is_so: impl FnMut() -> io::Result<bool>) -> io::Result<()> {
    let start = Instant::now();
    while !is_so()? {
        assert!(start.elapsed() < LONG, "{what}");
        thread::sleep(Duration::from_millis(1));
    }
    Ok(())
}

/// Whoever is left of the program becomes a child of this process.
fn expect_no_process() -> io::Result<()> {
    soon("a process is left", || match waitpid(None, Some(WaitPidFlag::WNOHANG)) {
        Err(Errno::ECHILD) => Ok(true),
        ended => ended.map(|_| false).map_err(io::Error::from),
    })
}

/// Looks for what is left of a program when `end` has been done to it. Returns how it ended.
fn left_after(end: fn(&Program) -> nix::Result<()>) -> Result<WaitStatus, Box<dyn StdError>> {
    set_child_subreaper(true)?;
    let (folder, before) = (TempDir::new()?, shared_memory()?);
    let mut program = Program::start("use_a_manager", folder.path().join("socket"))?;
    let sockets = program.sockets()?;
    let named = names(&sockets)?;
    for part in ["@multiprocessing-anchor-", "/socket"] {
        assert!(named.iter().any(|name| name.contains(part)), "{named:?}");
    }
    end(&program)?;
    drop(program.process.stdin.take());
    let ended = waitpid(program.pid(), None)?;
    expect_no_process()?;
    soon("a socket is left", || Ok(names(&sockets)?.is_empty()))?;
    assert_eq!(fs::read_dir(folder.path())?.count(), 0, "a file is left");
    let new = &shared_memory()? - &before; // of other programs, at most for a moment
    soon("shared memory is left", || Ok(shared_memory()?.is_disjoint(&new)))?;
    Ok(ended)
}

fn nothing_is_left_after_a_normal_end() -> Fallible {
    let ended = left_after(|_| Ok(()))?;
    assert!(matches!(ended, WaitStatus::Exited(_, 0)), "{ended:?}");
    Ok(())
}

fn nothing_is_left_after_a_kill_of_the_owner() -> Fallible {
    let ended = left_after(|program| kill(program.pid(), Signal::SIGKILL))?;
    assert!(matches!(ended, WaitStatus::Signaled(_, Signal::SIGKILL, _)), "{ended:?}");
    Ok(())
}

fn nothing_is_left_after_a_kill_of_the_server() -> Fallible {
    let ended = left_after(|program| kill(program.server, Signal::SIGKILL))?;
    assert!(matches!(ended, WaitStatus::Exited(_, 0)), "{ended:?}");
    Ok(())
}

fn nothing_is_left_after_a_kill_of_a_client() -> Fallible {
    let ended = left_after(|program| kill(program.client, Signal::SIGKILL))?;
    assert!(matches!(ended, WaitStatus::Exited(_, 0)), "{ended:?}");
    Ok(())
}

/// Calls the list once `go` says so, or is closed.
fn call_later((list, go, ready): (ListProxy<u32>, Receiver<()>, Sender<()>)) -> Result<(), Error> {
    // SAFETY: it installs no function.
    unsafe { signal(Signal::SIGINT, SigHandler::SigIgn) }.expect("it is a signal");
    ready.send(())?;
    let _ = go.recv();
    list.push(2)?;
    println!("{:?}", list.to_vec()?);
    Ok(())
}

/// A child waits with a list, and this process does what `end` says.
fn with_a_child(end: fn(&ListProxy<u32>) -> Fallible) -> Fallible {
    let manager = Manager::start()?;
    let list = manager.list([1])?;
    let ((waits, go), (begun, begins)) = (pipe_one_way::<()>()?, pipe_one_way()?);
    let child = Process::spawn(call_later, (list.clone(), waits, begins))?;
    begun.recv()?;
    println!("{} {}", manager.pid().ok_or("it was started here")?, child.pid());
    io::stdin().read_to_end(&mut vec![])?;
    end(&list)?;
    drop(go);
    Ok(child.join()??)
}

fn outlive_ctrl_c() -> Fallible {
    // SAFETY: it installs no function.
    unsafe { signal(Signal::SIGINT, SigHandler::SigIgn) }?;
    with_a_child(|list| Ok(list.push(1)?))
}

fn die_of_ctrl_c() -> Fallible {
    // SAFETY: it installs no function. (A shell without job control lets `&` ignore the signal.)
    unsafe { signal(Signal::SIGINT, SigHandler::SigDfl) }?;
    with_a_child(|_| Err("Ctrl-C ends it".into()))
}

/// Starts a program, presses Ctrl-C, and returns what it prints then.
fn after_ctrl_c(name: &str) -> Result<(WaitStatus, String), Box<dyn StdError>> {
    let mut program = Program::start(name, PathBuf::new())?;
    let server = Watch::of(program.server.as_raw() as u32)?;
    killpg(program.pid(), Signal::SIGINT)?;
    drop(program.process.stdin.take());
    let said = program.rest()?;
    let ended = waitpid(program.pid(), None)?;
    server.expect_end();
    Ok((ended, said))
}

fn after_ctrl_c_a_program_can_finish() -> Fallible {
    let (ended, said) = after_ctrl_c("outlive_ctrl_c")?;
    assert!(matches!(ended, WaitStatus::Exited(_, 0)), "{ended:?}");
    assert_eq!(said, "[1, 1, 2]\n");
    Ok(())
}

/// The program itself is gone.
fn after_ctrl_c_a_child_can_finish() -> Fallible {
    let (ended, said) = after_ctrl_c("die_of_ctrl_c")?;
    assert!(matches!(ended, WaitStatus::Signaled(_, Signal::SIGINT, _)), "{ended:?}");
    assert_eq!(said, "[1, 2]\n");
    Ok(())
}
