//! Connections over TCP and Unix sockets between two sides that have the key: what arrives, what
//! the end looks like, and that an address is free again.

use multiprocessing::{
    Address, Client, Connection, Error, Key, Listener, Process, pipe, pipe_one_way, wait,
};
use nix::sys::signal::{SigHandler, Signal, signal};
use nix::sys::socket::{Backlog, listen};
use std::error::Error as StdError;
use std::io::{self, Write};
use std::net::TcpListener;
use std::os::fd::AsFd;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};
use std::{env, fs};
use tempfile::TempDir;
use tests::helper::{Helper, LONG, SHORT, kills, open_and_mapped};
use tests::{Outcome, trials};

const KEY: &str = "the key of these tests";

/// They count descriptors, fork, go to another folder, or leave a socket at which nobody
/// listens: a child of another test has a copy of each socket until its execve(2).
const ALONE: [(&str, Helper); 6] = [
    ("a_socket_file_goes_with_its_listener", a_socket_file_goes_with_its_listener),
    ("of_two_that_bind_at_once_one_wins", of_two_that_bind_at_once_one_wins),
    ("sending_to_one_that_is_gone_is_no_signal", sending_to_one_that_is_gone_is_no_signal),
    ("a_forked_child_harms_no_listener", a_forked_child_harms_no_listener),
    ("addresses_are_read", addresses_are_read),
    ("nothing_leaks", nothing_leaks),
];

fn main() -> ExitCode {
    let trials = trials![
        values_go_both_ways_over_both_kinds,
        bytes_of_every_size_arrive,
        a_child_connects_with_a_key_from_its_arguments,
        what_is_sent_by_many_threads_arrives_whole,
        threads_that_receive_get_each_message_once,
        a_time_out_tears_no_message,
        try_recv_poll_and_wait,
        a_descriptor_cannot_travel,
        a_value_of_another_type_is_an_error_and_loses_nothing_more,
        a_sender_that_dies_in_a_message_leaves_it_unfinished,
        a_killed_client_is_the_end,
        a_killed_listener_is_the_end,
        shutdown_ends_a_wait,
        an_address_is_free_again_at_once,
        a_killed_listener_leaves_no_file,
        the_place_of_a_killed_listener_is_taken_at_once,
        another_file_is_left_alone,
        an_accepted_connection_outlives_its_listener,
        dropping_a_listener_ends_its_handshakes,
        a_listener_is_waited_for,
        nobody_comes_in_time,
        a_key_shows_nothing,
    ];
    tests::helper::main(trials, &ALONE, &[])
}

type Pair<A, B> = (Client<A, B>, Client<B, A>);

/// Two ends of one connection.
fn pair<A: ?Sized, B: ?Sized>(address: impl Into<Address>) -> Result<Pair<A, B>, Error> {
    let listener = Listener::bind(address, KEY)?;
    let client = Client::connect(listener.local_addr(), KEY)?;
    Ok((listener.accept()?, client))
}

const TCP: &str = "127.0.0.1:0";

fn values_go_both_ways_over_both_kinds() -> Outcome {
    let folder = TempDir::new()?;
    for address in [TCP.into(), Address::from(folder.path().join("socket")), "[::1]:0".into()] {
        let (ours, theirs) = pair::<(String, u32), Option<i64>>(address)?;
        ours.send(("hello".into(), 7))?;
        ours.send(("".into(), u32::MAX))?;
        assert_eq!(theirs.recv()?, ("hello".to_string(), 7));
        assert_eq!(theirs.recv()?, ("".to_string(), u32::MAX));
        theirs.send(Some(-5))?;
        theirs.send(None)?;
        drop(theirs);
        let values: Result<Vec<_>, Error> = ours.iter().collect();
        assert_eq!(values?, [Some(-5), None]);
        assert!(matches!(ours.recv(), Err(Error::Closed)));
        assert!(matches!(ours.recv(), Err(Error::Closed)));
    }
    Ok(())
}

fn bytes_of_every_size_arrive() -> Outcome {
    let folder = TempDir::new()?;
    for address in [TCP.into(), Address::from(folder.path().join("socket"))] {
        let (ours, theirs) = pair::<[u8], [u8]>(address)?;
        let echo = thread::spawn(move || -> Result<usize, Error> {
            let mut count = 0;
            while let Ok(bytes) = theirs.recv_bytes() {
                theirs.send_bytes(&bytes)?;
                count += 1;
            }
            Ok(count)
        });
        let sizes = [0, 1, 3, 4, 5, 255, 256, 257, 65_535, 262_144, 262_145, 16 << 20];
        for size in sizes {
            let bytes: Vec<u8> = (0..size).map(|n: usize| (n % 251) as u8).collect();
            ours.send_bytes(&bytes)?;
            assert!(ours.recv_bytes()? == bytes, "{size} bytes");
        }
        drop(ours);
        assert_eq!(echo.join().expect("no panic")?, sizes.len());
    }
    Ok(())
}

fn a_child_connects_with_a_key_from_its_arguments() -> Outcome {
    let key = Key::random()?;
    let listener = Listener::bind(TCP, key.clone())?;
    let child = Process::spawn(double, (listener.local_addr(), key))?;
    let client = listener.accept_timeout::<u32, u32>(LONG)?;
    client.send(21)?;
    assert_eq!(client.recv()?, 42);
    child.join()?;
    Ok(())
}

fn double((address, key): (Address, Key)) {
    let client = Client::<u32, u32>::connect(address, key).expect("the parent listens");
    let number = client.recv().expect("the parent sends");
    client.send(2 * number).expect("the parent receives");
}

fn what_is_sent_by_many_threads_arrives_whole() -> Outcome {
    let (ours, theirs) = pair::<[u8], [u8]>(TCP)?;
    let send = |letter: u8| {
        let ours = &ours;
        move || (0..50).try_for_each(|n| ours.send_bytes(&vec![letter; 1 + n * 2000]))
    };
    let mut counts = [0usize; 4];
    thread::scope(|scope| -> Result<(), Error> {
        (0..4).for_each(|letter| drop(scope.spawn(send(letter))));
        for _ in 0..200 {
            let bytes = theirs.recv_bytes()?;
            let letter = bytes[0];
            assert!(bytes.iter().all(|byte| *byte == letter));
            assert_eq!(bytes.len(), 1 + counts[letter as usize] * 2000);
            counts[letter as usize] += 1;
        }
        Ok(())
    })?;
    assert_eq!(counts, [50; 4]);
    Ok(())
}

fn threads_that_receive_get_each_message_once() -> Outcome {
    let (ours, theirs) = pair::<(u32, Vec<u8>), ()>(TCP)?;
    let theirs = Arc::new(theirs);
    let receive = |theirs: Arc<Client<(), (u32, Vec<u8>)>>| -> Result<Vec<_>, Error> {
        theirs.iter().map(|value| value.map(|(n, bytes)| (n, bytes.len()))).collect()
    };
    let threads = [(); 4].map(|()| Arc::clone(&theirs));
    let threads = threads.map(|theirs| thread::spawn(move || receive(theirs)));
    for n in 0..400 {
        ours.send((n, vec![0; n as usize * 300]))?;
    }
    drop(ours);
    let mut all = Vec::new();
    for thread in threads {
        all.extend(thread.join().expect("no panic")?);
    }
    all.sort();
    assert_eq!(all, (0..400).map(|n| (n, n as usize * 300)).collect::<Vec<_>>());
    Ok(())
}

/// A raw socket that has shown the key: the test writes the frames by itself.
fn raw() -> Result<(Client<(), [u8]>, fs::File), Error> {
    let (ours, theirs) = pair::<(), [u8]>(TCP)?;
    Ok((ours, theirs.as_fd().try_clone_to_owned()?.into()))
}

fn a_time_out_tears_no_message() -> Outcome {
    let (ours, mut raw) = raw()?;
    for part in [&[0u8, 0][..], &[0], &[5], b"ab", b"c", b"d"] {
        assert!(matches!(ours.recv_bytes_timeout(SHORT), Err(Error::TimedOut)));
        raw.write_all(part)?;
        assert!(ours.poll(LONG)?);
    }
    assert!(matches!(ours.recv_bytes_timeout(SHORT), Err(Error::TimedOut)));
    raw.write_all(b"e\0\0\0\x01f")?;
    assert_eq!(ours.recv_bytes()?, b"abcde");
    assert_eq!(ours.recv_bytes()?, b"f");
    Ok(())
}

fn try_recv_poll_and_wait() -> Outcome {
    let (ours, theirs) = pair::<u32, u32>(TCP)?;
    assert!(matches!(ours.try_recv(), Err(Error::WouldBlock)));
    assert!(matches!(ours.recv_timeout(Duration::ZERO), Err(Error::TimedOut)));
    assert!(!ours.poll(SHORT)?);
    assert_eq!(wait(&[&ours], Some(SHORT))?, []);
    theirs.send(1)?;
    theirs.send(2)?;
    assert_eq!(wait(&[&ours], Some(LONG))?, [0]);
    assert_eq!(ours.recv()?, 1);
    assert!(ours.poll(LONG)?, "nothing of the second message was taken");
    assert_eq!(ours.recv_timeout(LONG)?, 2);
    assert!(!ours.poll(Duration::ZERO)?);
    theirs.close();
    assert!(ours.poll(LONG)?);
    assert!(matches!(ours.try_recv(), Err(Error::Closed)));
    Ok(())
}

fn a_descriptor_cannot_travel() -> Outcome {
    let (ours, _theirs) = pair::<Connection<u8, u8>, ()>(TCP)?;
    let (one, other) = pipe::<u8, u8>()?;
    let failed = ours.send(one).expect_err("it has a descriptor");
    assert!(matches!(failed.error, Error::Encode { .. }), "{failed}");
    assert!(failed.to_string().contains("travel only through a Connection"), "{failed}");
    failed.value.send(5)?; // it came back whole
    assert_eq!(other.recv()?, 5);
    Ok(())
}

fn a_value_of_another_type_is_an_error_and_loses_nothing_more() -> Outcome {
    let listener = Listener::bind(TCP, KEY)?;
    let theirs = Client::<[u8], ()>::connect(listener.local_addr(), KEY)?;
    let ours = listener.accept::<(), String>()?;
    theirs.send_bytes(b"\x05ab")?; // a text of 5 bytes that has 2
    theirs.send_bytes(b"\x02ab")?;
    assert!(matches!(ours.recv(), Err(Error::Decode { .. })));
    assert_eq!(ours.recv()?, "ab");
    Ok(())
}

fn a_sender_that_dies_in_a_message_leaves_it_unfinished() -> Outcome {
    for (part, received, length) in [
        (&b"\0\0"[..], 2, 4),
        (b"\0\0\0\x05", 0, 5),
        (b"\0\0\0\x05ab", 2, 5),
        (b"\xff\xff\xff\xff\0\0", 6, 12),
        (b"\xff\xff\xff\xff\0\0\x01\0\0\0\0\0abc", 3, 1 << 40),
    ] {
        let (ours, mut raw) = raw()?;
        raw.write_all(part)?;
        drop(raw);
        match ours.recv_bytes() {
            Err(Error::Unfinished { received: r, length: l }) => {
                assert_eq!((r, l), (received, length))
            }
            other => panic!("{part:?}: {other:?}"),
        }
        assert!(matches!(ours.recv_bytes(), Err(Error::Closed)));
    }
    Ok(())
}

fn a_killed_client_is_the_end() -> Outcome {
    let listener = Listener::bind(TCP, KEY)?;
    let child = Process::spawn(send_for_ever, (listener.local_addr(), Key::from(KEY)))?;
    let client = listener.accept::<u32, Vec<u8>>()?;
    assert_eq!(client.recv()?.len(), 1 << 20);
    child.kill()?;
    let end = client.iter().find_map(Result::err);
    assert!(matches!(end, None | Some(Error::Unfinished { .. })), "{end:?}");
    assert!(matches!(client.recv(), Err(Error::Closed)));
    let closed = std::iter::repeat_with(|| client.send(1)).find_map(Result::err);
    assert!(matches!(closed, Some(failed) if matches!(failed.error, Error::Closed)));
    Ok(())
}

fn send_for_ever((address, key): (Address, Key)) {
    let client = Client::<Vec<u8>, u32>::connect(address, key).expect("the parent listens");
    while client.send(vec![7; 1 << 20]).is_ok() {}
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

/// With the default action for SIGPIPE, which would end this process.
fn sending_to_one_that_is_gone_is_no_signal() -> Alone {
    // SAFETY: it installs no handler.
    unsafe { signal(Signal::SIGPIPE, SigHandler::SigDfl) }?;
    let folder = TempDir::new()?;
    for address in [TCP.into(), Address::from(folder.path().join("socket"))] {
        let (ours, theirs) = pair::<[u8], [u8]>(address)?;
        drop(theirs);
        while ours.send_bytes(&[0; 1 << 16]).is_ok() {}
        assert!(matches!(ours.send_bytes(b"x"), Err(Error::Closed)));
    }
    Ok(())
}

fn shutdown_ends_a_wait() -> Outcome {
    let (ours, theirs) = pair::<u32, u32>(TCP)?;
    thread::scope(|scope| -> Outcome {
        let waiting = scope.spawn(|| ours.recv());
        thread::sleep(SHORT);
        ours.shutdown()?;
        assert!(matches!(waiting.join().expect("no panic"), Err(Error::Closed)));
        Ok(())
    })?;
    assert!(matches!(theirs.recv(), Err(Error::Closed)));
    assert!(matches!(ours.send(1).map_err(Error::from), Err(Error::Closed)));
    Ok(())
}

fn an_address_is_free_again_at_once() -> Outcome {
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

fn an_accepted_connection_outlives_its_listener() -> Outcome {
    let (ours, theirs) = pair::<u32, u32>(TCP)?;
    ours.send(1)?;
    assert_eq!(theirs.recv()?, 1);
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
    for address in ["", "nowhere", "localhost:x", "localhost:99999", "/no/such/folder/socket"] {
        assert!(Listener::bind(address, KEY).is_err(), "{address}");
        assert!(Client::<(), ()>::connect(address, KEY).is_err(), "{address}");
    }
    assert!(Listener::bind(format!("/{}", "x".repeat(108)), KEY).is_err());
    Ok(())
}

fn a_key_shows_nothing() -> Outcome {
    let key = Key::from("hush");
    assert_eq!(format!("{key:?} {key:#?}"), "Key(…) Key(…)");
    let listener = Listener::bind(TCP, key.clone())?;
    assert!(!format!("{listener:#?}").contains("hush"));
    for empty in [Key::from(""), Key::from([]), Key::from(Vec::new()), Key::from(&b""[..])] {
        assert!(matches!(Listener::bind(TCP, empty.clone()), Err(Error::Authentication { .. })));
        let connected = Client::<(), ()>::connect(listener.local_addr(), empty);
        assert!(matches!(connected, Err(Error::Authentication { .. })));
    }
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

fn nothing_leaks() -> Alone {
    let folder = TempDir::new()?;
    let make_all = || -> Alone {
        for address in [TCP.into(), Address::from(folder.path().join("socket"))] {
            let listener = Listener::bind(address, KEY)?;
            let address = listener.local_addr();
            let client = Client::<u32, u32>::connect(address.clone(), KEY)?;
            listener.accept::<u32, u32>()?.send(1)?;
            assert_eq!(client.recv()?, 1);
            assert!(Client::<(), ()>::connect(address.clone(), "another").is_err());
            let _not_accepted = Client::<u32, u32>::connect(address, KEY)?;
        }
        Ok(())
    };
    make_all()?;
    let before = open_and_mapped()?;
    (0..50).try_for_each(|_| make_all())?;
    assert_eq!(open_and_mapped()?, before);
    Ok(())
}
