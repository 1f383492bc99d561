//! A manager over a network: what differs from one that was started here.

use multiprocessing::{
    Address, Client, Error, Key, ListProxy, LockProxy, Manager, Pool, QueueProxy, Shared, pipe,
};
use std::process::ExitCode;
use std::thread;
use std::time::Duration;
use tempfile::TempDir;
use tests::helper::{self, SHORT, elsewhere};
use tests::server::{KEY, TCP, connect, serve};
use tests::{Outcome, trials};

fn main() -> ExitCode {
    let trials = trials![
        objects_do_the_same,
        values_of_all_kinds_go_through_a_queue,
        registered_objects_are_found,
        named_functions_are_called,
        what_stays_here,
        a_stranger_has_nothing,
        another_version_is_refused,
        proxies_travel_to_children,
        waits_and_time_outs,
        large_values_and_many_threads,
    ];
    helper::main(trials, &[], &[])
}

fn objects_do_the_same() -> Outcome {
    let folder = TempDir::new()?;
    for at in [TCP.into(), Address::from(folder.path().join("socket"))] {
        let manager = Manager::serve(at, KEY)?;
        let remote = connect(manager.address().ok_or("it serves")?)?;
        assert!(remote.pid().is_none() && remote.address().is_none());
        let (list, dict) = (remote.list([1, 2])?, remote.dict::<String, f64>()?);
        list.push(3)?;
        assert_eq!((list.to_vec()?, list.clone().pop()?), (vec![1, 2, 3], Some(3)));
        dict.insert("a".into(), 0.5)?;
        assert_eq!(dict.get("a")?, Some(0.5));
        let (value, names) = (remote.value(1u8)?, remote.namespace()?);
        value.update(|value| *value += 1)?;
        names.set("n", value.get()?)?;
        assert_eq!(names.get::<u8>("n")?, Some(2));
        let (queue, permits) = (remote.queue(1)?, remote.bounded_semaphore(1)?);
        queue.put(1u8)?;
        assert!(queue.is_full()? && permits.acquire()?.forget().is_ok());
        assert_eq!((queue.get()?, permits.available()?), (1, 0));
        let (lock, rlock) = (remote.lock()?, remote.rlock()?);
        let guards = (lock.acquire()?, rlock.acquire()?, rlock.acquire()?);
        assert!(matches!(lock.acquire(), Err(Error::AlreadyHeld)) && rlock.is_locked()?);
        drop(guards);
        assert!(!lock.is_locked()? && !rlock.is_locked()?);
        assert!(remote.barrier(1)?.wait()?.is_leader());
    }
    Ok(())
}

#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
enum Any {
    None,
    Flag(bool),
    Number(f64),
    Text(String),
    Bytes(Vec<u8>),
}

/// Those of CPython's `_TestRemoteManager`.
fn values_of_all_kinds_go_through_a_queue() -> Outcome {
    let texts = ["hello world", "hallå världen", "привіт світ"].map(|text| Any::Text(text.into()));
    let mut values = vec![Any::None, Any::Flag(true), Any::Number(2.25)];
    values.extend(texts);
    values.push(Any::Bytes(b"hall\xe5 v\xe4rlden".to_vec()));
    let (manager, address) = serve()?;
    manager.register("queue", &manager.queue::<Vec<Any>>(0)?)?;
    let put = |(address, values): (Address, Vec<Any>)| -> Result<(), Error> {
        Ok(connect(&address)?.registered::<QueueProxy<Vec<Any>>>("queue")?.put(values)?)
    };
    elsewhere(put, (address.clone(), values.clone()))??;
    assert_eq!(connect(&address)?.registered::<QueueProxy<Vec<Any>>>("queue")?.get()?, values);
    Ok(())
}

fn registered_objects_are_found() -> Outcome {
    let (manager, address) = serve()?;
    let list = manager.list([1])?;
    manager.register("list", &list)?;
    let remotes = [connect(&address)?, connect(&address)?];
    for remote in &remotes {
        remote.registered::<ListProxy<i32>>("list")?.push(2)?;
        let failed = remote.registered::<LockProxy>("list");
        assert!(matches!(failed, Err(Error::Decode { .. })), "{failed:?}");
        let failed = remote.registered::<LockProxy>("none");
        assert!(matches!(failed, Err(Error::NotRegistered { .. })), "{failed:?}");
    }
    assert_eq!(list.to_vec()?, [1, 2, 2]);
    let found = remotes[0].registered::<ListProxy<i32>>("list")?;
    let again = remotes[0].registered::<ListProxy<i32>>("list")?;
    drop(found);
    assert_eq!(again.len()?, 3);
    Ok(())
}

fn named_functions_are_called() -> Outcome {
    let (manager, address) = serve()?;
    manager.register("numbers", &manager.share(vec![1u32])?)?;
    manager.register_function("push", |numbers: &mut Vec<u32>, n: u32| {
        numbers.push(n);
        numbers.len()
    })?;
    manager.register_function("fail", |_: &mut Vec<u32>, ()| -> () { panic!("on purpose") })?;
    let numbers: Shared<Vec<u32>> = connect(&address)?.registered("numbers")?;
    assert_eq!(numbers.call_named::<_, usize>("push", 2u32)?, 2);
    assert!(matches!(numbers.call_named::<_, ()>("no", ()), Err(Error::NotRegistered { .. })));
    assert!(matches!(numbers.call_named::<_, ()>("push", ()), Err(Error::Decode { .. })));
    assert!(matches!(numbers.call_named::<_, ()>("fail", ()), Err(Error::Panicked { .. })));
    assert!(matches!(numbers.call_named::<_, usize>("push", 1u32), Err(Error::Poisoned)));
    Ok(())
}

fn what_stays_here() -> Outcome {
    let (manager, address) = serve()?;
    let own = manager.share(vec![1u32])?;
    manager.register("own", &own)?;
    let remote = connect(&address)?;
    let list = remote.list([1])?;
    assert!(matches!(remote.share(1), Err(Error::NotLocal)));
    assert!(matches!(remote.register("list", &list), Err(Error::NotLocal)));
    assert!(matches!(remote.register_function("f", |_: &mut u8, ()| ()), Err(Error::NotLocal)));
    let far: Shared<Vec<u32>> = remote.registered("own")?;
    assert!(matches!(far.call(|own, ()| own.len(), ()), Err(Error::NotLocal)));
    assert!(matches!(far.call_when(|own, ()| own.pop(), ()), Err(Error::NotLocal)));
    assert!(remote.clone().shutdown().is_err());
    let travels = elsewhere(|_: Manager| (), remote.clone());
    assert!(travels.is_err_and(|error| error.to_string().contains("connect again")));
    // What has a descriptor.
    let (_ours, theirs) = pipe::<u8, u8>()?;
    let queue = remote.queue(0)?;
    let failed = queue.put((Some(theirs), None)).err().ok_or("it was put")?;
    assert!(matches!(failed.error, Error::Encode { .. }), "{failed}");
    assert!(failed.value.0.is_some());
    let failed = queue.put((None, Some(list))).err().ok_or("it was put")?;
    assert!(matches!(failed.error, Error::Encode { .. }), "{failed}");
    queue.put((None, None))?;
    Ok(())
}

fn a_stranger_has_nothing() -> Outcome {
    let (manager, address) = serve()?;
    let failed = Manager::connect(address.clone(), "another key");
    assert!(matches!(failed, Err(Error::Authentication { .. })), "{failed:?}");
    let silent = std::net::TcpStream::connect(address.to_string())?;
    assert_eq!(connect(&address)?.list([1])?.len()?, 1);
    drop(silent);
    // One who has the key, and talks nonsense.
    for nonsense in [&b""[..], b"\xff\xff\xff", &[7; 100_000]] {
        let client = Client::<[u8], [u8]>::connect(address.clone(), KEY)?;
        client.send_bytes(nonsense)?;
        assert!(!client.recv_bytes()?.is_empty(), "it is told so");
        assert!(matches!(client.recv_bytes(), Err(Error::Closed)));
    }
    assert_eq!(manager.list([1])?.len()?, 1);
    Ok(())
}

fn another_version_is_refused() -> Outcome {
    let (_manager, address) = serve()?;
    let client = Client::<(String, u32), Result<(), Error>>::connect(address, KEY)?;
    client.send(("0.0.0".into(), 0))?;
    let answer = client.recv()?;
    assert!(matches!(&answer, Err(Error::Decode { .. })), "{answer:?}");
    assert!(format!("{answer:?}").contains("version 0.0.0"), "{answer:?}");
    Ok(())
}

fn proxies_travel_to_children() -> Outcome {
    let (_manager, address) = serve()?;
    let remote = connect(&address)?;
    let list = remote.list::<u32>([])?;
    let push = |(n, list): (u32, ListProxy<u32>)| list.push(n).map(|()| list);
    let back = elsewhere(push, (0, list.clone()))??;
    let pool = Pool::new(2)?;
    pool.map(push, (1..10).map(|n| (n, list.clone())))?
        .into_iter()
        .collect::<Result<Vec<_>, _>>()?;
    let mut all = back.to_vec()?;
    all.sort();
    assert_eq!(all, (0..10).collect::<Vec<_>>());
    // A child connects by itself.
    let connect = |(address, key): (Address, Key)| Manager::connect(address, key)?.list([5])?.pop();
    assert_eq!(elsewhere(connect, (address, Key::from(KEY)))??, Some(5));
    Ok(())
}

fn waits_and_time_outs() -> Outcome {
    let (_manager, address) = serve()?;
    let remote = connect(&address)?;
    let queue = remote.queue(0)?;
    assert!(matches!(queue.get_timeout(SHORT), Err(Error::TimedOut)));
    thread::scope(|scope| -> Outcome {
        let putter = scope.spawn(|| -> Result<(), Error> {
            for n in 0..2000u32 {
                helper::pass(Duration::from_micros(u64::from(n) % 60));
                queue.put(n)?;
            }
            queue.close()
        });
        let mut got = Vec::new();
        for n in 0u64.. {
            match queue.get_timeout(Duration::from_micros(n * 7 % 200)) {
                Ok(number) => got.push(number),
                Err(Error::TimedOut) => (),
                Err(Error::Closed) => break,
                Err(other) => return Err(other.into()),
            }
        }
        putter.join().expect("no panic")?;
        assert!(got.iter().copied().eq(0..2000), "{} came", got.len());
        Ok(())
    })?;
    let (changed, lock) = (remote.condition()?, remote.lock()?);
    let guard = changed.acquire()?;
    assert!(changed.wait_timeout(guard, SHORT)?.1.timed_out());
    thread::scope(|scope| -> Outcome {
        let other = scope.spawn(|| (0..500).try_for_each(|_| lock.acquire().map(drop)));
        for n in 0..500 {
            match lock.acquire_timeout(Duration::from_micros(n * 7 % 300)) {
                Ok(guard) => drop(guard),
                Err(Error::TimedOut) => (),
                Err(other) => return Err(other.into()),
            }
        }
        Ok(other.join().expect("no panic")?)
    })
}

fn large_values_and_many_threads() -> Outcome {
    let (_manager, address) = serve()?;
    let remote = connect(&address)?;
    let value = remote.value("x".repeat(16 << 20))?;
    assert_eq!(value.get()?.len(), 16 << 20);
    let list = remote.list::<u32>([])?;
    thread::scope(|scope| {
        let push = || (0..50).try_for_each(|n| list.push(n));
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(push)).collect();
        threads.into_iter().try_for_each(|thread| thread.join().expect("no panic"))
    })?;
    assert_eq!(list.len()?, 400);
    Ok(())
}
