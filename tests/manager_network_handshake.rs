//! Whoever has no key, and says something else in a handshake, gets nothing.

use hmac_sha256::HMAC;
use multiprocessing::{Client, Error, Key, Listener};
use std::error::Error as StdError;
use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpListener};
use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant};
use tests::helper::{self, LONG, SHORT};
use tests::server::{KEY, TCP};
use tests::stranger::{
    answer, assert_closed, assert_refused, challenge, frame, many_descriptors, read_frame, refusal,
    stranger,
};
use tests::{Outcome, trials};

fn main() -> ExitCode {
    many_descriptors().expect("the system allows them");
    let trials = trials![
        another_key_is_refused_by_both_sides,
        nothing_but_the_key_opens,
        a_listener_does_not_answer_its_own_challenge,
        a_client_does_not_answer_the_challenge_of_a_client,
        a_recorded_handshake_opens_nothing,
        a_client_shows_the_key_to_nobody_who_is_no_listener,
        a_listener_that_only_repeats_is_refused_by_a_client,
        a_verdict_that_is_none_is_refused_by_both_sides,
        half_a_handshake_is_refused,
        a_long_frame_is_refused_at_once,
    ];
    helper::main(trials, &[], &[])
}

fn another_key_is_refused_by_both_sides() -> Outcome {
    let listener = Listener::bind(TCP, KEY)?;
    for key in [&b"another"[..], b"\0", &KEY.as_bytes()[1..], &[0; 200]] {
        let said = refusal(Client::connect(listener.local_addr(), key));
        assert!(said.contains("did not accept the key"), "{said}");
    }
    assert_refused(&listener, 4)
}

fn nothing_but_the_key_opens() -> Outcome {
    let listener = Listener::bind(TCP, Key::from(KEY).allow_md5(true))?;
    type Guess = fn(&[u8]) -> Vec<u8>;
    let guesses: [Guess; 9] = [
        |_| vec![],
        |_| b"#WELCOME#".to_vec(),
        |_| vec![0; 16],
        |c| [&b"{sha256}"[..], &HMAC::mac(c, "")].concat(),
        |c| answer(c)[..39].to_vec(),
        |c| [&answer(c)[..], b"\0"].concat(),
        |c| HMAC::mac(c, KEY).to_vec(), // without the digest's name
        |c| [&b"{md5}"[..], &HMAC::mac(c, KEY)[..16]].concat(),
        |c| [&b"{sha384}"[..], &HMAC::mac(c, KEY)].concat(),
    ];
    for guess in guesses {
        let mut stream = stranger(&listener)?;
        let challenge = challenge(&mut stream)?;
        stream.write_all(&frame(&guess(&challenge)))?;
        assert_closed(stream, &frame(b"#FAILURE#"))?;
    }
    assert_refused(&listener, guesses.len() as u64)
}

fn a_listener_does_not_answer_its_own_challenge() -> Outcome {
    let listener = Listener::bind(TCP, KEY)?;
    // Instead of an answer,
    let mut stream = stranger(&listener)?;
    let ours = challenge(&mut stream)?;
    stream.write_all(&frame(&[b"#CHALLENGE#", &ours[..]].concat()))?;
    assert_closed(stream, &frame(b"#FAILURE#"))?;
    // and even after one.
    let mut stream = stranger(&listener)?;
    let ours = challenge(&mut stream)?;
    stream.write_all(&frame(&answer(&ours)))?;
    assert_eq!(read_frame(&mut stream)?, b"#WELCOME#");
    stream.write_all(&frame(&[b"#CHALLENGE#", &ours[..]].concat()))?;
    assert_closed(stream, b"")?;
    assert_refused(&listener, 2)
}

/// Two clients connect to one who has no key. He lets the second answer the first.
fn a_client_does_not_answer_the_challenge_of_a_client() -> Outcome {
    let impostor = TcpListener::bind(TCP)?;
    let address = impostor.local_addr()?;
    let clients = [(); 2].map(|()| thread::spawn(move || Client::<(), ()>::connect(address, KEY)));
    let (mut first, _) = impostor.accept()?;
    first.write_all(&frame(&[&b"#CHALLENGE#{sha256}"[..], &[7; 40]].concat()))?;
    assert_eq!(read_frame(&mut first)?, answer(&[&b"{sha256}"[..], &[7; 40]].concat()));
    first.write_all(&frame(b"#WELCOME#"))?;
    let challenge = challenge(&mut first)?;
    let (mut second, _) = impostor.accept()?;
    second.write_all(&frame(&[b"#CHALLENGE#", &challenge[..]].concat()))?;
    assert_closed(second, b"")?;
    drop(first);
    let said = clients.map(|client| client.join().expect("no panic"));
    let refused = said.iter().filter(|said| format!("{said:?}").contains("not its own")).count();
    assert_eq!(refused, 1, "{said:?}");
    assert!(said.iter().all(|said| said.is_err()));
    Ok(())
}

/// What a client sends on its way in.
fn record(listener: &Listener) -> Result<Vec<u8>, Box<dyn StdError>> {
    let between = TcpListener::bind(TCP)?;
    let address = between.local_addr()?;
    let client = thread::spawn(move || -> Result<(), Error> {
        Ok(Client::<u32, ()>::connect(address, KEY)?.send(7)?)
    });
    let (mut inner, mut outer) = (between.accept()?.0, stranger(listener)?);
    let (mut back, mut from) = (inner.try_clone()?, outer.try_clone()?);
    thread::spawn(move || io::copy(&mut from, &mut back));
    let mut recorded = Vec::new();
    let mut buffer = [0; 1000];
    loop {
        let length = inner.read(&mut buffer)?;
        recorded.extend(&buffer[..length]);
        match length {
            0 => break,
            length => outer.write_all(&buffer[..length])?,
        }
    }
    outer.shutdown(Shutdown::Both)?;
    client.join().expect("no panic")?;
    Ok(recorded)
}

fn a_recorded_handshake_opens_nothing() -> Outcome {
    let listener = Listener::bind(TCP, KEY)?;
    let recorded = record(&listener)?;
    assert_eq!(listener.accept_timeout::<(), u32>(LONG)?.recv()?, 7);
    let mut stream = stranger(&listener)?;
    challenge(&mut stream)?;
    stream.write_all(&recorded)?;
    assert_closed(stream, &frame(b"#FAILURE#"))?;
    assert!(matches!(listener.accept_timeout::<(), ()>(SHORT), Err(Error::TimedOut)));
    assert_refused(&listener, 1)
}

fn a_client_shows_the_key_to_nobody_who_is_no_listener() -> Outcome {
    let cases: [(&[u8], &str); 7] = [
        (b"SSH-2.0-OpenSSH_9.2p1\r\n", "no part of a handshake"),
        (b"\0\0\0\x09#WELCOME#", "sent no challenge"),
        (b"\0\0\0\x0b#CHALLENGE#", "another digest"),
        (b"\0\0\0\x1f#CHALLENGE#aaaaaaaaaaaaaaaaaaaa", "Key::allow_md5(true)"),
        (b"\0\0\0\x26#CHALLENGE#{md5}aaaaaaaaaaaaaaaaaaaaaa", "another digest"),
        (b"\0\0\0\x14#CHALLENGE#{sha256}a", "too short"),
        (b"\xff\xff\xff\xfe", "no part of a handshake"),
    ];
    for (said, reason) in cases {
        let other = TcpListener::bind(TCP)?;
        let address = other.local_addr()?;
        let client = thread::spawn(move || Client::connect_timeout(address, KEY, LONG));
        let (mut stream, _) = other.accept()?;
        stream.write_all(said)?;
        let refusal = refusal(client.join().expect("no panic"));
        assert!(refusal.contains(reason), "{refusal}");
        let mut heard = Vec::new();
        let _ = stream.read_to_end(&mut heard);
        assert_eq!(heard, b"", "it said something");
    }
    Ok(())
}

/// It has no key: it repeats what it is sent, or says welcome to all.
fn a_listener_that_only_repeats_is_refused_by_a_client() -> Outcome {
    type Repeat = fn(Vec<u8>) -> Vec<u8>;
    let repeats: [Repeat; 3] = [|said| said, |_| b"#WELCOME#".to_vec(), |said| answer(&said[1..])];
    for repeat in repeats {
        let impostor = TcpListener::bind(TCP)?;
        let address = impostor.local_addr()?;
        let client = thread::spawn(move || Client::connect_timeout(address, KEY, LONG));
        let (mut stream, _) = impostor.accept()?;
        stream.write_all(&frame(&[&b"#CHALLENGE#{sha256}"[..], &[7; 40]].concat()))?;
        read_frame(&mut stream)?;
        stream.write_all(&frame(b"#WELCOME#"))?;
        let said = read_frame(&mut stream)?;
        stream.write_all(&frame(&repeat(said)))?;
        assert_eq!(read_frame(&mut stream)?, b"#FAILURE#");
        let refusal = refusal(client.join().expect("no panic"));
        assert!(refusal.contains("did not show the key"), "{refusal}");
    }
    Ok(())
}

fn a_verdict_that_is_none_is_refused_by_both_sides() -> Outcome {
    let theirs = [&b"#CHALLENGE#{sha256}"[..], &[7; 40]].concat();
    for (verdict, reason) in [
        (&b"something bogus"[..], "does not say whether"),
        (b"", "does not say whether"),
        (b"#FAILURE#", "did not accept the key"),
    ] {
        let impostor = TcpListener::bind(TCP)?;
        let address = impostor.local_addr()?;
        let client = thread::spawn(move || Client::connect_timeout(address, KEY, LONG));
        let (mut stream, _) = impostor.accept()?;
        stream.write_all(&frame(&theirs))?;
        read_frame(&mut stream)?;
        stream.write_all(&frame(verdict))?;
        let refusal = refusal(client.join().expect("no panic"));
        assert!(refusal.contains(reason), "{refusal}");
        assert_closed(stream, b"")?;

        let listener = Listener::bind(TCP, KEY)?;
        let mut stream = stranger(&listener)?;
        let ours = challenge(&mut stream)?;
        stream.write_all(&[frame(&answer(&ours)), frame(&theirs)].concat())?;
        assert_eq!(read_frame(&mut stream)?, b"#WELCOME#");
        read_frame(&mut stream)?;
        stream.write_all(&frame(verdict))?;
        assert_closed(stream, b"")?;
        assert_refused(&listener, 1)?;
    }
    Ok(())
}

fn half_a_handshake_is_refused() -> Outcome {
    let listener = Listener::bind(TCP, KEY)?;
    let mut whole = 0;
    for length in 0..104 {
        let mut stream = stranger(&listener)?;
        let challenge = challenge(&mut stream)?;
        let second = frame(&[&b"#CHALLENGE#{sha256}"[..], &[7; 40]].concat());
        let said = [frame(&answer(&challenge)), second].concat();
        stream.write_all(&said[..length.min(said.len())])?;
        whole = said.len();
        stream.shutdown(Shutdown::Write)?;
        let _ = stream.read_to_end(&mut Vec::new());
    }
    assert!(whole > 100);
    assert_refused(&listener, 104)
}

/// Its head is enough. (For a frame of 256 bytes it would wait.)
fn a_long_frame_is_refused_at_once() -> Outcome {
    let listener = Listener::bind(TCP, KEY)?;
    for length in [257u32, 1 << 20, i32::MAX as u32, 1 << 31, u32::MAX - 1] {
        let mut stream = stranger(&listener)?;
        challenge(&mut stream)?;
        let start = Instant::now();
        stream.write_all(&length.to_be_bytes())?;
        assert_closed(stream, b"")?;
        assert!(start.elapsed() < Duration::from_secs(4));
    }
    let mut stream = stranger(&listener)?;
    challenge(&mut stream)?;
    stream.write_all(&256u32.to_be_bytes())?;
    assert_refused(&listener, 5)
}
