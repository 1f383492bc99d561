//! How long objects and servers live: as long as somebody has a proxy.

use multiprocessing::{
    DictProxy, Error, ListProxy, LockProxy, Manager, Process, QueueProxy, Shared, pipe_one_way,
};
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::{ForkResult, Pid, fork};
use std::error::Error as StdError;
use std::process::ExitCode;
use std::thread;
use tests::helper::{self, LONG, SHORT, command, elsewhere, join};
use tests::server::{Tells, Watch, tells};
use tests::{Outcome, helpers, trials};

fn main() -> ExitCode {
    let trials = trials![
        an_object_goes_with_its_last_proxy,
        a_kill_drops_proxies,
        an_object_in_an_object_goes_with_it,
        a_proxy_in_a_message_that_nobody_receives_is_dropped,
        connections_end_with_their_client,
        the_server_outlives_the_manager_for_a_proxy,
        the_server_outlives_its_owner_for_a_proxy,
        the_server_ends_with_a_killed_owner,
        a_child_keeps_the_server,
        a_registered_object_lives_as_long_as_the_server,
    ];
    let alone = helpers![
        the_server_ends_with_the_manager,
        both_sides_of_a_fork_call,
        a_forked_copy_of_a_guard_does_nothing,
    ];
    helper::main(trials, alone, helpers![leave_a_manager_behind])
}

fn an_object_goes_with_its_last_proxy() -> Outcome {
    let manager = Manager::start()?;
    let server = Watch::of_server(&manager)?;
    let (tells, told) = tells()?;
    let shared = manager.share(tells)?;
    let (clone, child) = (shared.clone(), Process::spawn(wait_with, shared.clone())?);
    drop(shared);
    clone.call(|_, ()| (), ())?;
    drop(clone);
    assert!(!told.is_dropped_in(server.pid, 5 * SHORT), "the child has a proxy");
    child.kill()?;
    told.expect_drop_in(server.pid);
    Ok(())
}

fn wait_with(shared: Shared<Tells>) {
    let _shared = shared;
    loop {
        thread::park();
    }
}

fn a_kill_drops_proxies() -> Outcome {
    let manager = Manager::start()?;
    let server = Watch::of_server(&manager)?;
    let (tells, told) = tells()?;
    let make = |(manager, tells): (Manager, Tells)| {
        let _shared = manager.share(tells).expect("the server runs");
        let _ = kill(nix::unistd::getpid(), Signal::SIGKILL);
    };
    let child = Process::spawn(make, (manager.clone(), tells))?;
    told.expect_drop_in(server.pid);
    assert!(matches!(child.join(), Err(Error::Killed { signal: 9 })));
    Ok(())
}

fn an_object_in_an_object_goes_with_it() -> Outcome {
    let manager = Manager::start()?;
    let server = Watch::of_server(&manager)?;
    drop(manager.event()?); // the manager has its connection
    let open = server.open()?;
    let (tells, told) = tells()?;
    let list = manager.list([manager.share(tells)?])?;
    let dict: DictProxy<u32, ListProxy<Shared<Tells>>> = manager.dict()?;
    dict.insert(1, list)?;
    let lists = manager.share(vec![dict])?;
    let found = lists.call(|lists, ()| lists[0].clone(), ())?.get(&1)?.ok_or("it is there")?;
    found.get(0)?.ok_or("it is there")?.call(|_, ()| (), ())?;
    drop(found);
    assert!(!told.is_dropped_in(server.pid, 5 * SHORT));
    drop(lists);
    told.expect_drop_in(server.pid);
    server.expect_open(open);
    Ok(())
}

fn a_proxy_in_a_message_that_nobody_receives_is_dropped() -> Outcome {
    let manager = Manager::start()?;
    let server = Watch::of_server(&manager)?;
    let (tells, told) = tells()?;
    let (receiver, sender) = pipe_one_way::<Shared<Tells>>()?;
    sender.send(manager.share(tells)?)?;
    assert!(!told.is_dropped_in(server.pid, 5 * SHORT), "it is on its way");
    drop((receiver, sender));
    told.expect_drop_in(server.pid);
    Ok(())
}

fn connections_end_with_their_client() -> Outcome {
    let manager = Manager::start()?;
    let server = Watch::of_server(&manager)?;
    let list = manager.list([1])?;
    list.len()?;
    let open = server.open()?;
    for _ in 0..20 {
        elsewhere(|list: ListProxy<i32>| list.len(), list.clone())??;
    }
    let clone = list.clone();
    thread::scope(|scope| {
        (0..10).for_each(|_| drop(scope.spawn(|| clone.len().expect("the server runs"))));
    });
    drop(clone);
    drop(list);
    server.expect_open(open - 2);
    server.expect_threads(2); // the main thread, and that of the manager's connection
    Ok(())
}

/// Alone: a child that another test is just starting has a copy of every descriptor.
fn the_server_ends_with_the_manager() -> Result<(), Box<dyn StdError>> {
    let manager = Manager::start()?;
    let server = Watch::of_server(&manager)?;
    let clone = manager.clone();
    drop(manager);
    let list = clone.list([1])?;
    drop(list);
    drop(clone);
    assert!(server.ends_within(std::time::Duration::ZERO), "its end is waited for");
    assert!(kill(Pid::from_raw(server.pid as i32), None).is_err(), "it is no zombie");
    let never_used = Manager::start()?;
    let server = Watch::of_server(&never_used)?;
    drop(never_used);
    assert!(server.ends_within(std::time::Duration::ZERO));
    Ok(())
}

fn the_server_outlives_the_manager_for_a_proxy() -> Outcome {
    let manager = Manager::start()?;
    let server = Watch::of_server(&manager)?;
    let list = manager.list([1])?;
    drop(manager);
    assert!(!server.ends_within(5 * SHORT));
    assert_eq!(list.to_vec()?, [1]);
    drop(list);
    server.expect_end();
    Ok(())
}

/// A child that starts a manager, and returns an object of it.
fn the_server_outlives_its_owner_for_a_proxy() -> Outcome {
    let start = |()| {
        let manager = Manager::start()?;
        let pid = manager.pid();
        Ok::<_, Error>((manager.list([1])?, pid))
    };
    let (list, pid) = elsewhere(start, ())??;
    let server = Watch::of(pid.ok_or("it has started it")?)?;
    assert_eq!(list.to_vec()?, [1]);
    drop(list);
    server.expect_end();
    Ok(())
}

/// Prints the server's id, and is killed.
fn leave_a_manager_behind() -> Result<(), Box<dyn StdError>> {
    let manager = Manager::start()?;
    let _list = manager.list([1])?;
    println!("{}", manager.pid().ok_or("it was started here")?);
    loop {
        thread::park();
    }
}

fn the_server_ends_with_a_killed_owner() -> Outcome {
    use std::io::BufRead;
    let mut owner =
        command("leave_a_manager_behind").stdout(std::process::Stdio::piped()).spawn()?;
    let mut line = String::new();
    let output = owner.stdout.take().ok_or("it is piped")?;
    std::io::BufReader::new(output).read_line(&mut line)?;
    let server = Watch::of(line.trim().parse()?)?;
    assert!(!server.ends_within(SHORT));
    owner.kill()?;
    owner.wait()?;
    server.expect_end();
    Ok(())
}

fn a_child_keeps_the_server() -> Outcome {
    let manager = Manager::start()?;
    let server = Watch::of_server(&manager)?;
    let (receiver, sender) = pipe_one_way::<()>()?;
    let wait = |(manager, receiver): (Manager, multiprocessing::Receiver<()>)| {
        receiver.recv()?;
        assert!(manager.pid().is_none() && manager.address().is_none());
        manager.list([1u32])?.to_vec()
    };
    let child = Process::spawn(wait, (manager.clone(), receiver))?;
    drop(manager);
    assert!(!server.ends_within(5 * SHORT));
    sender.send(())?;
    assert_eq!(join(child)??, [1]);
    server.expect_end();
    Ok(())
}

fn a_registered_object_lives_as_long_as_the_server() -> Outcome {
    let manager = Manager::start()?;
    let queue: QueueProxy<u32> = manager.queue(0)?;
    queue.put(1)?;
    manager.register("queue", &queue)?;
    drop(queue);
    let find = |manager: Manager| manager.registered::<QueueProxy<u32>>("queue")?.get();
    assert_eq!(elsewhere(find, manager.clone())??, 1);
    assert!(matches!(manager.registered::<LockProxy>("queue"), Err(Error::Decode { .. })));
    let missing = manager.registered::<LockProxy>("none");
    assert!(matches!(missing, Err(Error::NotRegistered { name }) if name == "none"));
    let other = Manager::start()?;
    assert!(matches!(other.register("lock", &manager.lock()?), Err(Error::Decode { .. })));
    manager.register("queue", &manager.lock()?)?;
    drop(manager.registered::<LockProxy>("queue")?.acquire()?);
    Ok(())
}

fn both_sides_of_a_fork_call() -> Result<(), Box<dyn StdError>> {
    let manager = Manager::start()?;
    let (list, server) = (manager.list([0])?, Watch::of_server(&manager)?);
    let mut pushed = list.len()?; // there is a connection, which must not be used by both
    for n in 1..=5 {
        // SAFETY: no other thread runs.
        match unsafe { fork() }? {
            ForkResult::Child => {
                let work = || -> Result<(), Box<dyn StdError>> {
                    let before = server.open()?;
                    list.len()?;
                    assert!(server.open()? > before, "it has a connection of its own");
                    (0..100).try_for_each(|_| list.get(0).map(|got| assert_eq!(got, Some(0))))?;
                    let lock = manager.lock()?;
                    drop(lock.acquire()?);
                    Ok(())
                };
                std::process::exit(i32::from(work().is_err()));
            }
            ForkResult::Parent { child } => {
                while waitpid(child, Some(WaitPidFlag::WNOHANG))? == WaitStatus::StillAlive {
                    list.push(n)?;
                    pushed += 1;
                }
                assert!(list.len()? == pushed && pushed > 1);
            }
        }
    }
    drop((list, manager));
    assert!(server.ends_within(LONG / 4));
    Ok(())
}

fn a_forked_copy_of_a_guard_does_nothing() -> Result<(), Box<dyn StdError>> {
    let manager = Manager::start()?;
    let (lock, permits) = (manager.lock()?, manager.bounded_semaphore(1)?);
    let both = (lock.acquire()?, permits.acquire()?);
    // SAFETY: no other thread runs.
    match unsafe { fork() }? {
        ForkResult::Child => {
            drop(both);
            let still = lock.is_locked().unwrap_or(false)
                && matches!(lock.try_acquire(), Err(Error::WouldBlock));
            drop((lock, permits, manager));
            std::process::exit(i32::from(!still));
        }
        ForkResult::Parent { child } => {
            assert!(matches!(waitpid(child, None)?, WaitStatus::Exited(_, 0)));
        }
    }
    assert!(lock.is_locked()? && permits.available()? == 0);
    drop(both);
    assert!(!lock.is_locked()? && permits.available()? == 1);
    drop(lock.acquire()?);
    Ok(())
}
