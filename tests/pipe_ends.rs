//! When the end of a connection comes, and what a killed or stopped process leaves.

use multiprocessing::{
    Connection, Error, ForkServer, Process, Receiver, Sender, pipe, pipe_one_way, wait,
};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::error::Error as StdError;
use std::io::{Read, Write, pipe as raw_pipe};
use std::process::{ExitCode, id};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;
use tests::helper::{self, printed};
use tests::{Outcome, helpers, trials};

fn main() -> ExitCode {
    let trials = trials![
        the_end_comes_when_the_child_has_gone,
        the_end_comes_with_fork_once_the_copy_is_closed,
        what_was_sent_before_the_end_is_not_lost,
        a_reader_killed_in_the_middle_of_a_message,
        a_sender_killed_in_the_middle_touches_no_other_message,
        senders_killed_at_any_instant_leave_whole_messages,
        a_sender_is_cloned_into_two_children,
        the_end_comes_with_the_last_clone_although_a_sender_was_killed,
        a_sender_stopped_in_the_middle_holds_up_the_others,
    ];
    helper::main(trials, &[], helpers![fork_closes_its_copy, two_senders, killed_senders])
}

/// Far longer than anything here takes: a test that waits so long has failed.
const LONG: Duration = Duration::from_secs(60);

const MEGABYTE: usize = 1 << 20;

/// Bytes that tell whether a part is missing or in another place.
fn pattern(length: usize, seed: u8) -> Vec<u8> {
    let line: Vec<u8> = (0..251).map(|n| n ^ seed).collect();
    let mut lines = line.repeat(length / line.len() + 1);
    lines.truncate(length);
    lines
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
