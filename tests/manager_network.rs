//! Connections over TCP and Unix sockets between two sides that have the key: what arrives, and
//! what the end looks like.

use multiprocessing::{
    Address, Client, Connection, Error, Key, Listener, Process, Sender, pipe, pipe_one_way, wait,
};
use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, kill, sigaction, signal};
use nix::unistd::Pid;
use std::error::Error as StdError;
use std::io::Write;
use std::os::fd::AsFd;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use std::{fs, thread};
use tempfile::TempDir;
use tests::helper::{self, LONG, SHORT, is_asleep, join, open_and_mapped, until};
use tests::server::{KEY, TCP};
use tests::{Outcome, helpers, trials};

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
        what_was_sent_before_the_accept_arrives,
        a_killed_client_is_the_end,
        shutdown_ends_a_wait,
        signals_end_no_wait,
        an_accepted_connection_outlives_its_listener,
        a_key_shows_nothing,
    ];
    helper::main(trials, helpers![sending_to_one_that_is_gone_is_no_signal, nothing_leaks], &[])
}

type Pair<A, B> = (Client<A, B>, Client<B, A>);

/// Two ends of one connection.
fn pair<A: ?Sized, B: ?Sized>(address: impl Into<Address>) -> Result<Pair<A, B>, Error> {
    let listener = Listener::bind(address, KEY)?;
    let client = Client::connect(listener.local_addr(), KEY)?;
    Ok((listener.accept()?, client))
}

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
        let sizes = [0, 1, 3, 4, 5, 255, 256, 257, 65_535, 262_144, 262_145, 2 << 20];
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
    let folder = TempDir::new()?;
    for address in [TCP.into(), Address::from(folder.path().join("socket"))] {
        let (ours, theirs) = pair::<u32, u32>(address)?;
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
    }
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

/// The other side has ended by then.
fn what_was_sent_before_the_accept_arrives() -> Outcome {
    let folder = TempDir::new()?;
    let say_hello = |address: Address| {
        let client = Client::<String, ()>::connect(address, KEY).expect("the parent listens");
        client.send("hello".into()).expect("the connection is there");
    };
    for address in [TCP.into(), Address::from(folder.path().join("socket"))] {
        let listener = Listener::bind(address, KEY)?;
        join(Process::spawn(say_hello, listener.local_addr())?)?;
        let client = listener.accept::<(), String>()?;
        assert_eq!(client.recv()?, "hello");
        assert!(matches!(client.recv(), Err(Error::Closed)));
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

/// Has a handler that interrupts system calls, and waits in `accept` and in `recv`.
fn wait_through_signals(sender: Sender<Address>) -> Result<u32, Error> {
    extern "C" fn handler(_: i32) {}
    let action = SigAction::new(SigHandler::Handler(handler), SaFlags::empty(), SigSet::empty());
    // SAFETY: the handler does nothing.
    unsafe { sigaction(Signal::SIGUSR1, &action) }.expect("it is a signal");
    let listener = Listener::bind(TCP, KEY)?;
    sender.send(listener.local_addr())?;
    listener.accept_timeout::<(), u32>(LONG)?.recv_timeout(LONG)
}

fn signals_end_no_wait() -> Outcome {
    let (receiver, sender) = pipe_one_way()?;
    let child = Process::spawn(wait_through_signals, sender)?;
    let interrupt = || -> Outcome {
        let pid = Pid::from_raw(child.pid() as i32);
        for _ in 0..20 {
            until(|| Ok(is_asleep(child.pid()).expect("it runs")))?;
            kill(pid, Signal::SIGUSR1)?;
        }
        Ok(())
    };
    let address = receiver.recv()?;
    interrupt()?;
    let client = Client::<u32, ()>::connect(address, KEY)?;
    interrupt()?;
    client.send(5)?;
    assert_eq!(join(child)??, 5);
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

fn an_accepted_connection_outlives_its_listener() -> Outcome {
    let (ours, theirs) = pair::<u32, u32>(TCP)?;
    ours.send(1)?;
    assert_eq!(theirs.recv()?, 1);
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
