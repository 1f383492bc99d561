//! A manager over a network: what differs from one that was started here.

use multiprocessing::{
    Address, Client, ConditionProxy, DictProxy, Error, EventProxy, Key, ListProxy, LockProxy,
    Manager, Pool, Process, QueueProxy, Shared, ValueProxy, pipe,
};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::error::Error as StdError;
use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tests::helper::{self, LONG, SHORT, elsewhere, join};
use tests::server::Watch;
use tests::{Outcome, helpers, trials};

fn main() -> ExitCode {
    let trials = trials![
        objects_do_the_same,
        registered_objects_are_found,
        named_functions_are_called,
        what_stays_here,
        a_stranger_has_nothing,
        another_version_is_refused,
        proxies_travel_to_children,
        a_session_lives_as_long_as_a_proxy_in_a_child,
        a_session_takes_its_objects_along,
        a_killed_clients_lock_says_so,
        a_killed_waiter_takes_nothing,
        a_killed_server_is_told,
        a_stopped_client_holds_up_nobody,
        waits_and_time_outs,
        large_values_and_many_threads,
        an_address_in_use_is_an_error,
        an_address_is_free_again_at_once,
        the_socket_file_goes_with_the_server,
    ];
    helper::main(trials, helpers![what_a_session_leaves], &[])
}

const TCP: &str = "127.0.0.1:0";
const KEY: &str = "the key of these tests";

fn serve() -> Result<(Manager, Address), Error> {
    let manager = Manager::serve(TCP, KEY)?;
    let address = manager.address().expect("it serves").clone();
    Ok((manager, address))
}

fn connect(address: &Address) -> Result<Manager, Error> {
    Manager::connect(address.clone(), KEY)
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

fn a_session_lives_as_long_as_a_proxy_in_a_child() -> Outcome {
    let (_manager, address) = serve()?;
    let remote = connect(&address)?;
    let (list, go) = (remote.list([1])?, connect(&address)?.event()?);
    let later = |(list, go): (ListProxy<i32>, EventProxy)| -> Result<Vec<i32>, Error> {
        go.wait()?;
        list.to_vec()
    };
    let child = Process::spawn(later, (list.clone(), go.clone()))?;
    drop((remote, list));
    go.set()?;
    assert_eq!(join(child)??, [1]);
    Ok(())
}

/// Alone, because it counts descriptors of the server.
fn what_a_session_leaves() -> Result<(), Box<dyn StdError>> {
    let (manager, address) = serve()?;
    let server = Watch::of_server(&manager)?;
    drop((manager.event()?, connect(&address)?.event()?));
    server.expect_threads(3); // and that of the listener
    let open = server.open()?;
    for n in 0..30 {
        let remote = connect(&address)?;
        let list = remote.list([n])?;
        list.push(1)?;
        let work = |(address, list): (Address, ListProxy<i32>)| -> Result<(), Error> {
            list.push(2)?;
            let dict: DictProxy<i32, i32> = Manager::connect(address, KEY)?.dict()?;
            dict.insert(1, 1).map(drop)
        };
        elsewhere(work, (address.clone(), list))??;
    }
    server.expect_open(open);
    server.expect_threads(3);
    drop(manager);
    assert!(server.ends_within(LONG / 4));
    Ok(())
}

fn a_session_takes_its_objects_along() -> Outcome {
    let (manager, address) = serve()?;
    let remote = connect(&address)?;
    let list = remote.list([1])?;
    drop(remote);
    assert_eq!(list.len()?, 1, "a proxy is enough");
    drop((manager, connect(&address)?));
    let start = Instant::now();
    while list.len().is_ok() {
        assert!(start.elapsed() < LONG, "the server has nobody in its machine, and ends");
    }
    assert!(matches!(list.len(), Err(Error::ManagerGone | Error::System { .. })));
    Ok(())
}

fn a_killed_clients_lock_says_so() -> Outcome {
    let (manager, address) = serve()?;
    let (lock, held) = (manager.lock()?, manager.event()?);
    manager.register("lock", &lock)?;
    let hold = |(address, held): (Address, EventProxy)| -> Result<(), Error> {
        let lock = Manager::connect(address, KEY)?.registered::<LockProxy>("lock")?;
        let _guard = lock.acquire()?;
        held.set()?;
        loop {
            thread::park();
        }
    };
    let child = Process::spawn(hold, (address, held.clone()))?;
    assert!(held.wait_timeout(LONG)?);
    assert!(matches!(lock.try_acquire(), Err(Error::WouldBlock)));
    child.kill()?;
    assert!(matches!(lock.acquire_timeout(LONG), Err(Error::OwnerDied)));
    drop(lock.acquire_or_repair(|| ())?);
    Ok(())
}

fn a_killed_waiter_takes_nothing() -> Outcome {
    let (manager, address) = serve()?;
    let queue = manager.queue::<u32>(0)?;
    manager.register("queue", &queue)?;
    let get = |address: Address| -> Result<u32, Error> {
        Manager::connect(address, KEY)?.registered::<QueueProxy<u32>>("queue")?.get()
    };
    let child = Process::spawn(get, address.clone())?;
    assert!(!child.wait_timeout(20 * SHORT));
    child.kill()?;
    assert!(child.join().is_err());
    queue.put(1)?;
    assert_eq!(get(address)?, 1);
    Ok(())
}

fn a_killed_server_is_told() -> Outcome {
    let (manager, address) = serve()?;
    let server = Watch::of_server(&manager)?;
    let remote = connect(&address)?;
    let (event, list, idle) = (remote.event()?, remote.list([1])?, remote.list([1])?);
    let changed: ConditionProxy = remote.condition()?;
    idle.len()?;
    let guard = changed.acquire()?;
    thread::scope(|scope| -> Outcome {
        let waits = scope.spawn(|| event.wait());
        thread::sleep(5 * SHORT);
        kill(Pid::from_raw(server.pid as i32), Signal::SIGKILL)?;
        let told = waits.join().expect("no panic");
        assert!(matches!(told, Err(Error::ManagerGone)), "{told:?}");
        Ok(())
    })?;
    let told = changed.wait(guard);
    assert!(matches!(told, Err(Error::ManagerGone)), "{told:?}");
    let told = idle.len();
    assert!(matches!(told, Err(Error::ManagerGone)), "{told:?}");
    let told = remote.event();
    assert!(matches!(told, Err(Error::ManagerGone)), "{told:?}");
    let told = list.len();
    assert!(matches!(told, Err(Error::ManagerGone | Error::System { .. })), "{told:?}");
    assert!(connect(&address).is_err());
    Ok(())
}

/// It has stopped in the middle of a long answer, or before one.
fn a_stopped_client_holds_up_nobody() -> Outcome {
    const LENGTH: usize = 16 << 20; // more than the buffers of a connection hold
    let (manager, address) = serve()?;
    let (value, queue) = (manager.value("x".repeat(LENGTH))?, manager.queue::<String>(0)?);
    manager.register("value", &value)?;
    manager.register("queue", &queue)?;
    let read = |address: Address| -> Result<(), Error> {
        let value = Manager::connect(address, KEY)?.registered::<ValueProxy<String>>("value")?;
        loop {
            value.get()?;
        }
    };
    let get = |address: Address| -> Result<usize, Error> {
        let queue = Manager::connect(address, KEY)?.registered::<QueueProxy<String>>("queue")?;
        queue.get().map(|value| value.len())
    };
    let (reads, gets) =
        (Process::spawn(read, address.clone())?, Process::spawn(get, address.clone())?);
    thread::sleep(30 * SHORT);
    let pids = [reads.pid(), gets.pid()].map(|pid| Pid::from_raw(pid as i32));
    pids.into_iter().try_for_each(|pid| kill(pid, Signal::SIGSTOP))?;
    queue.put("y".repeat(LENGTH))?;
    assert!(queue.is_empty()?, "it was given to the one that waits");
    assert_eq!(value.get()?.len(), LENGTH);
    assert_eq!(connect(&address)?.registered::<ValueProxy<String>>("value")?.get()?.len(), LENGTH);
    kill(pids[1], Signal::SIGCONT)?;
    assert_eq!(join(gets)??, LENGTH);
    reads.kill()?;
    assert!(reads.join().is_err());
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

fn an_address_in_use_is_an_error() -> Outcome {
    let (_manager, address) = serve()?;
    let failed = Manager::serve(address, KEY);
    assert!(matches!(failed, Err(Error::System { .. })), "{failed:?}");
    assert!(Manager::serve(TCP, "").is_err(), "an empty key");
    assert!(Manager::connect("/no/such/socket", KEY).is_err());
    Ok(())
}

fn an_address_is_free_again_at_once() -> Outcome {
    let (manager, address) = serve()?;
    manager.register("queue", &manager.queue::<String>(0)?)?;
    let put = |address: Address| -> Result<(), Error> {
        let queue = Manager::connect(address, KEY)?.registered::<QueueProxy<String>>("queue")?;
        Ok(queue.put("hello world".into())?)
    };
    elsewhere(put, address.clone())??;
    let queue = connect(&address)?.registered::<QueueProxy<String>>("queue")?;
    assert_eq!(queue.get()?, "hello world");
    manager.shutdown()?;
    let manager = Manager::serve(address.clone(), KEY)?;
    assert_eq!(connect(&address)?.list([1])?.len()?, 1);
    assert!(matches!(queue.len(), Err(Error::ManagerGone)), "its session was the other server's");
    drop(manager);
    Ok(())
}

fn the_socket_file_goes_with_the_server() -> Outcome {
    let folder = TempDir::new()?;
    let path = folder.path().join("socket");
    let manager = Manager::serve(path.clone(), KEY)?;
    assert!(path.exists());
    let remote = connect(&path.clone().into())?;
    assert_eq!(remote.list([1])?.len()?, 1);
    let server = Watch::of_server(&manager)?;
    drop((remote, manager));
    server.expect_end();
    assert!(!path.exists());
    Ok(())
}
