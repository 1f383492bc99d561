//! Whoever has no key holds up nobody, and costs little. And whoever has it, but sends bytes
//! without a meaning.

use fastrand::Rng;
use multiprocessing::{Address, Client, Error, Key, Listener};
use std::error::Error as StdError;
use std::fs::File;
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::os::fd::AsFd;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use std::{env, thread};
use tests::helper::{self, LONG, SHORT, limit_files, processor_time};
use tests::server::{KEY, TCP};
use tests::stranger::{
    answer, assert_refused, challenge, frame, many_descriptors, read_frame, stranger,
};
use tests::{Outcome, helpers, trials};

fn main() -> ExitCode {
    many_descriptors().expect("the system allows them");
    let trials = trials![
        strangers_do_not_drive_out_one_who_has_shown_the_key,
        a_length_that_lies_takes_no_memory,
        random_frames_open_nothing,
        random_frames_to_one_that_has_shown_the_key,
        messages_in_random_pieces_arrive,
        accepting_one_lets_in_another,
        more_than_wait_to_be_accepted_get_in,
    ];
    // These need all descriptors of a process, or many seconds.
    let alone = helpers![
        the_silent_and_the_slow_are_closed_in_time,
        a_thousand_silent_ones_keep_nobody_out,
        a_flood_keeps_nobody_out,
        a_lack_of_descriptors_is_waited_for,
    ];
    helper::main(trials, alone, &[])
}

/// One who has shown the key, but writes the frames by itself.
fn raw_pair() -> io::Result<(Client<(), [u8]>, File)> {
    let listener = Listener::bind(TCP, KEY).map_err(io::Error::other)?;
    let theirs = Client::<(), ()>::connect(listener.local_addr(), KEY).map_err(io::Error::other)?;
    Ok((listener.accept().map_err(io::Error::other)?, theirs.as_fd().try_clone_to_owned()?.into()))
}

/// The memory of this process, in bytes.
fn memory() -> io::Result<u64> {
    let status = std::fs::read_to_string("/proc/self/statm")?;
    let pages = status.split(' ').next().and_then(|pages| pages.parse::<u64>().ok());
    Ok(pages.ok_or(io::ErrorKind::InvalidData)? * 4096)
}

fn a_length_that_lies_takes_no_memory() -> Outcome {
    let lies: [&[u8]; 3] =
        [b"\xff\xff\xff\xff\x80\0\0\0\0\0\0\0", b"\xff\xff\xff\xfe", &[0xff; 12]];
    for lie in lies {
        let (ours, mut raw) = raw_pair()?;
        raw.write_all(lie)?;
        raw.write_all(&frame(b"hidden"))?;
        let error = ours.recv_bytes().expect_err("no length");
        assert!(error.to_string().contains("makes no sense"), "{error}");
        assert!(matches!(ours.recv_bytes(), Err(Error::Closed)), "nothing follows");
    }
    let (ours, mut raw) = raw_pair()?;
    let before = memory()?;
    raw.write_all(b"\xff\xff\xff\xff\0\0\x10\0\0\0\0\0few")?; // 16 TiB
    assert!(matches!(ours.recv_bytes_timeout(SHORT * 10), Err(Error::TimedOut)));
    assert!(memory()?.saturating_sub(before) < 256 << 20);
    drop(raw);
    let unfinished = ours.recv_bytes();
    assert!(matches!(unfinished, Err(Error::Unfinished { received: 3, length: 0x1000_0000_0000 })));
    // A long head before a short message is unusual, and no lie.
    let (ours, mut raw) = raw_pair()?;
    raw.write_all(b"\xff\xff\xff\xff\0\0\0\0\0\0\0\x03few")?;
    assert_eq!(ours.recv_bytes()?, b"few");
    Ok(())
}

/// How many: `FRAMES=100000 cargo test …`.
fn frames() -> u64 {
    env::var("FRAMES").ok().and_then(|frames| frames.parse().ok()).unwrap_or(300)
}

/// Bytes that are more or less like a handshake.
fn noise(random: &mut Rng) -> Vec<u8> {
    let words: [&[u8]; 6] =
        [b"#CHALLENGE#", b"#WELCOME#", b"#FAILURE#", b"{sha256}", b"{md5}", b"of a client:"];
    let mut message = Vec::new();
    for _ in 0..random.usize(0..4) {
        match random.bool() {
            true => message.extend(random.choice(words).unwrap_or_default()),
            false => message.extend((0..random.usize(0..60)).map(|_| random.u8(..))),
        }
    }
    match random.u8(0..4) {
        0 => message,
        1 => [&random.u32(..).to_be_bytes(), &message[..]].concat(),
        _ => frame(&message),
    }
}

fn random_frames_open_nothing() -> Outcome {
    let listener = Listener::bind(TCP, Key::from(KEY).allow_md5(true))?;
    for seed in 0..frames() {
        let random = &mut Rng::with_seed(seed);
        let mut stream = stranger(&listener)?;
        for _ in 0..random.usize(1..5) {
            let _ = stream.write_all(&noise(random)); // it may be closed already
        }
    }
    assert_refused(&listener, frames())?;
    assert!(matches!(listener.accept_timeout::<(), ()>(SHORT), Err(Error::TimedOut)));
    Ok(())
}

fn random_frames_to_one_that_has_shown_the_key() -> Outcome {
    let listener = Listener::bind(TCP, KEY)?;
    for seed in 0..frames() {
        let random = &mut Rng::with_seed(seed);
        let theirs = Client::<(), ()>::connect(listener.local_addr(), KEY)?;
        let ours = listener.accept::<(), Vec<(String, Option<u64>)>>()?;
        let mut raw = File::from(theirs.as_fd().try_clone_to_owned()?);
        drop(theirs);
        for _ in 0..random.usize(1..20) {
            raw.write_all(&noise(random))?;
        }
        drop(raw);
        for received in ours.iter() {
            let wrong =
                |error: &Error| matches!(error, Error::Decode { .. } | Error::Unfinished { .. });
            assert!(received.as_ref().err().is_none_or(wrong), "seed {seed}: {received:?}");
        }
    }
    Ok(())
}

fn messages_in_random_pieces_arrive() -> Outcome {
    let listener = Listener::bind(TCP, KEY)?;
    for seed in 0..frames() / 10 {
        let random = &mut Rng::with_seed(seed);
        let theirs = Client::<(), ()>::connect(listener.local_addr(), KEY)?;
        let ours = listener.accept::<(), [u8]>()?;
        let mut raw = File::from(theirs.as_fd().try_clone_to_owned()?);
        let messages: Vec<Vec<u8>> =
            (0..20).map(|_| (0..random.usize(0..400)).map(|_| random.u8(..)).collect()).collect();
        let bytes: Vec<u8> = messages.iter().flat_map(|message| frame(message)).collect();
        let mut arrived = Vec::new();
        let mut rest = &bytes[..];
        while !rest.is_empty() {
            let (piece, after) = rest.split_at(random.usize(1..=rest.len().min(300)));
            raw.write_all(piece)?;
            rest = after;
            while let Ok(message) = ours.recv_bytes_timeout(Duration::ZERO) {
                arrived.push(message);
            }
        }
        while arrived.len() < 20 {
            arrived.push(ours.recv_bytes_timeout(LONG)?);
        }
        assert!(arrived == messages, "seed {seed}");
    }
    Ok(())
}

/// He has shown it, but has not challenged the listener yet.
fn strangers_do_not_drive_out_one_who_has_shown_the_key() -> Outcome {
    let listener = Listener::bind(TCP, KEY)?;
    let mut slow = stranger(&listener)?;
    let ours = challenge(&mut slow)?;
    slow.write_all(&frame(&answer(&ours)))?;
    assert_eq!(read_frame(&mut slow)?, b"#WELCOME#");
    let silent = (0..300).map(|_| stranger(&listener)).collect::<io::Result<Vec<_>>>()?;
    assert_refused(&listener, 300 - 255)?;
    let theirs = [&b"{sha256}"[..], &[7; 40]].concat();
    slow.write_all(&frame(&[b"#CHALLENGE#", &theirs[..]].concat()))?;
    assert_eq!(read_frame(&mut slow)?, answer(&theirs));
    slow.write_all(&[frame(b"#WELCOME#"), frame(b"x")].concat())?;
    assert_eq!(listener.accept_timeout::<(), [u8]>(LONG)?.recv_bytes()?, b"x");
    drop(silent);
    Ok(())
}

/// 128 wait after the handshake, the next one before it.
fn accepting_one_lets_in_another() -> Outcome {
    let listener = Listener::bind(TCP, KEY)?;
    let connect = |time| Client::<u32, ()>::connect_timeout(listener.local_addr(), KEY, time);
    let mut waiting = (0..128).map(|_| connect(LONG)).collect::<Result<Vec<_>, _>>()?;
    while let Ok(client) = connect(Duration::from_millis(500)) {
        waiting.push(client);
    }
    // One more, if it came before the listener had heard the end of the last handshake.
    assert!(waiting.len() <= 129, "{}", waiting.len());
    thread::scope(|scope| -> Outcome {
        let next = scope.spawn(|| connect(LONG));
        for client in &waiting[..waiting.len() - 127] {
            let first = listener.accept::<(), ()>()?;
            assert_eq!(first.peer_addr(), local_addr(client)?);
        }
        next.join().expect("no panic")?;
        Ok(())
    })
}

fn local_addr(client: &Client<u32, ()>) -> io::Result<Address> {
    let stream = TcpStream::from(client.as_fd().try_clone_to_owned()?);
    Ok(stream.local_addr()?.into())
}

/// In one burst.
fn more_than_wait_to_be_accepted_get_in() -> Outcome {
    let listener = Listener::bind(TCP, KEY)?;
    let address = listener.local_addr();
    thread::scope(|scope| -> Outcome {
        for n in 0..300u32 {
            let address = address.clone();
            scope.spawn(move || {
                let client = Client::<u32, u32>::connect(address, KEY).expect("there is room");
                client.send(n).expect("it is accepted");
                assert_eq!(client.recv().expect("an answer"), n);
            });
        }
        let mut all = Vec::new();
        for _ in 0..300 {
            let client = listener.accept_timeout::<u32, u32>(LONG)?;
            all.push(client.recv()?);
            client.send(all[all.len() - 1])?;
        }
        all.sort();
        assert_eq!(all, (0..300).collect::<Vec<_>>());
        Ok(())
    })?;
    assert_eq!(listener.refused(), 0);
    Ok(())
}

type Alone = Result<(), Box<dyn StdError>>;

fn the_silent_and_the_slow_are_closed_in_time() -> Alone {
    let listener = Listener::bind(TCP, KEY)?;
    let start = Instant::now();
    let mut silent = stranger(&listener)?;
    let mut slow = stranger(&listener)?;
    let writes = slow.try_clone()?;
    thread::spawn(move || {
        let bytes = frame(&[0; 200]);
        bytes.iter().try_for_each(|byte| {
            thread::sleep(Duration::from_secs(1));
            (&writes).write_all(&[*byte])
        })
    });
    // One who has shown the key, and then says no more.
    let mut half = stranger(&listener)?;
    let ours = challenge(&mut half)?;
    half.write_all(&frame(&answer(&ours)))?;
    assert_eq!(read_frame(&mut half)?, b"#WELCOME#");
    for stream in [&mut silent, &mut slow, &mut half] {
        let _ = stream.read_to_end(&mut Vec::new());
        let time = start.elapsed();
        assert!(time > Duration::from_secs(4) && time < Duration::from_secs(8), "{time:?}");
    }
    assert_eq!(listener.refused(), 3);
    Ok(())
}

fn a_thousand_silent_ones_keep_nobody_out() -> Alone {
    let count = (many_descriptors()? / 3).min(1000);
    let listener = Listener::bind(TCP, KEY)?;
    let mut silent = Vec::new();
    for _ in 0..count {
        silent.push(stranger(&listener)?);
    }
    let start = Instant::now();
    let honest = Client::<u32, ()>::connect_timeout(listener.local_addr(), KEY, LONG)?;
    honest.send(7)?;
    assert_eq!(listener.accept_timeout::<(), u32>(LONG)?.recv()?, 7);
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
    assert!(listener.refused() >= count - 256, "{}", listener.refused());
    Ok(())
}

fn a_flood_keeps_nobody_out() -> Alone {
    let listener = Listener::bind(TCP, KEY)?;
    let ends = AtomicBool::new(false);
    thread::scope(|scope| -> Alone {
        let flood = scope.spawn(|| {
            let mut silent = std::collections::VecDeque::new();
            while !ends.load(Ordering::Relaxed) {
                silent.extend(stranger(&listener));
                if silent.len() > 200 {
                    silent.pop_front();
                }
            }
        });
        for n in 0..20 {
            let honest = Client::<u32, ()>::connect_timeout(listener.local_addr(), KEY, LONG)?;
            honest.send(n)?;
            assert_eq!(listener.accept_timeout::<(), u32>(LONG)?.recv()?, n);
        }
        ends.store(true, Ordering::Relaxed);
        flood.join().expect("no panic");
        Ok(())
    })?;
    println!("{} strangers", listener.refused());
    assert!(listener.refused() > 20);
    Ok(())
}

fn a_lack_of_descriptors_is_waited_for() -> Alone {
    limit_files(100)?;
    let listener = Listener::bind(TCP, KEY)?;
    let mut hoard = Vec::new();
    while let Ok(file) = File::open("/dev/null") {
        hoard.push(file);
    }
    hoard.pop(); // for this side of the connection; there is none for the other
    let mut waits = stranger(&listener)?;
    let before = processor_time()?;
    thread::sleep(Duration::from_secs(1));
    let busy = processor_time()? - before;
    assert!(busy < Duration::from_millis(100), "a busy loop: {busy:?}");
    hoard.clear();
    let challenge = challenge(&mut waits)?;
    waits.write_all(&frame(&answer(&challenge)))?;
    assert_eq!(read_frame(&mut waits)?, b"#WELCOME#");
    Ok(())
}
