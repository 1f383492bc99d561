//! What a connection costs in each shape of a server: a thread, a process from the fork server, a
//! process of its own program, or a worker that is there already; and the memory of a client.
//!
//!     cargo bench --bench chat               run it
//!     cargo bench --bench chat -- memory     only what has this in its label
//!     RECORD=1 cargo bench --bench chat      and write benches/chat.md
//!
//! The peers take turns, and a ratio is the median of those of single rounds: see `turns.rs`.
//!
//! Four threads connect, send a line, read the answer, and close. A server is started anew for each
//! round, and its start is not counted.
//!
//! The memory is the sum of what the server's processes take (Pss in proc_pid_smaps(5)) with 1,000
//! clients that have had an answer, less that with none, divided by their number.

use benches::plan::Plan;
use benches::turns::{Line, Peer, one_line, ranking};
use multiprocessing::{Descriptor, Error, ForkServer, Process};
use std::io::{self, BufRead, BufReader, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Instant;
use std::{fs, thread};

const PEERS: [&str; 6] = [
    "Python: `ForkingTCPServer`",
    "Python: `ThreadingTCPServer`",
    "`Process::spawn`",
    "`ForkServer::spawn`",
    "a thread",
    "prefork, 4 workers",
];

/// What connects.
const THREADS: u64 = 4;

fn main() -> io::Result<()> {
    multiprocessing::init();
    let plan = Plan::of_arguments();
    let connections = connections(&plan);
    let memory = memory(&plan)?;
    let (Some(connections), Some(memory), true) = (connections, memory, plan.is_whole()) else {
        return Ok(());
    };
    benches::record_text("chat", &(ranking(&connections, &PEERS) + &memory))
}

/// The time of a connection.
fn connections(plan: &Plan) -> Option<Line> {
    let label = "a connection with a line each way";
    let count = plan.some(2_000);
    let peer = |number: usize| -> Peer {
        Box::new(move || {
            let server = Server::start(number)?;
            talk(server.address, count / 10);
            let start = Instant::now();
            talk(server.address, count);
            Some(start.elapsed().as_nanos() as f64 / count as f64)
        })
    };
    let peers: [Peer; 6] = std::array::from_fn(peer);
    let line = plan.wants(label).then(|| one_line(label, plan.rounds(), &peers))?;
    line.print(&PEERS);
    Some(line)
}

/// That many connections, by several at a time.
fn talk(address: SocketAddr, count: u64) {
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| (0..count / THREADS).for_each(|_| drop(client(address))));
        }
    });
}

fn client(address: SocketAddr) -> TcpStream {
    let mut client = TcpStream::connect(address).expect("it listens");
    client.write_all(b"hello\n").expect("it reads");
    let mut line = String::new();
    BufReader::new(&client).read_line(&mut line).expect("it answers");
    assert_eq!(line, "hello\n");
    client
}

/// A table of its own: no times.
fn memory(plan: &Plan) -> io::Result<Option<String>> {
    let label = "memory for each of 1,000 clients";
    if !plan.wants(label) {
        return Ok(None);
    }
    let mut table = format!("| {label} | KB |\n|---|--:|\n");
    for (number, peer) in PEERS.iter().enumerate().take(5) {
        let Some(server) = Server::start(number) else { continue };
        drop(client(server.address)); // so that all code is loaded
        let before = server.memory();
        let count = plan.some(1_000);
        let clients: Vec<_> = (0..count).map(|_| client(server.address)).collect();
        let kilobytes = server.memory().saturating_sub(before) / count;
        drop(clients);
        println!("{label}: {peer}: {kilobytes} KB");
        table += &format!("| {peer} | {kilobytes} |\n");
    }
    Ok(Some(table))
}

/// A server of one shape.
struct Server {
    address: SocketAddr,
    process: Running,
}

enum Running {
    Rust(Process<Result<(), Error>>),
    Python(Child),
}

impl Server {
    /// None for Python's, if there is no Python.
    fn start(number: usize) -> Option<Self> {
        match number {
            0 => Self::python("forking"),
            1 => Self::python("threading"),
            2 => Some(Self::rust(spawns)),
            3 => Some(Self::rust(forks)),
            4 => Some(Self::rust(starts_threads)),
            _ => Some(Self::rust(has_workers)),
        }
    }

    fn rust(serve: fn(Descriptor) -> Result<(), Error>) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        let address = listener.local_addr().expect("it is bound");
        let process = Process::spawn(serve, listener.into()).expect("a process");
        Self { address, process: Running::Rust(process) }
    }

    fn python(kind: &str) -> Option<Self> {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("chat.py");
        let mut python = Command::new("python3");
        let python = python.arg(script).arg(kind).stdout(Stdio::piped());
        let mut child = benches::has_python().then(|| python.spawn().expect("it starts"))?;
        let mut port = String::new();
        let output = child.stdout.take().expect("a pipe");
        BufReader::new(output).read_line(&mut port).expect("it tells its port");
        let address = (Ipv4Addr::LOCALHOST, port.trim().parse().expect("a number")).into();
        Some(Self { address, process: Running::Python(child) })
    }

    /// Of its processes, in KB.
    fn memory(&self) -> u64 {
        let pid = match &self.process {
            Running::Rust(process) => process.pid(),
            Running::Python(child) => child.id(),
        };
        memory_below(pid)
    }
}

fn memory_below(pid: u32) -> u64 {
    let read = |name: &str| fs::read_to_string(format!("/proc/{pid}/{name}")).unwrap_or_default();
    let sizes = read("smaps_rollup");
    let own = sizes.lines().find_map(|line| line.strip_prefix("Pss:")?.split_whitespace().next());
    let tasks = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    let children: String =
        tasks.map(|task| read(&format!("task/{}/children", task.file_name().display()))).collect();
    let below = children.split_whitespace().filter_map(|child| child.parse().ok());
    own.and_then(|own| own.parse().ok()).unwrap_or(0) + below.map(memory_below).sum::<u64>()
}

impl Drop for Server {
    fn drop(&mut self) {
        match &mut self.process {
            Running::Rust(process) => {
                let _ = process.kill();
                process.wait();
            }
            Running::Python(child) => {
                let _ = child.kill();
                let _ = child.wait();
            }
        }
    }
}

fn clients(listener: Descriptor) -> impl Iterator<Item = TcpStream> {
    let listener = TcpListener::from(listener.into_fd());
    std::iter::from_fn(move || listener.accept().ok()).map(|(client, _)| client)
}

fn answer(client: TcpStream) -> Result<(), Error> {
    let mut writer = client.try_clone()?;
    for line in BufReader::new(client).lines() {
        writer.write_all((line? + "\n").as_bytes())?;
    }
    Ok(())
}

fn answer_in_child(client: Descriptor) -> Result<(), Error> {
    answer(client.into_fd().into())
}

fn spawns(listener: Descriptor) -> Result<(), Error> {
    let mut children = vec![];
    for client in clients(listener) {
        children.push(Process::spawn(answer_in_child, client.into())?);
        reap(&mut children);
    }
    Ok(())
}

fn forks(listener: Descriptor) -> Result<(), Error> {
    let server = ForkServer::start()?;
    let mut children = vec![];
    for client in clients(listener) {
        children.push(server.spawn(answer_in_child, client.into())?);
        reap(&mut children);
    }
    Ok(())
}

/// From time to time, as it asks the system about each.
fn reap(children: &mut Vec<Process<Result<(), Error>>>) {
    if children.len().is_multiple_of(64) {
        children.retain(Process::is_alive);
    }
}

fn starts_threads(listener: Descriptor) -> Result<(), Error> {
    for client in clients(listener) {
        thread::spawn(|| answer(client));
    }
    Ok(())
}

fn has_workers(listener: Descriptor) -> Result<(), Error> {
    let worker = |listener| clients(listener).for_each(|client| drop(answer(client)));
    let listener = TcpListener::from(listener.into_fd());
    let mut workers = vec![];
    for _ in 0..4 {
        let shared = listener.try_clone()?.into();
        workers.push(Process::builder().daemon(true).spawn(worker, shared)?);
    }
    workers.into_iter().try_for_each(Process::join)
}
