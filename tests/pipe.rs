//! Connections: what arrives, when the end comes, what a killed process leaves,
//! and what bytes without a meaning do.

use libtest_mimic::Arguments;
use multiprocessing::{
    Connection, Descriptor, Error, ForkServer, Process, Receiver, Sender, pipe, pipe_one_way, wait,
};
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::sys::memfd::{MFdFlags, memfd_create};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::signal::{Signal, kill};
use nix::sys::socket::{ControlMessage, MsgFlags, sendmsg};
use nix::unistd::{Pid, ftruncate};
use std::cell::RefCell;
use std::error::Error as StdError;
use std::fs;
use std::io::{IoSlice, Read, Write, pipe as raw_pipe};
use std::net::TcpListener;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::net::{UnixDatagram, UnixStream};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::{ExitCode, id};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;
use tests::helper::{self, printed};
use tests::{Outcome, trials};

/// Far longer than anything here takes: a test that waits so long has failed.
const LONG: Duration = Duration::from_secs(60);

const MEGABYTE: usize = 1 << 20;

fn main() -> ExitCode {
    multiprocessing::init();
    helper::run_or_fail(&[
        ("fork_closes_its_copy", fork_closes_its_copy),
        ("two_senders", two_senders),
        ("killed_senders", killed_senders),
        ("hostile_frames", hostile_frames),
        ("few_descriptors", few_descriptors),
        ("little_memory_to_receive", little_memory_to_receive),
        ("little_memory_to_send", little_memory_to_send),
    ]);
    let trials = trials![
        values_go_both_ways,
        bytes_of_every_size_arrive,
        long_values_arrive_with_their_descriptors,
        the_end_comes_when_the_child_has_gone,
        the_end_comes_with_fork_once_the_copy_is_closed,
        what_was_sent_before_the_end_is_not_lost,
        a_value_that_nobody_can_receive_comes_back,
        a_value_that_cannot_be_encoded_comes_back,
        a_send_error_says_why,
        a_value_with_a_field_left_out_comes_back,
        a_field_left_out_would_not_be_noticed,
        a_panic_in_an_encoding_leaves_nothing_behind,
        a_reader_killed_in_the_middle_of_a_message,
        a_sender_killed_in_the_middle_touches_no_other_message,
        senders_killed_at_any_instant_leave_whole_messages,
        a_sender_is_cloned_into_two_children,
        the_end_comes_with_the_last_clone_although_a_sender_was_killed,
        a_sender_stopped_in_the_middle_holds_up_the_others,
        what_has_room_does_not_wait_for_the_receiver,
        a_buffer_that_is_too_short_keeps_the_message,
        a_buffer_waits_for_its_message,
        another_descriptor_does_not_arrive_as_an_end,
        a_connection_travels_as_one_descriptor,
        a_connection_goes_through_a_connection_to_a_third_process,
        try_recv_and_time_outs,
        two_threads_at_one_end_get_each_message_once,
        destructors_of_a_thread_send_and_receive,
        an_end_that_does_not_wait_waits,
        halves_work_in_two_threads,
        the_first_of_many_connections,
        hostile_frames_are_errors,
        an_empty_packet_is_an_error_and_not_the_end,
        a_lack_of_memory_is_an_error,
        a_lack_of_descriptors_is_an_error_and_leaks_none,
    ];
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

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

fn the_end_comes_when_the_child_has_gone() -> Outcome {
    let server = ForkServer::start()?;
    for start in [0, 1] {
        let (receiver, sender) = pipe_one_way()?;
        let child = match start {
            0 => Process::spawn(say_one, sender)?,
            _ => server.spawn(say_one, sender)?,
        };
        assert_eq!(receiver.recv()?, child.pid());
        assert!(matches!(receiver.recv(), Err(Error::Closed)));
        assert!(matches!(receiver.recv(), Err(Error::Closed)), "and stays");
        assert!(receiver.poll(Duration::ZERO)?, "the end can be received");
        assert!(matches!(receiver.try_recv(), Err(Error::Closed)));
        child.join()?;
    }
    Ok(())
}

fn the_end_comes_with_fork_once_the_copy_is_closed() -> Outcome {
    assert_eq!(printed(helper::command("fork_closes_its_copy"))?, "not yet, then closed\n");
    Ok(())
}

fn fork_closes_its_copy() -> Result<(), Box<dyn StdError>> {
    let (receiver, sender) = pipe_one_way::<u32>()?;
    let (wait_for_go, go) = raw_pipe()?;
    // SAFETY: this program has no other thread.
    let child = unsafe {
        Process::fork(|| {
            let _ = (&wait_for_go).read(&mut [0]); // until the parent has looked
        })
    }?;
    drop(sender);
    assert!(!receiver.poll(Duration::from_millis(20))?);
    (&go).write_all(b"!")?;
    child.join()?;
    assert!(matches!(receiver.recv(), Err(Error::Closed)));
    println!("not yet, then closed");
    Ok(())
}

fn what_was_sent_before_the_end_is_not_lost() -> Outcome {
    let (ours, theirs) = pipe::<String, u32>()?;
    let leave = |connection: Connection<u32, String>| {
        for number in 0..100 {
            connection.send(number).expect("there is room");
        }
        id()
    };
    ours.send("unread".to_string())?; // the child ends with this in its socket
    let child = Process::spawn(leave, theirs)?;
    wait(&[&child], Some(LONG))?;
    let numbers: Vec<u32> = ours.iter().collect::<Result<_, _>>()?;
    assert_eq!(numbers, (0..100).collect::<Vec<_>>());
    let pid = child.pid();
    assert_eq!(child.join()?, pid);
    Ok(())
}

fn a_value_that_nobody_can_receive_comes_back() -> Outcome {
    let (receiver, sender) = pipe_one_way::<String>()?;
    let child = Process::spawn(drop, receiver)?;
    child.join()?;
    for text in ["short".to_string(), "long".repeat(MEGABYTE)] {
        let failed = sender.send(text.clone()).expect_err("nobody is there");
        assert!(matches!(failed.error, Error::Closed));
        assert!(failed.value == text);
    }
    Ok(())
}

/// A text, or what serde refuses.
#[derive(serde::Serialize, serde::Deserialize)]
enum Picky {
    Text(String),
    #[serde(skip)]
    Secret(u32),
}

#[derive(serde::Serialize, serde::Deserialize)]
enum Point {
    Named {
        #[serde(skip_serializing_if = "Option::is_none", default)]
        label: Option<u8>,
        x: u8,
    },
}

#[derive(Debug, PartialEq, serde::Serialize, serde::Deserialize)]
struct Left {
    #[serde(skip_serializing_if = "is_zero")]
    a: u8,
    b: Vec<u8>,
    c: u8,
}

fn is_zero(number: &u8) -> bool {
    *number == 0
}

/// Why it is an error: postcard decodes another value, of the same bytes.
fn a_field_left_out_would_not_be_noticed() -> Outcome {
    let bytes = postcard::to_stdvec(&Left { a: 0, b: vec![1, 9], c: 9 })?;
    assert_eq!(bytes, [2, 1, 9, 9]);
    let other: Left = postcard::from_bytes(&bytes)?; // nothing is left over
    assert_eq!(other, Left { a: 2, b: vec![9], c: 9 });
    assert_eq!(postcard::to_stdvec(&other)?, bytes);
    let (_receiver, sender) = pipe_one_way::<Left>()?;
    let Err(failed) = sender.send(Left { a: 0, b: vec![1, 9], c: 9 }) else {
        return Err("it was sent".into());
    };
    assert!(failed.to_string().contains("its field `a` is left out"), "{failed}");
    Ok(())
}

fn a_value_with_a_field_left_out_comes_back() -> Outcome {
    let (receiver, sender) = pipe_one_way::<Vec<Option<Point>>>()?;
    let points = |label| vec![None, Some(Point::Named { label, x: 1 })];
    let Err(failed) = sender.send(points(None)) else { return Err("it was sent".into()) };
    let reason = failed.error.to_string();
    assert!(reason.contains("its field `label` is left out"), "{reason}");
    sender.send(points(Some(2))).map_err(|failed| failed.error)?;
    let [None, Some(Point::Named { label: Some(2), x: 1 })] = receiver.recv()?[..] else {
        return Err("another one came".into());
    };
    Ok(())
}

fn a_value_that_cannot_be_encoded_comes_back() -> Outcome {
    let (receiver, sender) = pipe_one_way()?;
    let failed = sender.send(Picky::Secret(id())).expect_err("it is skipped");
    assert!(matches!(failed.error, Error::Encode { .. }), "{failed}");
    assert!(matches!(failed.value, Picky::Secret(secret) if secret == id()));
    sender.send(Picky::Text("after".to_string()))?;
    assert!(matches!(receiver.recv()?, Picky::Text(text) if text == "after"));
    Ok(())
}

/// Holds an end, and panics when it is to be sent.
struct Panics(Sender<u32>);

impl serde::Serialize for Panics {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serde::Serialize::serialize(&self.0, serializer)?;
        panic!("as asked");
    }
}

fn a_panic_in_an_encoding_leaves_nothing_behind() -> Outcome {
    let (receiver, sender) = pipe_one_way::<u32>()?;
    let (_keep, bad) = pipe_one_way::<Panics>()?;
    let send = AssertUnwindSafe(|| bad.send(Panics(sender)).is_ok());
    assert!(catch_unwind(send).is_err());
    assert!(matches!(receiver.recv(), Err(Error::Closed)), "a copy of the end is left");
    let outside = postcard::to_stdvec(&Descriptor::from(raw_pipe()?.0));
    assert!(outside.is_err(), "a descriptor travels only in a message");
    Ok(())
}

fn a_reader_killed_in_the_middle_of_a_message() -> Outcome {
    let (receiver, sender) = pipe_one_way::<[u8]>()?;
    let child = Process::spawn(|_receiver: Receiver<[u8]>| thread::sleep(LONG), receiver)?;
    let writer = thread::spawn(move || sender.send_bytes(&pattern(MEGABYTE, 0)));
    child.kill()?;
    assert!(matches!(writer.join(), Ok(Err(Error::Closed))));
    assert!(matches!(child.join(), Err(Error::Killed { signal: 9 })));
    Ok(())
}

fn a_sender_killed_in_the_middle_touches_no_other_message() -> Outcome {
    assert_eq!(printed(helper::command("two_senders"))?, "unfinished, then whole, then closed\n");
    Ok(())
}

fn two_senders() -> Result<(), Box<dyn StdError>> {
    let (receiver, sender) = pipe_one_way::<String>()?;
    // SAFETY: this program has no other thread.
    let first = unsafe { Process::fork(|| sender.send("x".repeat(64 * MEGABYTE)).is_ok()) }?;
    assert!(receiver.poll(LONG)?); // it is in the middle: nobody reads on
    // SAFETY: the same.
    let second = unsafe { Process::fork(|| sender.send(format!("from {}", id())).is_ok()) }?;
    drop(sender);
    let from_second = format!("from {}", second.pid());
    assert!(second.join()?);
    first.kill()?;
    assert!(matches!(first.join(), Err(Error::Killed { signal: 9 })));
    match receiver.recv() {
        Err(Error::Unfinished { received, length: 67_108_868 }) if received < 1_000_000 => (),
        other => return Err(format!("{:?}", other.map(|text| text.len())).into()),
    }
    assert_eq!(receiver.recv()?, from_second);
    assert!(matches!(receiver.recv(), Err(Error::Closed)));
    println!("unfinished, then whole, then closed");
    Ok(())
}

fn senders_killed_at_any_instant_leave_whole_messages() -> Outcome {
    let printed = printed(helper::command("killed_senders"))?;
    let counts: Vec<u64> = printed.split(' ').flat_map(|n| n.trim().parse()).collect();
    let [kills, messages] = counts[..] else { return Err(printed.into()) };
    assert!(messages > 20 * kills, "{printed}");
    Ok(())
}

fn a_sender_is_cloned_into_two_children() -> Outcome {
    let (receiver, sender) = pipe_one_way::<u32>()?;
    let say_and_hold = |(sender, hold): (Sender<u32>, Receiver<()>)| {
        sender.clone().send(id()).expect("the parent listens"); // and this clone is gone
        assert!(matches!(hold.recv(), Err(Error::Closed))); // until the parent lets it go
    };
    let start = |sender| {
        let (hold, go) = pipe_one_way()?;
        Ok::<_, Error>((Process::spawn(say_and_hold, (sender, hold))?, go))
    };
    let (first, second) = (start(sender.clone())?, start(sender)?);
    let mut pids = [receiver.recv()?, receiver.recv()?];
    pids.sort_unstable();
    let mut expected = [first.0.pid(), second.0.pid()];
    expected.sort_unstable();
    assert_eq!(pids, expected);
    for (child, go) in [first, second] {
        let nothing = receiver.recv_timeout(Duration::from_millis(20));
        assert!(matches!(nothing, Err(Error::TimedOut)), "one clone is left");
        drop(go);
        child.join()?;
    }
    assert!(matches!(receiver.try_recv(), Err(Error::Closed)));
    Ok(())
}

/// As many kills as `KILLS` says. Each child has a clone; one is killed, most often in the middle
/// of a long message, and the other keeps its clone until the parent lets it go.
fn the_end_comes_with_the_last_clone_although_a_sender_was_killed() -> Outcome {
    let server = ForkServer::start()?;
    let mut cut = 0;
    for n in 0..helper::kills() {
        cut += kill_one_of_two(&server, n)?;
    }
    assert!(cut > 0, "no kill was in the middle of a message");
    Ok(())
}

fn kill_one_of_two(server: &ForkServer, n: u64) -> Result<u32, Error> {
    let (receiver, sender) = pipe_one_way::<Numbered>()?;
    let (hold, go) = pipe_one_way::<()>()?;
    let doomed = server.spawn(send_long_ones, sender.clone())?;
    let survivor = server.spawn(send_and_hold, (sender, hold))?;
    let mut seen = Seen { survivor: survivor.pid(), ..Seen::default() };
    while seen.messages < n % 7 {
        assert!(receiver.poll(LONG)?);
        seen.take_from(&receiver)?;
    }
    helper::pass(Duration::from_micros(n * 37 % 500));
    doomed.kill()?;
    assert!(matches!(doomed.join(), Err(Error::Killed { signal: 9 })));
    while seen.of_survivor < 20 {
        assert!(receiver.poll(LONG)?);
        seen.take_from(&receiver)?;
    }
    while seen.take_from(&receiver)? {} // then nothing, but not the end
    assert!(seen.cut <= 1, "one kill cut off {} messages", seen.cut);
    drop(go);
    survivor.join()?;
    assert!(matches!(receiver.try_recv(), Err(Error::Closed)));
    Ok(seen.cut)
}

#[derive(Default)]
struct Seen {
    survivor: u32,
    messages: u64,
    of_survivor: u32,
    cut: u32,
}

impl Seen {
    /// Whether there was a message, whole or cut off. The end is an error.
    fn take_from(&mut self, receiver: &Receiver<Numbered>) -> Result<bool, Error> {
        match receiver.try_recv() {
            Err(Error::WouldBlock) => return Ok(false),
            Ok((pid, number, text)) => {
                assert!(text == text_of(number), "{number}");
                self.of_survivor += u32::from(pid == self.survivor);
            }
            Err(Error::Unfinished { .. }) => self.cut += 1,
            Err(other) => return Err(other),
        }
        self.messages += 1;
        Ok(true)
    }
}

fn send_long_ones(sender: Sender<Numbered>) {
    loop {
        sender.send((id(), 2, text_of(2))).expect("the parent listens");
    }
}

fn send_and_hold((sender, hold): (Sender<Numbered>, Receiver<()>)) {
    send_numbered(&sender, 20);
    assert!(matches!(hold.recv(), Err(Error::Closed)));
}

fn a_sender_stopped_in_the_middle_holds_up_the_others() -> Outcome {
    let (receiver, sender) = pipe_one_way::<String>()?;
    let send = |sender: Sender<String>| sender.send("x".repeat(4 * MEGABYTE)).is_ok();
    let child = Process::spawn(send, sender.clone())?;
    assert!(receiver.poll(LONG)?);
    let pid = Pid::from_raw(i32::try_from(child.pid())?);
    kill(pid, Signal::SIGSTOP)?;
    sender.send("short".to_string())?;
    let (done, waits) = mpsc::channel();
    thread::scope(|scope| {
        let receiver = &receiver;
        scope.spawn(move || done.send(receiver.try_recv()));
        let early = waits.recv_timeout(Duration::from_millis(50)).is_ok();
        kill(pid, Signal::SIGCONT)?;
        assert!(!early, "it is in the middle of a long message");
        let long = waits.recv_timeout(LONG)??;
        assert_eq!(long.len(), 4 * MEGABYTE);
        Ok::<_, Box<dyn StdError>>(())
    })
    .map_err(|error| error.to_string())?;
    assert_eq!(receiver.recv()?, "short");
    assert!(child.join()?);
    Ok(())
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

/// Goes as a descriptor of any kind and arrives as an end of a pipe, in safe Rust.
enum Disguised<T> {
    Descriptor(Descriptor),
    End(T),
}

impl<T> serde::Serialize for Disguised<T> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Descriptor(descriptor) => descriptor.serialize(serializer),
            Self::End(_) => Err(serde::ser::Error::custom("it only arrives")),
        }
    }
}

impl<'de, T: serde::Deserialize<'de>> serde::Deserialize<'de> for Disguised<T> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::deserialize(deserializer).map(Self::End)
    }
}

fn another_descriptor_does_not_arrive_as_an_end() -> Outcome {
    arrive_as::<Connection<u8, u8>>()?;
    arrive_as::<Receiver<u8>>()?;
    arrive_as::<Sender<u8>>()
}

fn arrive_as<T: serde::de::DeserializeOwned>() -> Outcome {
    let (receiver, sender) = pipe_one_way::<Disguised<T>>()?;
    let others = [
        Descriptor::from(raw_pipe()?.0),
        memfd_of(100)?.into(),
        fs::File::open("/proc/self/exe")?.into(),
        UnixStream::pair()?.0.into(),
        UnixDatagram::unbound()?.into(),
        TcpListener::bind("127.0.0.1:0")?.into(),
    ];
    for other in others {
        sender.send(Disguised::Descriptor(other))?;
        let Err(error) = receiver.recv() else { return Err("it arrived".into()) };
        assert!(error.to_string().contains("not an end of a pipe"), "{error}");
    }
    let (end, _other) = pipe::<u8, u8>()?;
    sender.send(Disguised::Descriptor(end.as_fd().try_clone_to_owned()?.into()))?;
    assert!(matches!(receiver.recv()?, Disguised::End(_)));
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

fn a_send_error_says_why() -> Outcome {
    let (receiver, sender) = pipe_one_way::<u32>()?;
    drop(receiver);
    let failed = sender.send(7).expect_err("nobody is there");
    assert_eq!(format!("{failed:?}"), Error::Closed.to_string());
    assert_eq!(format!("{failed}"), Error::Closed.to_string());
    assert!(format!("{failed:#?}").starts_with("SendError {"));
    Ok(())
}

fn a_lack_of_memory_is_an_error() -> Outcome {
    let said = "not enough memory, then the next message\n";
    assert_eq!(printed(helper::command("little_memory_to_receive"))?, said);
    assert_eq!(printed(helper::command("little_memory_to_send"))?, said);
    Ok(())
}

/// This process may take no more than `bytes` more.
fn limit_memory(bytes: usize) -> Result<(), Box<dyn StdError>> {
    let pages = fs::read_to_string("/proc/self/statm")?;
    let pages: usize = pages.split(' ').next().ok_or("no size")?.parse()?;
    let limit = (pages * 4096 + bytes) as u64;
    Ok(setrlimit(Resource::RLIMIT_AS, limit, limit)?)
}

fn little_memory_to_receive() -> Result<(), Box<dyn StdError>> {
    let (receiver, sender) = pipe_one_way::<[u8]>()?;
    let send = || {
        let is_closed = matches!(sender.send_bytes(&vec![7; 256 * MEGABYTE]), Err(Error::Closed));
        sender.send_bytes(b"next").is_ok() && is_closed
    };
    // SAFETY: this program has no other thread.
    let child = unsafe { Process::fork(send) }?;
    limit_memory(100 * MEGABYTE)?;
    let error = receiver.recv_bytes().expect_err("there is no room for it").to_string();
    assert!(error.contains("not enough memory"), "{error}");
    assert_eq!(receiver.recv_bytes()?, b"next");
    assert!(child.join()?);
    println!("not enough memory, then the next message");
    Ok(())
}

fn little_memory_to_send() -> Result<(), Box<dyn StdError>> {
    let (receiver, sender) = pipe_one_way::<String>()?;
    let long = "x".repeat(64 * MEGABYTE);
    limit_memory(32 * MEGABYTE)?;
    let failed = sender.send(long).expect_err("there is no room for it");
    assert!(matches!(failed.error, Error::Encode { .. }));
    assert!(failed.to_string().contains("not enough memory"), "{failed}");
    assert_eq!(failed.value.len(), 64 * MEGABYTE);
    sender.send("next".to_string())?;
    assert_eq!(receiver.recv()?, "next");
    println!("not enough memory, then the next message");
    Ok(())
}

/// As many kills as `KILLS` says. Two processes send on one end, short messages and
/// long ones; one of them is killed.
fn killed_senders() -> Result<(), Box<dyn StdError>> {
    let kills: u64 = helper::kills();
    let mut messages = 0;
    for n in 0..kills {
        let (receiver, sender) = pipe_one_way::<Numbered>()?;
        // SAFETY: this program has no other thread.
        let doomed = unsafe { Process::fork(|| send_numbered(&sender, u32::MAX)) }?;
        // SAFETY: the same.
        let other = unsafe { Process::fork(|| send_numbered(&sender, 20)) }?;
        drop(sender);
        let other_pid = other.pid();
        let mut next = 0;
        let mut killed = false;
        let stop_after = n % 30;
        for received in receiver.iter() {
            match received {
                Ok((pid, number, text)) => {
                    assert!(text == text_of(number), "{number}");
                    if pid == other_pid {
                        assert_eq!(number, next);
                        next += 1;
                    }
                    messages += 1;
                }
                Err(Error::Unfinished { .. }) => (), // of the one that was killed
                Err(other) => return Err(other.into()),
            }
            if !killed && messages % 30 == stop_after {
                helper::pass(Duration::from_micros(n * 37 % 500));
                doomed.kill()?;
                killed = true;
            }
        }
        assert!(killed);
        assert_eq!(next, 20, "of the one that was not killed");
        assert!(matches!(doomed.join(), Err(Error::Killed { signal: 9 })));
        other.join()?;
    }
    println!("{kills} {messages}");
    Ok(())
}

/// Who sends, the how manieth, and a text that belongs to the number.
type Numbered = (u32, u32, String);

fn send_numbered(sender: &Sender<Numbered>, count: u32) {
    for number in 0..count {
        let message = (id(), number, text_of(number));
        sender.send(message).expect("the parent listens");
    }
}

fn text_of(number: u32) -> String {
    let lines = [1, 5_000, 40_000][number as usize % 3];
    format!("{number:10}").repeat(lines)
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

/// In a process of its own, which may not have much memory.
fn hostile_frames_are_errors() -> Outcome {
    let printed = printed(helper::command("hostile_frames"))?;
    let errors: u32 = printed.trim().parse()?;
    assert!(errors > 90_000, "{errors} of 100,000 are errors");
    Ok(())
}

/// Many kinds of values that have a length in them.
type Greedy = (String, Vec<u64>, Option<Vec<String>>, Option<Descriptor>);

fn hostile_frames() -> Result<(), Box<dyn StdError>> {
    let (receiver, raw) = pipe::<(), Greedy>()?;
    setrlimit(Resource::RLIMIT_AS, 1 << 30, 1 << 30)?;
    // Lengths that are lies.
    assert!(error_of(&receiver, &raw, &[0, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1], &[])?);
    assert!(error_of(&receiver, &raw, &[2], &[memfd_of(1 << 62)?])?);
    assert!(error_of(&receiver, &raw, &[2], &[memfd_of(1 << 40)?])?);
    for length in [1u64 << 63, u64::MAX, 1 << 40] {
        let (_, stream) = UnixStream::pair()?;
        let frame = [&[1][..], &length.to_le_bytes()].concat();
        assert!(error_of(&receiver, &raw, &frame, &[stream.into()])?);
    }
    assert!(error_of(&receiver, &raw, &[1], &[])?);
    let mut random = fastrand::Rng::with_seed(5);
    let mut errors = 0;
    for _ in 0..100_000 {
        let length = random.usize(1..60);
        let mut frame: Vec<u8> = std::iter::repeat_with(|| random.u8(..)).take(length).collect();
        frame[0] = random.u8(0..4);
        let descriptors = match random.u8(0..4) {
            0 => vec![memfd_of(random.u64(..1 << 62))?],
            1 => vec![UnixStream::pair()?.0.into()],
            _ => vec![],
        };
        errors += u32::from(error_of(&receiver, &raw, &frame, &descriptors)?);
    }
    let open = fs::read_dir("/proc/self/fd")?.count();
    assert!(open < 10, "{open} descriptors are open");
    println!("{errors}");
    Ok(())
}

/// A file that is nothing but a hole.
fn memfd_of(length: u64) -> Result<OwnedFd, Box<dyn StdError>> {
    let memfd = memfd_create(c"hole", MFdFlags::empty())?;
    ftruncate(&memfd, i64::try_from(length)?)?;
    Ok(memfd)
}

/// Whether a frame that was sent by hand is an error; what follows it must arrive.
fn error_of(
    receiver: &Connection<(), Greedy>,
    raw: &Connection<Greedy, ()>,
    frame: &[u8],
    descriptors: &[OwnedFd],
) -> Result<bool, Box<dyn StdError>> {
    send_raw(raw, frame, descriptors)?;
    let is_error = receiver.recv().is_err();
    raw.send(("next".to_string(), vec![1, 2], None, None))?;
    assert_eq!(receiver.recv()?.0, "next");
    Ok(is_error)
}

/// Sends a packet that this crate would not send.
fn send_raw(end: &impl AsRawFd, frame: &[u8], descriptors: &[OwnedFd]) -> nix::Result<()> {
    let numbers: Vec<_> = descriptors.iter().map(AsRawFd::as_raw_fd).collect();
    let rights = [ControlMessage::ScmRights(&numbers)];
    let rights = if numbers.is_empty() { &[][..] } else { &rights[..] };
    let frame = [IoSlice::new(frame)];
    sendmsg::<()>(end.as_raw_fd(), &frame, rights, MsgFlags::empty(), None).map(drop)
}

fn an_empty_packet_is_an_error_and_not_the_end() -> Outcome {
    let (mut ours, raw) = pipe::<[u8], [u8]>()?;
    for _ in 0..2 {
        send_raw(&raw, &[], &[])?;
    }
    raw.send_bytes(b"next")?;
    let Err(Error::Decode { reason, .. }) = ours.recv_bytes() else {
        return Err("no error".into());
    };
    assert!(reason.contains("empty packet"), "{reason}");
    drop(raw); // the next empty one has a message behind it still
    let error = ours.recv_bytes_into(&mut [0; 10]);
    assert!(matches!(error, Err(Error::Decode { .. })), "{error:?}");
    assert_eq!(ours.recv_bytes()?, b"next");
    assert!(matches!(ours.recv_bytes(), Err(Error::Closed)));
    Ok(())
}

fn a_lack_of_descriptors_is_an_error_and_leaks_none() -> Outcome {
    assert_eq!(printed(helper::command("few_descriptors"))?, "an error, and none leaked\n");
    Ok(())
}

fn few_descriptors() -> Result<(), Box<dyn StdError>> {
    let (receiver, sender) = pipe_one_way::<Vec<Descriptor>>()?;
    let (reader, _writer) = raw_pipe()?;
    let copies = (0..10).map(|_| reader.try_clone().map(Descriptor::from));
    sender.send(copies.collect::<Result<_, _>>()?)?;
    let open = || fs::read_dir("/proc/self/fd").map(Iterator::count);
    let before = open()?;
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE)?;
    setrlimit(Resource::RLIMIT_NOFILE, before as u64 + 3, hard)?;
    let error = receiver.recv().expect_err("ten descriptors found room for three");
    assert!(error.to_string().contains("Too many open files"), "{error}");
    assert_eq!(open()?, before);
    sender.send(vec![reader.try_clone()?.into()])?;
    assert_eq!(receiver.recv()?.len(), 1, "the next message");
    println!("an error, and none leaked");
    Ok(())
}
