//! What cannot be sent or received is an error, and what follows arrives: bytes without a meaning,
//! values that cannot be encoded, a lack of memory or descriptors.

use multiprocessing::{
    Connection, Descriptor, Error, Process, Receiver, Sender, pipe, pipe_one_way,
};
use nix::sys::memfd::{MFdFlags, memfd_create};
use nix::sys::resource::{Resource, setrlimit};
use nix::sys::socket::{ControlMessage, MsgFlags, sendmsg};
use nix::unistd::ftruncate;
use std::error::Error as StdError;
use std::fs;
use std::io::{IoSlice, pipe as raw_pipe};
use std::net::TcpListener;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::net::{UnixDatagram, UnixStream};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::{ExitCode, id};
use tests::helper::{self, limit_files, printed};
use tests::{Outcome, helpers, trials};

fn main() -> ExitCode {
    let trials = trials![
        a_value_that_nobody_can_receive_comes_back,
        a_value_that_cannot_be_encoded_comes_back,
        a_send_error_says_why,
        a_value_with_a_field_left_out_comes_back,
        a_field_left_out_would_not_be_noticed,
        a_panic_in_an_encoding_leaves_nothing_behind,
        another_descriptor_does_not_arrive_as_an_end,
        hostile_frames_are_errors,
        an_empty_packet_is_an_error_and_not_the_end,
        a_lack_of_memory_is_an_error,
        a_lack_of_descriptors_is_an_error_and_leaks_none,
    ];
    let helpers =
        helpers![hostile_frames, few_descriptors, little_memory_to_receive, little_memory_to_send];
    helper::main(trials, &[], helpers)
}

const MEGABYTE: usize = 1 << 20;

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
    limit_files(before as u64 + 3)?;
    let error = receiver.recv().expect_err("ten descriptors found room for three");
    assert!(error.to_string().contains("Too many open files"), "{error}");
    assert_eq!(open()?, before);
    sender.send(vec![reader.try_clone()?.into()])?;
    assert_eq!(receiver.recv()?.len(), 1, "the next message");
    println!("an error, and none leaked");
    Ok(())
}
