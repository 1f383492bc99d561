//! What is measured: the nanoseconds that all calls of all clients take together.

use benches::spans::{Span, span, whole};
use multiprocessing::{Address, Barrier, Descriptor, DictProxy, Key, Lock, Manager, Process};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fs::File;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

/// How a client reaches the server.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Through {
    Pair,
    Unix,
    Tcp,
}

pub struct Load {
    pub clients: u32,
    pub through: Through,
}

/// The time if each client makes so many calls; none if this peer has no such form.
pub type Run = fn(&Load, u64) -> Option<f64>;

/// As many bytes as a request and an answer of the dictionary have.
const REQUEST: usize = 9;
const ANSWER: usize = 7;

type Client<A> = (A, Barrier, u64);

fn together<A: Serialize + DeserializeOwned>(
    load: &Load,
    count: u64,
    work: fn(Client<A>) -> Span,
    arguments: impl Fn() -> A,
) -> f64 {
    let start = Barrier::new(load.clients).expect("memory");
    let client = |_| Process::spawn(work, (arguments(), start.clone(), count)).expect("it starts");
    let clients: Vec<_> = (0..load.clients).map(client).collect();
    let spans: Vec<Span> = clients.into_iter().map(|c| c.join().expect("it ends")).collect();
    whole(spans).as_nanos() as f64
}

/// The measure: sockets by hand, with a server that has a thread for each.
pub fn raw(load: &Load, count: u64) -> Option<f64> {
    let pairs: Vec<(OwnedFd, OwnedFd)> = (0..load.clients).map(|_| pair(load.through)).collect();
    let (ours, theirs): (Vec<_>, Vec<Descriptor>) =
        pairs.into_iter().map(|(ours, theirs)| (ours, theirs.into())).unzip();
    let server = Process::spawn(answer_all, theirs).expect("it starts");
    let ours = std::cell::RefCell::new(ours);
    let next = || Descriptor::from(ours.borrow_mut().pop().expect("one for each"));
    let time = together(load, count, ask_raw, next);
    server.join().expect("it has answered all");
    Some(time)
}

/// Both ends of a connection. (Of Unix sockets with and without a name, the cost is the same.)
fn pair(through: Through) -> (OwnedFd, OwnedFd) {
    if through != Through::Tcp {
        let (one, other) = UnixStream::pair().expect("a pair");
        return (one.into(), other.into());
    }
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let one = TcpStream::connect(listener.local_addr().expect("it is bound")).expect("it listens");
    let (other, _) = listener.accept().expect("it has connected");
    [&one, &other].into_iter().for_each(|s| s.set_nodelay(true).expect("a TCP socket"));
    (one.into(), other.into())
}

fn answer_all(sockets: Vec<Descriptor>) {
    let answer = |socket: Descriptor| {
        let mut socket = File::from(socket.into_fd());
        while socket.read_exact(&mut [0; REQUEST]).is_ok() {
            socket.write_all(&[0; ANSWER]).expect("the client waits");
        }
    };
    let threads: Vec<_> = sockets.into_iter().map(|s| thread::spawn(move || answer(s))).collect();
    threads.into_iter().for_each(|thread| thread.join().expect("no panic"));
}

fn ask_raw((socket, start, count): Client<Descriptor>) -> Span {
    let mut socket = File::from(socket.into_fd());
    start.wait().expect("all start");
    span(|| {
        for _ in 0..count {
            socket.write_all(&[0; REQUEST]).expect("the server reads");
            socket.read_exact(&mut [0; ANSWER]).expect("the server answers");
        }
    })
}

pub fn manager(load: &Load, count: u64) -> Option<f64> {
    if load.through == Through::Pair {
        let manager = Manager::start().expect("it starts");
        let dict = manager.dict().expect("memory");
        return Some(together(load, count, set_here, || dict.clone()));
    }
    let path = std::env::temp_dir().join(format!("bench-{}", std::process::id()));
    let at = if load.through == Through::Tcp { "127.0.0.1:0".into() } else { Address::from(path) };
    let key = Key::random().expect("random bytes");
    let manager = Manager::serve(at, key.clone()).expect("it starts");
    manager.register("dict", &manager.dict::<u32, u32>().expect("memory")).expect("it is its own");
    let at = || (manager.address().expect("it serves").clone(), key.clone());
    Some(together(load, count, set_there, at))
}

fn set_here((dict, start, count): Client<DictProxy<u32, u32>>) -> Span {
    dict.insert(1, 1).expect("the server runs");
    start.wait().expect("all start");
    span(|| {
        for _ in 0..count {
            dict.insert(1, 1).expect("the server runs");
        }
    })
}

fn set_there(((address, key), start, count): Client<(Address, Key)>) -> Span {
    let manager = Manager::connect(address, key).expect("it serves");
    set_here((manager.registered("dict").expect("it was registered"), start, count))
}

pub fn python(load: &Load, count: u64) -> Option<f64> {
    let kind = match load.through {
        Through::Pair | Through::Unix => "unix",
        Through::Tcp => "tcp",
    };
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("manager.py");
    let argument = format!("{kind}-{}", load.clients);
    let there = benches::has_python();
    there.then(|| benches::python(&script, &argument, count).as_nanos() as f64)
}

/// A number in shared memory, instead of a server.
pub fn lock(load: &Load, count: u64) -> Option<f64> {
    let lock = Lock::new().expect("memory");
    (load.through == Through::Pair).then(|| together(load, count, count_up, || lock.clone()))
}

fn count_up((lock, start, count): Client<Lock>) -> Span {
    start.wait().expect("all start");
    span(|| (0..count).for_each(|_| drop(lock.acquire().expect("nobody dies"))))
}

/// The thread of one that waits needs little.
fn small() -> thread::Builder {
    thread::Builder::new().stack_size(64 << 10)
}

/// Calls while so many wait for the same object.
pub fn call_beside(crowd: u64, count: u64) -> f64 {
    let manager = Manager::start().expect("it starts");
    let event = manager.event().expect("memory");
    let load = Load { clients: 1, through: Through::Pair };
    thread::scope(|scope| {
        for _ in 0..crowd {
            small().spawn_scoped(scope, || event.wait().expect("it is set")).expect("memory");
        }
        thread::sleep(Duration::from_millis(2 * crowd)); // they wait
        let look = |(event, start, count): Client<multiprocessing::EventProxy>| {
            start.wait().expect("all start");
            span(|| assert!((0..count).all(|_| !event.is_set().expect("the server runs"))))
        };
        let time = together(&load, count, look, || event.clone());
        event.set().expect("the server runs");
        time
    })
}

/// Puts for those who wait, until each has its message.
pub fn put_for_all(crowd: u64) -> f64 {
    let manager = Manager::start().expect("it starts");
    let queue = manager.queue::<u64>(0).expect("memory");
    let get = || queue.get().expect("it is put");
    thread::scope(|scope| {
        let wait = |_| small().spawn_scoped(scope, get).expect("memory");
        let waiting: Vec<_> = (0..crowd).map(wait).collect();
        thread::sleep(Duration::from_millis(2 * crowd)); // they wait
        let begin = Instant::now();
        (0..crowd).for_each(|number| queue.put(number).expect("the server runs"));
        let got: u64 = waiting.into_iter().map(|thread| thread.join().expect("no panic")).sum();
        assert_eq!(got, crowd * (crowd - 1) / 2);
        begin.elapsed().as_nanos() as f64
    })
}

/// What `measure` says of the server, before and while so many wait.
pub fn memory_for(crowd: u64, measure: fn(u32) -> u64) -> (u64, u64) {
    let manager = Manager::start().expect("it starts");
    let (event, pid) = (manager.event().expect("memory"), manager.pid().expect("it was started"));
    event.is_set().expect("the server runs");
    let before = measure(pid);
    thread::scope(|scope| {
        for _ in 0..crowd {
            small().spawn_scoped(scope, || event.wait().expect("it is set")).expect("memory");
        }
        thread::sleep(Duration::from_millis(2 * crowd)); // they wait
        let after = measure(pid);
        event.set().expect("the server runs");
        (before, after)
    })
}
