//! Where a listener is: its address and its file, who may take its place, and what it leaves.

use multiprocessing::{Address, Client, Error, Listener, Process, pipe_one_way, wait};
use nix::sys::socket::{Backlog, listen};
use std::error::Error as StdError;
use std::io;
use std::net::TcpListener;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};
use std::{env, fs, thread};
use tempfile::TempDir;
use tests::helper::{self, LONG, SHORT, kills};
use tests::server::{KEY, TCP};
use tests::{Outcome, helpers, trials};

fn main() -> ExitCode {
    let trials = trials![
        a_killed_listener_is_the_end,
        a_killed_listener_leaves_no_file,
        the_place_of_a_killed_listener_is_taken_at_once,
        another_file_is_left_alone,
        dropping_a_listener_ends_its_handshakes,
        a_listener_is_waited_for,
        nobody_comes_in_time,
    ];
    // These fork, go to another folder, or need a socket closed at once: a child of another test
    // has a copy of each until its execve(2).
    let alone = helpers![
        an_address_is_free_again_at_once,
        a_socket_file_goes_with_its_listener,
        of_two_that_bind_at_once_one_wins,
        a_forked_child_harms_no_listener,
        addresses_are_read,
    ];
    helper::main(trials, alone, &[])
}

fn a_killed_listener_is_the_end() -> Outcome {
    let (receiver, sender) = pipe_one_way::<Address>()?;
    let child = Process::spawn(listen_and_wait, (sender, TCP.into()))?;
    let client = Client::<(), ()>::connect(receiver.recv()?, KEY)?;
    assert!(matches!(client.recv_timeout(SHORT), Err(Error::TimedOut)));
    child.kill()?;
    assert!(matches!(client.recv(), Err(Error::Closed)));
    Ok(())
}

fn listen_and_wait((sender, address): (multiprocessing::Sender<Address>, Address)) {
    let listener = Listener::bind(address, KEY).expect("the address is free");
    sender.send(listener.local_addr()).expect("the parent receives");
    let accepted: Vec<_> = listener.incoming::<(), ()>().take(10).collect();
    drop(accepted);
}

fn an_address_is_free_again_at_once() -> Alone {
    let folder = TempDir::new()?;
    for address in [TCP.into(), Address::from(folder.path().join("socket"))] {
        let listener = Listener::bind(address, KEY)?;
        let address = listener.local_addr();
        let _client = Client::<u32, u32>::connect(address.clone(), KEY)?;
        let ours = listener.accept::<u32, u32>()?;
        assert_eq!(taken(&address), Some(io::ErrorKind::AddrInUse));
        drop((ours, listener)); // this side closes first, so its port is in TIME_WAIT
        let listener = Listener::bind(address.clone(), KEY)?;
        let _client = Client::<u32, u32>::connect(address, KEY)?;
        listener.accept::<u32, u32>()?;
    }
    Ok(())
}

/// Why it cannot be bound.
fn taken(address: &Address) -> Option<io::ErrorKind> {
    match Listener::bind(address.clone(), KEY) {
        Err(Error::System { source, .. }) => Some(source.kind()),
        _ => None,
    }
}

fn a_socket_file_goes_with_its_listener() -> Alone {
    let folder = TempDir::new()?;
    let path = folder.path().join("socket");
    let listener = Listener::bind(path.clone(), KEY)?;
    assert!(path.exists());
    // Somebody else's, which it leaves alone.
    fs::remove_file(&path)?;
    let other = UnixListener::bind(&path)?;
    drop(listener);
    assert!(path.exists());
    drop(other);
    Listener::bind(path.clone(), KEY)?.close();
    assert!(!path.exists());
    assert_eq!(fs::read_dir(folder.path())?.count(), 0);
    Ok(())
}

fn a_killed_listener_leaves_no_file() -> Outcome {
    let folder = TempDir::new()?;
    let path = folder.path().join("socket");
    kill_listener(&path)?;
    let start = Instant::now();
    while path.exists() && start.elapsed() < LONG {
        thread::sleep(Duration::from_millis(1));
    }
    assert!(!path.exists());
    Ok(())
}

fn kill_listener(path: &Path) -> Outcome {
    let (receiver, sender) = pipe_one_way::<Address>()?;
    let child = Process::spawn(listen_and_wait, (sender, path.into()))?;
    receiver.recv()?;
    assert!(path.exists());
    child.kill()?;
    assert!(matches!(child.join(), Err(Error::Killed { signal: 9 })));
    Ok(())
}

/// While the tracker of the killed one removes the old file, the new one is not harmed.
fn the_place_of_a_killed_listener_is_taken_at_once() -> Outcome {
    let folder = TempDir::new()?;
    let path: &Path = &folder.path().join("socket");
    for n in 0..kills() / 4 {
        kill_listener(path)?;
        thread::sleep(Duration::from_micros(n * 100 % 3000));
        let listener = Listener::bind(path, KEY)?;
        thread::sleep(Duration::from_millis(2));
        assert!(path.exists());
        let _client = Client::<u32, u32>::connect(path, KEY)?;
        listener.accept::<u32, u32>()?;
    }
    Ok(())
}

fn another_file_is_left_alone() -> Outcome {
    let folder = TempDir::new()?;
    let path = folder.path().join("file");
    fs::write(&path, "precious")?;
    assert_eq!(taken(&path.clone().into()), Some(io::ErrorKind::AddrInUse));
    assert_eq!(fs::read_to_string(&path)?, "precious");
    Ok(())
}

fn of_two_that_bind_at_once_one_wins() -> Alone {
    let folder = TempDir::new()?;
    let path: &Path = &folder.path().join("socket");
    for _ in 0..200 {
        drop(UnixListener::bind(path)?); // leaves its file
        let bound: Vec<_> = thread::scope(|scope| {
            let bind = || Listener::bind(path, KEY);
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(bind)).collect();
            threads.into_iter().map(|thread| thread.join().expect("no panic")).collect()
        });
        assert_eq!(bound.iter().filter(|bound| bound.is_ok()).count(), 1);
        Client::<u32, u32>::connect(path, KEY)?;
        drop(bound);
        assert!(!path.exists());
    }
    Ok(())
}

fn dropping_a_listener_ends_its_handshakes() -> Outcome {
    let listener = Listener::bind(TCP, KEY)?;
    let address = listener.local_addr();
    let silent = std::net::TcpStream::connect(address.to_string())?;
    let accepted = Client::<(), ()>::connect(address.clone(), KEY)?;
    drop(listener);
    assert!(matches!(accepted.recv(), Err(Error::Closed)), "it was never accepted");
    silent.set_read_timeout(Some(LONG))?;
    io::copy(&mut &silent, &mut io::sink())?; // a challenge, and then the end
    assert!(Client::<(), ()>::connect(address, KEY).is_err());
    Ok(())
}

fn a_listener_is_waited_for() -> Outcome {
    let listener = Listener::bind(TCP, KEY)?;
    let _stranger = std::net::TcpStream::connect(listener.local_addr().to_string())?;
    assert_eq!(wait(&[&listener], Some(SHORT))?, []);
    let _clients = [(); 2].map(|()| Client::<(), ()>::connect(listener.local_addr(), KEY));
    for _ in 0..2 {
        assert_eq!(wait(&[&listener], Some(LONG))?, [0]);
        listener.accept::<(), ()>()?;
    }
    assert_eq!(wait(&[&listener], Some(SHORT))?, []);
    Ok(())
}

fn nobody_comes_in_time() -> Outcome {
    let listener = Listener::bind(TCP, KEY)?;
    assert!(matches!(listener.accept_timeout::<(), ()>(SHORT), Err(Error::TimedOut)));
    let folder = TempDir::new()?;
    let path = folder.path().join("socket");
    let (tcp, unix) = (TcpListener::bind(TCP)?, UnixListener::bind(&path)?);
    listen(&tcp, Backlog::new(1)?)?;
    listen(&unix, Backlog::new(1)?)?;
    for address in [tcp.local_addr()?.into(), Address::from(path)] {
        // The first ones are never challenged, the others not even connected.
        for _ in 0..5 {
            let start = Instant::now();
            let connected = Client::<(), ()>::connect_timeout(address.clone(), KEY, SHORT * 10);
            assert!(matches!(connected, Err(Error::TimedOut)), "{connected:?}");
            assert!(start.elapsed() >= SHORT * 10 && start.elapsed() < LONG);
        }
    }
    Ok(())
}

fn addresses_are_read() -> Alone {
    assert_eq!(Address::from("localhost:1"), Address::Tcp("localhost:1".into()));
    assert_eq!(Address::from("/a/b".to_string()), Address::Unix("/a/b".into()));
    assert_eq!(Address::from(Path::new("a")), Address::Unix("a".into()));
    let folder = TempDir::new()?;
    env::set_current_dir(folder.path())?;
    let listener = Listener::bind(Path::new("here"), KEY)?;
    let client = Client::<(), ()>::connect("./here", KEY)?;
    assert_eq!(client.peer_addr(), Address::Unix("./here".into()));
    assert_eq!(listener.accept::<(), ()>()?.peer_addr(), Address::Unix("here".into()));
    let bad = ["", "nowhere", "localhost:x", "localhost:99999", "/no/such/folder/socket"];
    let bad = bad.into_iter().chain([r"\\.\test", "\0something", "/\0something"]);
    for address in bad {
        assert!(Listener::bind(address, KEY).is_err(), "{address}");
        assert!(Client::<(), ()>::connect(address, KEY).is_err(), "{address}");
    }
    assert!(Listener::bind(format!("/{}", "x".repeat(108)), KEY).is_err());
    Ok(())
}

type Alone = Result<(), Box<dyn StdError>>;

fn a_forked_child_harms_no_listener() -> Alone {
    let folder = TempDir::new()?;
    let path = folder.path().join("socket");
    let mut listener = Some(Listener::bind(path.clone(), KEY)?);
    let use_copy = || {
        let listener = listener.take();
        listener.is_some_and(|listener| listener.accept::<(), ()>().is_err())
    };
    // SAFETY: the other thread of this process, the listener's, waits in poll(2) and holds no lock.
    let child = unsafe { Process::fork(use_copy) }?;
    assert!(child.join()?, "the copy cannot accept, and is dropped");
    let listener = listener.ok_or("only the child took it")?;
    let _client = Client::<(), ()>::connect(path.clone(), KEY)?;
    listener.accept_timeout::<(), ()>(LONG)?;
    drop(listener);
    assert!(!path.exists());
    Ok(())
}
