//! Clients and servers of managers that are killed at random instants: nobody hangs, every value is
//! accounted for, and nothing is left.

use multiprocessing::{
    ConditionProxy, Error, EventProxy, ForkServer, ListProxy, LockProxy, Manager, QueueProxy,
    RawArray, SemaphoreProxy, Shared, ValueProxy,
};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde::{Deserialize, Serialize};
use std::error::Error as StdError;
use std::process::ExitCode;
use std::sync::atomic::Ordering::SeqCst;
use std::thread;
use std::time::Duration;
use tests::helper::{self, LONG, doom, join, kills, open_and_mapped, pass};
use tests::helpers;
use tests::server::Watch;

fn main() -> ExitCode {
    let alone = helpers![
        every_value_is_accounted_for,
        no_lock_is_lost_and_none_is_held_twice,
        permits_and_notifications_come_through,
        objects_stay_whole,
        nobody_hangs_when_the_server_is_killed,
    ];
    helper::main(vec![], alone, &[])
}

type Fallible = Result<(), Box<dyn StdError>>;

/// A manager, of which nothing may be left.
fn with_manager(work: fn(&Manager, &ForkServer) -> Fallible) -> Fallible {
    let fork_server = ForkServer::start()?;
    let before = open_and_mapped()?.0;
    let manager = Manager::start()?;
    let server = Watch::of_server(&manager)?;
    drop(manager.event()?);
    let (open, threads) = (server.open()?, 2);
    work(&manager, &fork_server)?;
    server.expect_open(open);
    server.expect_threads(threads);
    drop(manager);
    server.expect_end();
    drop(server);
    assert!(open_and_mapped()?.0 <= before + 1); // and /dev/null, once in a process
    Ok(())
}

/// How many values a producer puts at most.
const EACH: u32 = 1024;

#[derive(Clone, Serialize, Deserialize)]
struct Values {
    queue: QueueProxy<(u32, Vec<u8>)>,
    /// By producer: how many calls of `put` have returned.
    put: RawArray<u32>,
    /// By number: how often it was got.
    got: RawArray<u8>,
}

/// Some are too long for a packet.
fn value(number: u32) -> (u32, Vec<u8>) {
    let length = if number % 128 == 7 { 150_000 } else { number as usize % 300 };
    (number, vec![number as u8; length])
}

fn produce((values, producer): (Values, usize)) -> Result<(), Error> {
    let first = producer as u32 * EACH;
    for number in first..first + EACH {
        values.queue.put(value(number))?;
        values.put.atomics()[producer].fetch_add(1, SeqCst);
    }
    Ok(())
}

/// Half of the calls give up soon.
fn consume(values: Values) -> Result<(), Error> {
    for n in 0u64.. {
        let got = match n % 2 {
            0 => values.queue.get(),
            _ => values.queue.get_timeout(Duration::from_micros(n * 7 % 200)),
        };
        match got {
            Err(Error::TimedOut) => continue,
            Err(Error::Closed) => break,
            got => {
                let got = got?;
                assert!(got == value(got.0), "number {} is torn", got.0);
                values.got.atomics()[got.0 as usize].fetch_add(1, SeqCst);
            }
        }
    }
    Ok(())
}

/// As many kills of producers as `KILLS` says, and of consumers.
fn every_value_is_accounted_for() -> Fallible {
    with_manager(|manager, server| {
        let producers = kills() as usize;
        let values = Values {
            queue: manager.queue(20)?,
            put: RawArray::new(producers + 1)?,
            got: RawArray::new((producers + 1) * EACH as usize)?,
        };
        let survivors =
            [server.spawn(consume, values.clone())?, server.spawn(consume, values.clone())?];
        let lasting = server.spawn(produce, (values.clone(), producers))?;
        thread::scope(|scope| {
            let killer = scope.spawn(|| {
                (0..producers as u64).try_for_each(|n| doom(server, consume, values.clone(), n))
            });
            for producer in 0..producers {
                doom(server, produce, (values.clone(), producer), producer as u64)?;
            }
            killer.join().map_err(|_| "it panicked")?.map_err(Box::<dyn StdError>::from)
        })?;
        join(lasting)??;
        values.queue.close()?;
        survivors.into_iter().try_for_each(|survivor| join(survivor)?)?;
        account(&values, producers)
    })
}

fn account(values: &Values, consumers_killed: usize) -> Fallible {
    let (put, got) = (values.put.to_vec(), values.got.to_vec());
    let (mut missing, mut total) = (0, 0);
    for (producer, got) in got.chunks(EACH as usize).enumerate() {
        let (put, not_put) = got.split_at(put[producer] as usize);
        assert!(put.iter().all(|times| *times <= 1), "a value was got twice");
        missing += put.iter().filter(|times| **times == 0).count();
        total += put.len();
        // The call of a killed `put` may have taken effect.
        let more: u32 = not_put.iter().map(|times| u32::from(*times)).sum();
        assert!(more <= u32::from(not_put.first().is_some_and(|times| *times == 1)));
    }
    assert!(missing <= consumers_killed, "{missing} of {total} values are lost");
    assert!(total > consumers_killed, "hardly anything was put: {total}");
    Ok(())
}

/// What a lock protects: two numbers that are equal outside, and who is inside.
#[derive(Clone, Serialize, Deserialize)]
struct Protected {
    lock: LockProxy,
    numbers: RawArray<u32>,
}

/// Goes round under the lock, by each way to take it.
fn go_round((protected, rounds): (Protected, u32)) -> Result<(), Error> {
    let Protected { lock, numbers } = &protected;
    let numbers = numbers.atomics();
    let repair = || {
        numbers[1].store(numbers[0].load(SeqCst), SeqCst);
        numbers[2].store(0, SeqCst);
    };
    for n in 0..rounds {
        let timeout = Duration::from_micros(u64::from(n) * 7 % 200);
        let taken = match n % 3 {
            0 => lock.acquire_or_repair(repair),
            1 => lock.acquire_timeout(timeout),
            _ => lock.acquire(),
        };
        let _guard = match taken {
            Err(Error::TimedOut | Error::OwnerDied) => continue,
            taken => taken?,
        };
        assert_eq!(numbers[2].fetch_add(1, SeqCst), 0, "somebody else is inside");
        let before = numbers[0].fetch_add(1, SeqCst);
        pass(Duration::from_micros(5));
        assert_eq!(numbers[1].fetch_add(1, SeqCst), before, "half changed");
        numbers[2].fetch_sub(1, SeqCst);
    }
    Ok(())
}

fn no_lock_is_lost_and_none_is_held_twice() -> Fallible {
    with_manager(|manager, server| {
        let protected = Protected { lock: manager.lock()?, numbers: RawArray::new(3)? };
        let lasting = server.spawn(go_round, (protected.clone(), 20 * kills() as u32))?;
        for n in 0..kills() {
            doom(server, go_round, (protected.clone(), u32::MAX), n)?;
        }
        join(lasting)??;
        go_round((protected.clone(), 100))?;
        let numbers = protected.numbers.to_vec();
        assert!(numbers[0] == numbers[1] && numbers[0] > 100, "{numbers:?}");
        Ok(())
    })
}

fn hold_and_notify((permits, changed): (SemaphoreProxy, ConditionProxy)) -> Result<(), Error> {
    for n in 0u64.. {
        let _permit = permits.acquire()?;
        let guard = match changed.acquire_or_repair(|| ()) {
            guard if n % 2 == 0 => guard?,
            guard => {
                let timeout = Duration::from_micros(n * 7 % 200);
                match changed.wait_timeout(guard?, timeout) {
                    Err(Error::OwnerDied) => continue,
                    waited => waited?.0,
                }
            }
        };
        changed.notify_one()?;
        drop(guard);
    }
    Ok(())
}

fn permits_and_notifications_come_through() -> Fallible {
    with_manager(|manager, server| {
        let (permits, changed) = (manager.bounded_semaphore(2)?, manager.condition()?);
        let behind: fn(_) -> _ = |(changed, woken): (ConditionProxy, EventProxy)| {
            let guard = changed.acquire_or_repair(|| ())?;
            let waited = changed.wait(guard).map(drop);
            woken.set()?;
            match waited {
                Err(Error::OwnerDied) => Ok(()),
                waited => waited,
            }
        };
        for n in 0..kills() / 2 {
            let woken = manager.event()?;
            let waits = server.spawn(behind, (changed.clone(), woken.clone()))?;
            doom(server, hold_and_notify, (permits.clone(), changed.clone()), n)?;
            doom(server, hold_and_notify, (permits.clone(), changed.clone()), n + 5)?;
            while !woken.wait_timeout(Duration::from_millis(1))? {
                changed.notify_one()?;
            }
            join(waits)??;
        }
        let both = (permits.acquire_timeout(LONG)?, permits.acquire_timeout(LONG)?);
        assert!(matches!(permits.try_acquire(), Err(Error::WouldBlock)));
        drop(both);
        drop(changed.acquire_or_repair(|| ())?);
        Ok(())
    })
}

#[derive(Clone, Serialize, Deserialize)]
struct Objects {
    manager: Manager,
    lists: ListProxy<ListProxy<u32>>,
    pair: ValueProxy<(u32, u32)>,
    own: Shared<(u32, u32)>,
}

/// Makes, fills and drops objects, inside each other, too.
fn change(objects: Objects) -> Result<(), Error> {
    for n in 0u32.. {
        let list = objects.manager.list([n])?;
        objects.lists.push(list.clone())?;
        list.push(n)?;
        objects.pair.update(|(a, b)| (*a += 1, *b += 1))?;
        objects.own.call(|(a, b), ()| (*a += 1, *b += 1), ())?;
        let other = objects.manager.share(list)?;
        other.call(|list, n| list.push(n), n)??;
        if objects.lists.len()? > 10 {
            let _ = objects.lists.pop()?;
        }
    }
    Ok(())
}

fn objects_stay_whole() -> Fallible {
    with_manager(|manager, server| {
        let objects = Objects {
            manager: manager.clone(),
            lists: manager.list([])?,
            pair: manager.value((0, 0))?,
            own: manager.share((0, 0))?,
        };
        for n in 0..2 * kills() {
            doom(server, change, objects.clone(), n)?;
        }
        let (pair, own) = (objects.pair.get()?, objects.own.call(|own, ()| *own, ())?);
        assert!(pair.0 == pair.1 && own.0 == own.1 && own.0 > 0, "{pair:?} {own:?}");
        for list in objects.lists.to_vec()? {
            let list = list.to_vec()?;
            assert!(list.iter().all(|n| *n == list[0]) && list.len() <= 3, "{list:?}");
        }
        Ok(())
    })
}

type Everything = (Objects, QueueProxy<u32>, LockProxy, ConditionProxy, EventProxy, u64);

/// Calls and waits in many ways.
fn use_everything((objects, queue, lock, changed, event, way): Everything) -> Result<(), Error> {
    match way % 6 {
        0 => change(objects),
        1 => event.wait(),
        2 => queue.get().map(drop),
        3 => loop {
            drop(lock.acquire()?);
        },
        4 => changed.wait(changed.acquire()?).map(drop),
        _ => loop {
            queue.put(1)?;
            while queue.get_timeout(Duration::from_micros(50)).is_ok() {}
            queue.len()?;
        },
    }
}

/// A third as many kills of servers as `KILLS` says, each with three clients.
fn nobody_hangs_when_the_server_is_killed() -> Fallible {
    let fork_server = ForkServer::start()?;
    for n in 0..kills() / 3 {
        let manager = Manager::start()?;
        let server = Watch::of_server(&manager)?;
        let objects = Objects {
            manager: manager.clone(),
            lists: manager.list([])?,
            pair: manager.value((0, 0))?,
            own: manager.share((0, 0))?,
        };
        let (queue, lock) = (manager.queue(0)?, manager.lock()?);
        let (changed, event) = (manager.condition()?, manager.event()?);
        let all = |way| {
            let objects = objects.clone();
            (objects, queue.clone(), lock.clone(), changed.clone(), event.clone(), way)
        };
        let clients: Result<Vec<_>, _> =
            (n..n + 3).map(|way| fork_server.spawn(use_everything, all(way))).collect();
        pass(Duration::from_micros(n * 997 % 12_000));
        kill(Pid::from_raw(server.pid as i32), Signal::SIGKILL)?;
        for client in clients? {
            let ended = join(client)?;
            assert!(matches!(ended, Err(Error::ManagerGone)), "{ended:?}");
        }
        assert!(matches!(manager.event(), Err(Error::ManagerGone)));
    }
    Ok(())
}
