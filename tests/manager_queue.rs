//! A manager's queues: order, limits, closing, time-outs, and those who wait.

use multiprocessing::{
    Connection, Error, Manager, Process, QueueProxy, Sender, pipe, pipe_one_way,
};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::error::Error as StdError;
use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant};
use tests::even::Even;
use tests::helper::{self, LONG, SHORT, elsewhere, join};
use tests::server::Watch;
use tests::{Outcome, trials};

fn main() -> ExitCode {
    let trials = trials![
        a_queue_keeps_the_order,
        a_full_queue_waits_for_room,
        what_cannot_be_put_comes_back,
        a_closed_queue_is_emptied,
        close_tells_those_who_wait,
        a_queue_takes_what_has_a_descriptor,
        a_time_out_that_comes_with_a_message_loses_none,
        a_time_out_that_comes_with_room_loses_none,
        getters_are_served_in_order,
        a_killed_getter_leaves_nothing_open,
        nothing_is_given_to_the_dead,
    ];
    helper::main(trials, &[], &[])
}

fn a_queue_keeps_the_order() -> Outcome {
    let manager = Manager::start()?;
    for maxsize in [0, 3] {
        let queue = manager.queue(maxsize)?;
        let put = |queue: QueueProxy<String>| -> Result<(), Error> {
            for n in 0..500 {
                queue.put(n.to_string())?;
            }
            queue.close()
        };
        let child = Process::spawn(put, queue.clone())?;
        let got: Result<Vec<_>, _> = queue.iter().collect();
        assert_eq!(got?, (0..500).map(|n| n.to_string()).collect::<Vec<_>>());
        join(child)??;
    }
    Ok(())
}

fn a_full_queue_waits_for_room() -> Outcome {
    let manager = Manager::start()?;
    let queue = manager.queue(2)?;
    queue.put(1)?;
    assert!(!queue.is_full()? && !queue.is_empty()?);
    queue.put(2)?;
    assert!(queue.is_full()? && queue.len()? == 2);
    let start = Instant::now();
    let failed = queue.put_timeout(3, SHORT).err().ok_or("it was put")?;
    assert!(matches!(failed.error, Error::TimedOut) && failed.value == 3);
    assert!(start.elapsed() >= SHORT);
    let failed = queue.try_put(4).err().ok_or("it was put")?;
    assert!(matches!(failed.error, Error::WouldBlock) && failed.value == 4);
    let put = |queue: QueueProxy<i32>| queue.put(5).map_err(Error::from);
    let child = Process::spawn(put, queue.clone())?;
    assert!(!child.wait_timeout(5 * SHORT));
    assert_eq!(queue.get()?, 1);
    join(child)??;
    assert_eq!((queue.get()?, queue.try_get()?, queue.len()?), (2, 5, 0));
    assert!(matches!(queue.try_get(), Err(Error::WouldBlock)));
    assert!(matches!(queue.get_timeout(SHORT), Err(Error::TimedOut)));
    Ok(())
}

fn what_cannot_be_put_comes_back() -> Outcome {
    let manager = Manager::start()?;
    let queue = manager.queue(0)?;
    let failed = queue.put(Even(13)).err().ok_or("it was put")?;
    assert!(matches!(failed.error, Error::Encode { .. }) && failed.value == Even(13));
    queue.put(Even(3))?;
    queue.put(Even(4))?;
    assert!(matches!(queue.get(), Err(Error::Decode { .. })));
    assert_eq!(queue.get()?, Even(4));
    Ok(())
}

fn a_closed_queue_is_emptied() -> Outcome {
    let manager = Manager::start()?;
    let queue = manager.queue(0)?;
    queue.put(1)?;
    assert!(!queue.is_closed()?);
    queue.close()?;
    assert!(queue.is_closed()?);
    for failed in [queue.put(2), queue.try_put(2), queue.put_timeout(2, LONG)] {
        let failed = failed.err().ok_or("it was put")?;
        assert!(matches!(failed.error, Error::Closed) && failed.value == 2);
    }
    assert_eq!(queue.get()?, 1);
    assert!(matches!(queue.get(), Err(Error::Closed)));
    assert!(matches!(queue.try_get(), Err(Error::Closed)));
    let queue = manager.queue(0)?;
    queue.put(1)?;
    queue.close_now()?;
    assert!(queue.is_empty()? && matches!(queue.get(), Err(Error::Closed)));
    Ok(())
}

fn close_tells_those_who_wait() -> Outcome {
    let manager = Manager::start()?;
    let (empty, full) = (manager.queue::<u32>(0)?, manager.queue::<u32>(1)?);
    full.put(0)?;
    thread::scope(|scope| -> Outcome {
        let get = scope.spawn(|| empty.get());
        let put = scope.spawn(|| full.put(1).map_err(Error::from));
        thread::sleep(5 * SHORT);
        empty.close()?;
        full.close()?;
        assert!(matches!(get.join().expect("no panic"), Err(Error::Closed)));
        assert!(matches!(put.join().expect("no panic"), Err(Error::Closed)));
        Ok(())
    })
}

fn a_queue_takes_what_has_a_descriptor() -> Outcome {
    let manager = Manager::start()?;
    let queue = manager.queue::<(Connection<u32, u32>, QueueProxy<u32>)>(0)?;
    let (ours, theirs) = pipe()?;
    let inner = manager.queue(0)?;
    queue.put((theirs, inner.clone()))?;
    ours.send(1)?;
    let take = |queue: QueueProxy<(Connection<u32, u32>, QueueProxy<u32>)>| -> Result<u32, Error> {
        let (connection, inner) = queue.get()?;
        inner.put(5)?;
        connection.recv()
    };
    assert_eq!(elsewhere(take, queue.clone())??, 1);
    assert_eq!(inner.get()?, 5);
    assert!(matches!(ours.recv(), Err(Error::Closed)), "the server has no copy any more");
    Ok(())
}

/// The cancellation crosses the answer.
fn a_time_out_that_comes_with_a_message_loses_none() -> Outcome {
    let manager = Manager::start()?;
    let queue = manager.queue(0)?;
    thread::scope(|scope| -> Outcome {
        let putter = scope.spawn(|| -> Result<(), Error> {
            for n in 0..10_000u32 {
                helper::pass(Duration::from_micros(u64::from(n) % 60));
                queue.put(n)?;
            }
            queue.close()
        });
        let (mut got, mut timed_out) = (Vec::new(), 0);
        for n in 0u64.. {
            match queue.get_timeout(Duration::from_micros(n * 7 % 120)) {
                Ok(number) => got.push(number),
                Err(Error::TimedOut) => timed_out += 1,
                Err(Error::Closed) => break,
                Err(other) => return Err(other.into()),
            }
        }
        putter.join().expect("no panic")?;
        assert!(got.iter().copied().eq(0..10_000), "{} came", got.len());
        assert!(timed_out > 0);
        Ok(())
    })
}

fn a_time_out_that_comes_with_room_loses_none() -> Outcome {
    let manager = Manager::start()?;
    let queue = manager.queue(1)?;
    thread::scope(|scope| -> Outcome {
        let getter = scope.spawn(|| -> Result<Vec<u64>, Error> {
            let slowly = |n| helper::pass(Duration::from_micros(n % 60));
            queue.iter().inspect(|n| n.as_ref().map_or((), |n| slowly(*n))).collect()
        });
        let mut put = Vec::new();
        for n in 0..5000u64 {
            match queue.put_timeout(n, Duration::from_micros(n * 7 % 120)).map_err(Error::from) {
                Ok(()) => put.push(n),
                Err(Error::TimedOut) => (),
                Err(other) => return Err(other.into()),
            }
        }
        queue.close()?;
        assert_eq!(getter.join().expect("no panic")?, put);
        Ok(())
    })
}

/// Says that it is about to wait, and waits.
fn get((queue, tells): (QueueProxy<u32>, Sender<()>)) -> Result<u32, Error> {
    tells.send(())?;
    queue.get()
}

type Getter = Process<Result<u32, Error>>;

/// A child that waits for a message.
fn getter(server: &Watch, queue: &QueueProxy<u32>) -> Result<Getter, Box<dyn StdError>> {
    let (told, tells) = pipe_one_way()?;
    let child = Process::spawn(get, (queue.clone(), tells))?;
    told.recv()?;
    server.expect_waiter(child.pid())?;
    Ok(child)
}

fn getters_are_served_in_order() -> Outcome {
    let manager = Manager::start()?;
    let (queue, server) = (manager.queue::<u32>(0)?, Watch::of_server(&manager)?);
    let children: Result<Vec<_>, _> = (0..4).map(|_| getter(&server, &queue)).collect();
    (0..4).try_for_each(|n| queue.put(n))?;
    for (n, child) in (0..).zip(children.map_err(|error| error.to_string())?) {
        assert_eq!(join(child)??, n);
    }
    Ok(())
}

/// Although another one waits before it.
fn a_killed_getter_leaves_nothing_open() -> Outcome {
    let manager = Manager::start()?;
    let (queue, server) = (manager.queue::<u32>(0)?, Watch::of_server(&manager)?);
    let first = getter(&server, &queue).map_err(|error| error.to_string())?;
    let before = server.open()?;
    let child = getter(&server, &queue).map_err(|error| error.to_string())?;
    assert!(server.open()? > before);
    child.kill()?;
    assert!(child.join().is_err());
    server.expect_open(before);
    queue.put(1)?;
    assert_eq!(join(first)??, 1);
    Ok(())
}

/// The server learns of a death and of a message at the same moment.
fn nothing_is_given_to_the_dead() -> Outcome {
    let manager = Manager::start()?;
    let (queue, server) = (manager.queue::<u32>(0)?, Watch::of_server(&manager)?);
    let pid = Pid::from_raw(server.pid as i32);
    for n in 0..20 {
        let child = getter(&server, &queue).map_err(|error| error.to_string())?;
        kill(pid, Signal::SIGSTOP)?;
        child.kill()?;
        assert!(child.join().is_err());
        thread::scope(|scope| -> Outcome {
            let put = scope.spawn(|| queue.put(n));
            thread::sleep(SHORT);
            kill(pid, Signal::SIGCONT)?;
            Ok(put.join().expect("no panic")?)
        })?;
        assert_eq!(queue.try_get()?, n);
    }
    Ok(())
}
