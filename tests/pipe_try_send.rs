//! Sending that never waits, and waiting until there is room.

use libtest_mimic::Arguments;
use multiprocessing::{
    Connection, Descriptor, Error, Process, Receiver, Sender, Writable, pipe, pipe_one_way, wait,
};
use std::io::{self, Read};
use std::os::fd::{AsFd, AsRawFd};
use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant};
use tests::helper::{LONG, SHORT, limit_files, open_and_mapped, printed};
use tests::{Outcome, helper, helpers, trials};

fn main() -> ExitCode {
    multiprocessing::init();
    helper::run_or_fail(helpers![few_descriptors, nothing_is_leaked]);
    let trials = trials![
        a_full_buffer_gives_the_value_back,
        what_was_sent_arrives_once_and_in_order,
        a_long_value_does_not_wait_for_the_receiver,
        a_long_value_that_finds_no_room_comes_back,
        descriptors_travel_and_come_back,
        nobody_who_receives_is_an_error,
        a_value_that_cannot_be_encoded_comes_back,
        writable_is_ready_when_there_is_room,
        writable_is_ready_when_the_other_end_is_gone,
        writable_stands_beside_others_in_wait,
        writable_does_not_keep_the_sender_open,
        a_stopped_receiver_holds_up_nobody,
        clones_share_the_room,
        a_lack_of_descriptors_is_an_error,
        nothing_is_left_open,
    ];
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

/// Sends numbers until there is no room. Returns how many were sent.
fn fill(sender: &Sender<u64>) -> u64 {
    for number in 0.. {
        match sender.try_send(number) {
            Ok(()) => (),
            Err(full) => {
                assert!(matches!(full.error, Error::WouldBlock), "{full}");
                assert_eq!(full.value, number);
                return number;
            }
        }
    }
    unreachable!("a buffer has an end")
}

fn is_ready(room: &Writable) -> Result<bool, Error> {
    Ok(!wait(&[room], Some(Duration::ZERO))?.is_empty())
}

fn a_full_buffer_gives_the_value_back() -> Outcome {
    let (receiver, sender) = pipe_one_way()?;
    let start = Instant::now();
    let sent = fill(&sender);
    assert!(sent > 1, "{sent}");
    assert!(start.elapsed() < LONG);
    assert_eq!(receiver.recv()?, 0);
    Ok(())
}

fn what_was_sent_arrives_once_and_in_order() -> Outcome {
    let (receiver, sender) = pipe_one_way()?;
    let child = Process::spawn(
        |receiver: Receiver<u64>| receiver.iter().flatten().collect::<Vec<u64>>(),
        receiver,
    )?;
    let mut waits = 0;
    for number in 0..10_000 {
        let mut left = number;
        while let Err(full) = sender.try_send(left) {
            assert!(matches!(full.error, Error::WouldBlock), "{full}");
            left = full.value;
            waits += 1;
            assert_eq!(wait(&[sender.writable()?], Some(LONG))?, [0]);
        }
    }
    drop(sender);
    assert_eq!(child.join()?, (0..10_000).collect::<Vec<_>>());
    assert!(waits < 10_000, "it spins");
    Ok(())
}

fn a_long_value_does_not_wait_for_the_receiver() -> Outcome {
    let (ours, theirs) = pipe::<Vec<u32>, ()>()?;
    let long: Vec<u32> = (0..1_000_000).collect();
    ours.try_send(long.clone())?;
    ours.try_send(vec![7])?;
    drop(ours); // the sender may be gone
    assert!(theirs.recv()? == long);
    assert_eq!(theirs.recv()?, [7]);
    assert!(matches!(theirs.recv(), Err(Error::Closed)));
    Ok(())
}

fn a_long_value_that_finds_no_room_comes_back() -> Outcome {
    let (receiver, sender) = pipe_one_way::<Vec<u8>>()?;
    let mut sent = 0;
    while sender.try_send(vec![]).is_ok() {
        sent += 1;
    }
    let full = sender.try_send(vec![1; 1 << 20]).expect_err("it is full");
    assert!(matches!(full.error, Error::WouldBlock), "{full}");
    assert_eq!(full.value.len(), 1 << 20);
    for _ in 0..sent {
        assert!(receiver.recv()?.is_empty());
    }
    assert!(matches!(receiver.try_recv(), Err(Error::WouldBlock)), "nothing was sent");
    sender.try_send(full.value)?;
    assert_eq!(receiver.recv()?.len(), 1 << 20);
    Ok(())
}

fn descriptors_travel_and_come_back() -> Outcome {
    let (ours, theirs) = pipe::<Option<Descriptor>, ()>()?;
    let (mut reader, writer) = io::pipe()?;
    while ours.try_send(None).is_ok() {}
    let full = ours.try_send(Some(writer.into())).expect_err("it is full");
    while let Ok(None) = theirs.try_recv() {}
    ours.try_send(full.value)?;
    let arrived = theirs.recv()?.ok_or("no descriptor")?;
    drop(arrived);
    assert_eq!(reader.read(&mut [0])?, 0, "no copy is left");
    Ok(())
}

fn nobody_who_receives_is_an_error() -> Outcome {
    let (receiver, sender) = pipe_one_way()?;
    drop(receiver);
    let failed = sender.try_send(5).expect_err("nobody receives");
    assert!(matches!(failed.error, Error::Closed), "{failed}");
    assert_eq!(failed.value, 5);
    Ok(())
}

fn a_value_that_cannot_be_encoded_comes_back() -> Outcome {
    let (receiver, sender) = pipe_one_way()?;
    let failed = sender.try_send(tests::even::Even(13)).expect_err("an unlucky number");
    assert!(matches!(failed.error, Error::Encode { .. }), "{failed}");
    assert_eq!(failed.value.0, 13);
    sender.try_send(tests::even::Even(2))?;
    assert_eq!(receiver.recv()?.0, 2);
    Ok(())
}

fn writable_is_ready_when_there_is_room() -> Outcome {
    let (receiver, sender) = pipe_one_way()?;
    let room = sender.writable()?;
    assert!(is_ready(&room)?, "an empty buffer");
    let sent = fill(&sender);
    assert!(!is_ready(&room)?, "a full buffer");
    assert!(!is_ready(&sender.writable()?)?, "one made late");
    for _ in 0..sent {
        receiver.recv()?;
    }
    assert!(is_ready(&room)?, "an empty buffer again");
    sender.try_send(1)?;
    Ok(())
}

fn writable_is_ready_when_the_other_end_is_gone() -> Outcome {
    let (receiver, sender) = pipe_one_way()?;
    fill(&sender);
    let room = sender.writable()?;
    let child = Process::spawn(drop::<Receiver<u64>>, receiver)?;
    assert_eq!(wait(&[&room], Some(LONG))?, [0]);
    assert!(matches!(sender.try_send(1), Err(e) if matches!(e.error, Error::Closed)));
    child.join()?;
    Ok(())
}

fn writable_stands_beside_others_in_wait() -> Outcome {
    let (ours, theirs) = pipe::<u64, u64>()?;
    while ours.try_send(1).is_ok() {}
    let room = ours.writable()?;
    let both: [&dyn AsFd; 2] = [&ours, &room];
    assert!(wait(&both, Some(SHORT))?.is_empty());
    theirs.send(5)?;
    assert_eq!(wait(&both, Some(LONG))?, [0]);
    assert_eq!(ours.recv()?, 5);
    let receiving = thread::spawn(move || while theirs.recv().is_ok() {});
    assert_eq!(wait(&both, Some(LONG))?, [1]);
    drop(ours);
    receiving.join().map_err(|_| "it panicked")?;
    Ok(())
}

fn writable_does_not_keep_the_sender_open() -> Outcome {
    let (receiver, sender) = pipe_one_way()?;
    let room = sender.writable()?;
    sender.send(1)?;
    drop(sender);
    assert_eq!(receiver.recv()?, 1);
    assert!(matches!(receiver.recv(), Err(Error::Closed)));
    assert!(!is_ready(&room)?, "its sender is gone");
    Ok(())
}

fn a_stopped_receiver_holds_up_nobody() -> Outcome {
    let (to_one, one) = pipe::<u64, ()>()?;
    let (to_other, other) = pipe::<u64, ()>()?;
    let count = |connection: Connection<(), u64>| connection.iter().flatten().count();
    let one = Process::spawn(count, one)?;
    let other = Process::spawn(count, other)?;
    one.signal(19)?; // SIGSTOP
    let mut lost = 0;
    for number in 0..5_000 {
        lost += u64::from(to_one.try_send(number).is_err());
        to_other.send(number)?;
    }
    drop(to_other);
    assert_eq!(other.join()?, 5_000);
    assert!(lost > 0, "the stopped one has received");
    one.signal(18)?; // SIGCONT
    drop(to_one);
    assert_eq!(one.join()? as u64 + lost, 5_000);
    Ok(())
}

fn clones_share_the_room() -> Outcome {
    let (receiver, sender) = pipe_one_way()?;
    let clone = sender.clone();
    let sent = fill(&sender);
    let full = clone.try_send(1).expect_err("it is full for the clone, too");
    assert!(matches!(full.error, Error::WouldBlock), "{full}");
    for _ in 0..sent {
        receiver.recv()?;
    }
    assert!(is_ready(&clone.writable()?)?);
    Ok(())
}

fn a_lack_of_descriptors_is_an_error() -> Outcome {
    assert_eq!(printed(helper::command("few_descriptors"))?, "two errors\n");
    Ok(())
}

fn few_descriptors() -> Result<(), Box<dyn std::error::Error>> {
    let (receiver, sender) = pipe_one_way::<Vec<u8>>()?;
    let free = receiver.as_fd().try_clone_to_owned()?.as_raw_fd(); // the lowest number
    limit_files(free as u64)?;
    let error = sender.writable().expect_err("there is no descriptor");
    assert!(error.to_string().contains("Too many open files"), "{error}");
    let failed = sender.try_send(vec![1; 1 << 20]).expect_err("there is no descriptor");
    assert!(failed.to_string().contains("Too many open files"), "{failed}");
    assert_eq!(failed.value.len(), 1 << 20);
    sender.try_send(vec![2])?;
    assert_eq!(receiver.recv()?, [2]);
    println!("two errors");
    Ok(())
}

fn nothing_is_left_open() -> Outcome {
    assert_eq!(printed(helper::command("nothing_is_leaked"))?, "none\n");
    Ok(())
}

fn nothing_is_leaked() -> Result<(), Box<dyn std::error::Error>> {
    let (receiver, sender) = pipe_one_way::<Vec<u8>>()?;
    let before = open_and_mapped()?.0;
    for _ in 0..100 {
        sender.try_send(vec![1; 200_000])?;
        while sender.try_send(vec![]).is_ok() {}
        sender.try_send(vec![1; 200_000]).expect_err("it is full");
        drop(sender.writable()?);
        while receiver.try_recv().is_ok() {}
    }
    assert_eq!(open_and_mapped()?.0, before);
    println!("none");
    Ok(())
}
