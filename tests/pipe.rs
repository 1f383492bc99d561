//! Connections: what arrives, in which order, through which threads and processes.

use multiprocessing::{Connection, Descriptor, Error, Process, Sender, pipe, pipe_one_way, wait};
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use std::cell::RefCell;
use std::io::{Read, Write, pipe as raw_pipe};
use std::os::fd::{AsFd, BorrowedFd};
use std::process::{ExitCode, id};
use std::time::Duration;
use std::{fs, thread};
use tests::helper;
use tests::{Outcome, trials};

fn main() -> ExitCode {
    let trials = trials![
        values_go_both_ways,
        bytes_of_every_size_arrive,
        long_values_arrive_with_their_descriptors,
        what_has_room_does_not_wait_for_the_receiver,
        a_buffer_that_is_too_short_keeps_the_message,
        a_buffer_waits_for_its_message,
        a_connection_travels_as_one_descriptor,
        a_connection_goes_through_a_connection_to_a_third_process,
        try_recv_and_time_outs,
        two_threads_at_one_end_get_each_message_once,
        destructors_of_a_thread_send_and_receive,
        an_end_that_does_not_wait_waits,
        halves_work_in_two_threads,
        the_first_of_many_connections,
    ];
    helper::main(trials, &[], &[])
}

/// Far longer than anything here takes: a test that waits so long has failed.
const LONG: Duration = Duration::from_secs(60);

const MEGABYTE: usize = 1 << 20;

fn values_go_both_ways() -> Outcome {
    let (ours, theirs) = pipe::<Vec<u32>, (u32, u32)>()?;
    let child = Process::spawn(add, theirs)?;
    ours.send(vec![1, 2, 3])?;
    ours.send(vec![])?;
    assert_eq!(ours.recv()?, (child.pid(), 6));
    assert_eq!(ours.recv()?, (child.pid(), 0));
    drop(ours);
    assert_eq!(child.join()?, 2);
    Ok(())
}

fn add(connection: Connection<(u32, u32), Vec<u32>>) -> usize {
    let answer = |numbers: Vec<u32>| connection.send((id(), numbers.iter().sum()));
    connection.iter().flatten().map(answer).filter(Result::is_ok).count()
}

/// Bytes that tell whether a part is missing or in another place.
fn pattern(length: usize, seed: u8) -> Vec<u8> {
    let line: Vec<u8> = (0..251).map(|n| n ^ seed).collect();
    let mut lines = line.repeat(length / line.len() + 1);
    lines.truncate(length);
    lines
}

fn bytes_of_every_size_arrive() -> Outcome {
    let packet = 96 * 1024;
    let sizes = [0, 1, 1000, packet - 1, packet, packet + 1, 300_000, 10, 64 * MEGABYTE, 0, 7];
    let (ours, theirs) = pipe::<[u8], [u8]>()?;
    let child = Process::spawn(send_back, theirs)?;
    for (seed, size) in sizes.into_iter().enumerate() {
        let bytes = pattern(size, seed as u8);
        ours.send_bytes(&bytes)?;
        let back = ours.recv_bytes()?;
        assert_eq!(back.len(), size + 4);
        assert_eq!(back[..4], child.pid().to_le_bytes());
        assert!(back[4..] == bytes, "{size} bytes");
    }
    ours.close();
    assert_eq!(child.join()?, sizes.len());
    Ok(())
}

fn send_back(connection: Connection<[u8], [u8]>) -> usize {
    let mut count = 0;
    while let Ok(bytes) = connection.recv_bytes() {
        let mut answer = id().to_le_bytes().to_vec();
        answer.extend(bytes);
        connection.send_bytes(&answer).expect("the parent waits for it");
        count += 1;
    }
    count
}

fn long_values_arrive_with_their_descriptors() -> Outcome {
    let (receiver, sender) = pipe_one_way::<(String, Vec<Descriptor>)>()?;
    let child = Process::spawn(
        |sender: Sender<(String, Vec<Descriptor>)>| {
            let (reader, mut writer) = raw_pipe().expect("a pipe");
            write!(writer, "{}", id()).expect("it has room");
            let copies = (0..252).map(|_| reader.try_clone().map(Descriptor::from));
            let copies: Vec<_> = copies.collect::<Result<_, _>>().expect("descriptors");
            sender.send(("x".repeat(MEGABYTE), copies)).expect("the parent waits for it");
            let one_more = (0..253).map(|_| reader.try_clone().map(Descriptor::from));
            let one_more = one_more.collect::<Result<_, _>>().expect("descriptors");
            let failed = sender.send((String::new(), one_more)).expect_err("253 descriptors");
            (failed.value.1.len(), failed.to_string())
        },
        sender,
    )?;
    let (text, mut descriptors) = receiver.recv()?;
    assert_eq!((text.len(), descriptors.len()), (MEGABYTE, 252));
    let last = descriptors.pop().ok_or("none")?;
    drop(descriptors);
    let mut from_child = String::new();
    fs::File::from(last.into_fd()).read_to_string(&mut from_child)?;
    assert_eq!(from_child, child.pid().to_string());
    let (count, error) = child.join()?;
    assert_eq!(count, 253, "they come back");
    assert!(error.contains("253 descriptors; at most 252"), "{error}");
    Ok(())
}

fn say_one(sender: Sender<u32>) {
    sender.send(id()).expect("the parent listens");
}

fn what_has_room_does_not_wait_for_the_receiver() -> Outcome {
    let (receiver, sender) = pipe_one_way::<String>()?;
    (0..200).try_for_each(|_| sender.send("short".to_string()))?;
    (0..200).try_for_each(|_| receiver.recv().map(drop))?;
    let in_one_piece = 200 * 1024 - 3; // and 3 bytes for its length
    sender.send("x".repeat(in_one_piece))?;
    sender.send("next".to_string())?;
    assert_eq!(receiver.recv()?.len(), in_one_piece);
    assert_eq!(receiver.recv()?, "next");
    Ok(())
}

fn a_buffer_that_is_too_short_keeps_the_message() -> Outcome {
    let (mut ours, theirs) = pipe::<[u8], [u8]>()?;
    let child = Process::spawn(send_back, theirs)?;
    for size in [0, 1, 1000, 100 * 1024, 300_000, MEGABYTE] {
        let bytes = pattern(size, 3);
        ours.send_bytes(&bytes)?;
        let mut buffer = vec![0; size + 10];
        for short in [0, 3, size + 3] {
            let error = ours.recv_bytes_into(&mut buffer[..short]);
            assert!(matches!(error, Err(Error::BufferTooShort { length }) if length == size + 4));
        }
        assert!(buffer.iter().all(|byte| *byte == 0), "nothing is copied");
        let end = if size % 2 == 0 { size + 4 } else { size + 10 };
        assert_eq!(ours.recv_bytes_into(&mut buffer[..end])?, size + 4);
        assert!(buffer[4..size + 4] == bytes && buffer[size + 4..] == [0; 6]);
    }
    ours.send_bytes(b"kept")?;
    assert!(matches!(ours.recv_bytes_into(&mut []), Err(Error::BufferTooShort { length: 8 })));
    assert_eq!(ours.recv_bytes()?[4..], *b"kept", "any other receive gets it, too");
    ours.close();
    assert_eq!(child.join()?, 7);
    Ok(())
}

fn a_buffer_waits_for_its_message() -> Outcome {
    let (mut receiver, sender) = pipe_one_way::<[u8]>()?;
    fcntl(&receiver, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))?; // and also then
    let later = thread::spawn(move || {
        thread::sleep(Duration::from_millis(10));
        sender.send_bytes(b"late")
    });
    let mut buffer = [0; 4];
    assert_eq!(receiver.recv_bytes_into(&mut buffer)?, 4);
    assert_eq!(&buffer, b"late");
    later.join().map_err(|_| "the thread panicked")??;
    assert!(matches!(receiver.recv_bytes_into(&mut buffer), Err(Error::Closed)));
    Ok(())
}

fn a_connection_travels_as_one_descriptor() -> Outcome {
    let (receiver, sender) = pipe_one_way::<Vec<Connection<u32, u32>>>()?;
    let (ours, theirs): (Vec<_>, Vec<_>) =
        (0..252).map(|_| pipe()).collect::<Result<Vec<_>, _>>()?.into_iter().unzip();
    sender.send(theirs)?; // the limit is 252 descriptors
    for (n, (one, other)) in (0..).zip(ours.into_iter().zip(receiver.recv()?)) {
        let (from_one, to_one) = other.split();
        let thread = thread::spawn(move || to_one.send(n));
        assert_eq!(one.recv()?, n);
        thread.join().map_err(|_| "the thread panicked")??;
        one.send(n + 1)?;
        assert_eq!(from_one.recv()?, n + 1);
        drop(from_one);
        assert!(matches!(one.recv(), Err(Error::Closed)), "both halves are gone");
    }
    Ok(())
}

type Line = Connection<String, String>;

fn a_connection_goes_through_a_connection_to_a_third_process() -> Outcome {
    let (to_first, first_end) = pipe::<Line, ()>()?;
    let first = Process::spawn(answer_on, first_end)?;
    let (to_second, second_end) = pipe::<Line, ()>()?;
    let second = Process::spawn(answer_on, second_end)?;
    let (one, other) = pipe::<String, String>()?;
    to_first.send(one)?;
    to_second.send(other)?;
    drop((to_first, to_second));
    // Each says who it is, and returns what it heard: the other, and the end.
    let pids = (first.pid(), second.pid());
    assert_eq!(first.join()?, [format!("I am {}", pids.1)]);
    assert_eq!(second.join()?, [format!("I am {}", pids.0)]);
    Ok(())
}

fn answer_on(connections: Connection<(), Line>) -> Vec<String> {
    let line = connections.recv().expect("one comes");
    line.send(format!("I am {}", id())).expect("the other listens");
    let heard = line.recv().expect("the other speaks");
    let (receiver, sender) = line.split();
    drop(sender);
    assert!(matches!(receiver.try_recv(), Err(Error::WouldBlock)) || receiver.recv().is_err());
    vec![heard]
}

fn try_recv_and_time_outs() -> Outcome {
    let (ours, theirs) = pipe::<(), u32>()?;
    let echo = |connection: Connection<u32, ()>| {
        while connection.recv().is_ok() {
            connection.send(id()).expect("the parent waits for it");
        }
    };
    let child = Process::spawn(echo, theirs)?;
    assert!(matches!(ours.try_recv(), Err(Error::WouldBlock)));
    assert!(matches!(ours.recv_timeout(Duration::ZERO), Err(Error::TimedOut)));
    assert!(matches!(ours.recv_timeout(Duration::from_millis(5)), Err(Error::TimedOut)));
    assert!(!ours.poll(Duration::from_millis(5))?);
    for timeout in [LONG, Duration::MAX] {
        ours.send(())?;
        assert_eq!(ours.recv_timeout(timeout)?, child.pid());
    }
    ours.send(())?;
    assert!(ours.poll(LONG)?);
    assert_eq!(ours.try_recv()?, child.pid());
    drop(ours);
    child.join()?;
    Ok(())
}

fn two_threads_at_one_end_get_each_message_once() -> Outcome {
    let (receiver, sender) = pipe_one_way::<u32>()?;
    let count = |sender: Sender<u32>| {
        (0..2000).for_each(|number| sender.send(number).expect("the parent listens"));
    };
    let child = Process::spawn(count, sender)?;
    let receive = || receiver.iter().collect::<Result<Vec<u32>, Error>>();
    let (one, other) = thread::scope(|scope| {
        let other = scope.spawn(receive);
        (receive(), other.join())
    });
    let mut all = one?;
    all.extend(other.map_err(|_| "a thread panicked")??);
    all.sort_unstable();
    assert_eq!(all, (0..2000).collect::<Vec<_>>());
    child.join()?;
    Ok(())
}

/// Sends and receives when its thread ends.
struct Farewell(RefCell<Option<Connection<String, String>>>);

impl Drop for Farewell {
    fn drop(&mut self) {
        let line = self.0.take().expect("a line");
        line.send("bye".repeat(50_000)).expect("the main thread listens"); // a long one
        assert_eq!(line.recv().expect("it answers"), "bye");
    }
}

thread_local! {
    static FIRST: Farewell = const { Farewell(RefCell::new(None)) };
    static LAST: Farewell = const { Farewell(RefCell::new(None)) };
}

fn destructors_of_a_thread_send_and_receive() -> Outcome {
    let ((ours_1, theirs_1), (ours_2, theirs_2)) = (pipe()?, pipe()?);
    let thread = thread::spawn(move || {
        // One is known before, and one after what the library keeps for the thread.
        FIRST.with(|farewell| farewell.0.replace(Some(theirs_1)));
        let (receiver, sender) = pipe_one_way()?;
        sender.send(0).map_err(|failed| failed.error)?;
        assert_eq!(receiver.recv()?, 0);
        LAST.with(|farewell| farewell.0.replace(Some(theirs_2)));
        Ok::<_, Error>(())
    });
    let answer = |line: Connection<String, String>| {
        assert_eq!(line.recv().expect("it sends").len(), 150_000);
        line.send("bye".to_string()).expect("it listens");
    };
    let other = thread::spawn(move || answer(ours_1));
    answer(ours_2);
    other.join().map_err(|_| "not the first")?;
    thread.join().map_err(|_| "the thread panicked")??;
    Ok(())
}

fn an_end_that_does_not_wait_waits() -> Outcome {
    let (ours, theirs) = pipe::<u32, u32>()?;
    fcntl(&ours, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))?;
    let echo = |line: Connection<u32, u32>| {
        (0..2000).for_each(|_| line.recv().and_then(|n| Ok(line.send(n + 1)?)).expect("its end"));
    };
    let child = Process::spawn(echo, theirs)?;
    let sum = thread::scope(|scope| {
        let sum = scope.spawn(|| ours.iter().take(2000).sum::<Result<u32, Error>>());
        (0..2000).try_for_each(|n| ours.send(n)).map_err(|failed| failed.error)?;
        sum.join().expect("no panic")
    })?;
    assert_eq!(sum, (1..=2000).sum());
    child.join()?;
    Ok(())
}

fn halves_work_in_two_threads() -> Outcome {
    let (ours, theirs) = pipe::<[u8], [u8]>()?;
    let child = Process::spawn(send_back, theirs)?;
    let (receiver, sender) = ours.split();
    // So much that one thread that sends and then receives would wait for ever.
    let writer = thread::spawn(move || (0..50).try_for_each(|_| sender.send_bytes(&[7; 50_000])));
    for _ in 0..50 {
        assert_eq!(receiver.recv_bytes()?.len(), 50_004);
    }
    writer.join().map_err(|_| "a thread panicked")??;
    drop(receiver);
    assert_eq!(child.join()?, 50);
    Ok(())
}

fn the_first_of_many_connections() -> Outcome {
    let (silent, _keep) = pipe_one_way::<u32>()?;
    let (loud, sender) = pipe_one_way()?;
    let child = Process::spawn(say_one, sender)?;
    let objects: [&dyn AsFd; 2] = [&silent, &loud];
    let objects: Vec<BorrowedFd> = objects.iter().map(AsFd::as_fd).collect();
    assert_eq!(wait(&objects, Some(LONG))?, [1]);
    assert_eq!(loud.recv()?, child.pid());
    child.join()?;
    Ok(())
}
