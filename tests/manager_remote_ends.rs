//! A manager over a network: the end of a session, of a client and of the server.

use multiprocessing::{
    Address, ConditionProxy, DictProxy, Error, EventProxy, ListProxy, LockProxy, Manager, Process,
    QueueProxy, Sender, Shared, ValueProxy, pipe_one_way,
};
use nix::sys::signal::{SigHandler, Signal, kill, signal};
use nix::unistd::Pid;
use std::error::Error as StdError;
use std::process::ExitCode;
use std::thread;
use std::time::Instant;
use tempfile::TempDir;
use tests::helper::{self, LONG, SHORT, elsewhere, join};
use tests::server::{KEY, TCP, Tells, Watch, connect, serve, tells};
use tests::{Outcome, helpers, trials};

fn main() -> ExitCode {
    let trials = trials![
        a_session_lives_as_long_as_a_proxy_in_a_child,
        a_session_takes_its_objects_along,
        the_end_of_a_session_drops_what_it_has_found,
        a_killed_clients_lock_says_so,
        a_killed_waiter_takes_nothing,
        a_killed_server_is_told,
        a_stopped_client_holds_up_nobody,
        an_address_in_use_is_an_error,
        an_address_is_free_again_at_once,
        the_socket_file_goes_with_the_server,
    ];
    helper::main(trials, helpers![what_a_session_leaves, a_killed_server_is_no_signal], &[])
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

fn the_end_of_a_session_drops_what_it_has_found() -> Outcome {
    let (manager, address) = serve()?;
    let server = Watch::of_server(&manager)?;
    let (tells, told) = tells()?;
    manager.register("own", &manager.share(tells)?)?;
    let remote = connect(&address)?;
    let found = remote.registered::<Shared<Tells>>("own")?;
    manager.register("own", &manager.event()?)?;
    assert!(!told.is_dropped_in(server.pid, 5 * SHORT), "the session has it");
    drop((remote, found));
    told.expect_drop_in(server.pid);
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
    let get = |(address, tells): (Address, Option<Sender<()>>)| -> Result<u32, Error> {
        let queue = connect(&address)?.registered::<QueueProxy<u32>>("queue")?;
        tells.map_or(Ok(()), |tells| tells.send(()))?;
        queue.get()
    };
    let (told, tells) = pipe_one_way()?;
    let child = Process::spawn(get, (address.clone(), Some(tells)))?;
    told.recv()?;
    Watch::of_server(&manager)?.expect_waiter(child.pid())?;
    child.kill()?;
    assert!(child.join().is_err());
    queue.put(1)?;
    assert_eq!(get((address, None))?, 1);
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
    for _ in 0..3 {
        let told = remote.event();
        assert!(matches!(told, Err(Error::ManagerGone)), "{told:?}");
    }
    server.expect_end();
    let told = list.len(); // it has no connection
    assert!(matches!(told, Err(Error::ManagerGone)), "{told:?}");
    assert!(connect(&address).is_err());
    Ok(())
}

/// With the default action for SIGPIPE, which would end this process.
fn a_killed_server_is_no_signal() -> Result<(), Box<dyn StdError>> {
    // SAFETY: it installs no handler.
    unsafe { signal(Signal::SIGPIPE, SigHandler::SigDfl) }?;
    a_killed_server_is_told().map_err(|_| "it is not told")?;
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
    let get = |(address, tells): (Address, Sender<()>)| -> Result<usize, Error> {
        let queue = connect(&address)?.registered::<QueueProxy<String>>("queue")?;
        tells.send(())?;
        queue.get().map(|value| value.len())
    };
    let (told, tells) = pipe_one_way()?;
    let gets = Process::spawn(get, (address.clone(), tells))?;
    told.recv()?;
    Watch::of_server(&manager)?.expect_waiter(gets.pid())?;
    let reads = Process::spawn(read, address.clone())?;
    thread::sleep(30 * SHORT); // if it has not begun by then, the test proves less
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
    let unused = connect(&address)?.list([1])?;
    manager.shutdown()?;
    let manager = Manager::serve(address.clone(), KEY)?;
    assert_eq!(connect(&address)?.list([1])?.len()?, 1);
    for told in [queue.len(), unused.len()] {
        assert!(matches!(told, Err(Error::ManagerGone)), "their sessions were the other server's");
    }
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
