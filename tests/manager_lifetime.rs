//! How long objects and servers live, what the end of a server looks like to its clients, and what
//! a server does that has no descriptors or threads left.

use multiprocessing::{
    DictProxy, Error, EventProxy, ListProxy, LockProxy, Manager, Process, QueueProxy, Shared,
    pipe_one_way,
};
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::waitpid;
use nix::unistd::{ForkResult, Pid, fork};
use std::error::Error as StdError;
use std::process::ExitCode;
use std::thread;
use std::time::Instant;
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
        shutdown_ends_it_at_once,
        a_server_can_be_started_after_another,
        a_killed_server_is_told_to_those_who_wait,
        a_killed_server_is_told_to_guards,
        a_stopped_server_does_not_hold_up_the_end,
        ctrl_c_does_not_end_the_server,
        a_user_of_many_threads_and_clones,
        at_most_252_descriptors,
        more_descriptors_than_an_answer_may_have,
        large_values,
        a_thousand_waiters,
        a_registered_object_lives_as_long_as_the_server,
    ];
    let alone = helpers![
        the_server_ends_with_the_manager,
        no_sigpipe,
        both_sides_of_a_fork_call,
        a_forked_copy_of_a_guard_does_nothing,
        a_server_without_descriptors,
        a_server_without_threads,
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
    server.expect_open(open + 10); // those of the threads stay with the proxy
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

fn shutdown_ends_it_at_once() -> Outcome {
    let manager = Manager::start()?;
    let server = Watch::of_server(&manager)?;
    let (list, event) = (manager.list([1])?, manager.event()?);
    let refused = elsewhere(|manager: Manager| manager.shutdown(), manager.clone())?;
    assert!(matches!(refused, Err(Error::System { .. })), "only its owner may");
    let child = Process::spawn(|event: EventProxy| event.wait(), event.clone())?;
    let clone = manager.clone();
    manager.shutdown()?;
    assert!(server.ends_within(std::time::Duration::ZERO));
    assert!(matches!(join(child)?, Err(Error::ManagerGone)));
    assert!(matches!(list.push(1), Err(Error::ManagerGone)));
    assert!(matches!(clone.list([1]), Err(Error::ManagerGone)));
    assert!(clone.shutdown().is_err());
    Ok(())
}

fn a_server_can_be_started_after_another() -> Outcome {
    let mut lists = Vec::new();
    for n in 0..5 {
        lists.push(Manager::start()?.list([n])?);
    }
    for (n, list) in lists.into_iter().enumerate() {
        assert_eq!(list.to_vec()?, [n]);
        list.clear()?;
    }
    Ok(())
}

fn kill_server(manager: &Manager) -> Outcome {
    let server = Watch::of_server(manager)?;
    kill(Pid::from_raw(server.pid as i32), Signal::SIGKILL)?;
    server.expect_end();
    Ok(())
}

fn a_killed_server_is_told_to_those_who_wait() -> Outcome {
    let manager = Manager::start()?;
    let (queue, list) = (manager.queue::<u32>(1)?, manager.list([1])?);
    let (never_used, lock) = (manager.event()?, manager.lock()?);
    queue.put(1)?;
    list.len()?;
    thread::scope(|scope| -> Outcome {
        let event = manager.event()?;
        let waits = [
            scope.spawn(|| queue.put(2).map_err(Error::from)),
            scope.spawn(|| queue.put_timeout(2, LONG).map_err(Error::from)),
            scope.spawn(|| manager.barrier(2)?.wait().map(drop)),
            scope.spawn(move || event.wait()),
            scope.spawn(|| {
                let changed = manager.condition()?;
                changed.wait(changed.acquire()?).map(drop)
            }),
        ];
        thread::sleep(10 * SHORT);
        kill_server(&manager)?;
        for wait in waits {
            let told = wait.join().expect("no panic");
            assert!(matches!(told, Err(Error::ManagerGone)), "{told:?}");
        }
        Ok(())
    })?;
    assert!(matches!(list.len(), Err(Error::ManagerGone)));
    assert!(matches!(list.len(), Err(Error::ManagerGone)));
    assert!(matches!(never_used.set(), Err(Error::ManagerGone)));
    assert!(matches!(lock.try_acquire(), Err(Error::ManagerGone)));
    assert!(matches!(manager.dict::<u8, u8>(), Err(Error::ManagerGone)));
    let told = elsewhere(|list: ListProxy<i32>| list.len(), list)?;
    assert!(matches!(told, Err(Error::ManagerGone)));
    Ok(())
}

fn a_killed_server_is_told_to_guards() -> Outcome {
    let manager = Manager::start()?;
    let (lock, permits) = (manager.lock()?, manager.semaphore(1)?);
    let (guard, permit) = (lock.acquire()?, permits.acquire()?);
    kill_server(&manager)?;
    drop(guard);
    assert!(matches!(permit.forget(), Err(Error::ManagerGone)));
    Ok(())
}

/// With the default action for SIGPIPE, which would end this process.
fn no_sigpipe() -> Result<(), Box<dyn StdError>> {
    use nix::sys::signal::{SigHandler, signal};
    // SAFETY: it installs no handler.
    unsafe { signal(Signal::SIGPIPE, SigHandler::SigDfl) }?;
    a_killed_server_is_told_to_guards().map_err(|_| "a guard")?;
    a_killed_server_is_told_to_those_who_wait().map_err(|_| "a waiter")?;
    Ok(())
}

fn a_stopped_server_does_not_hold_up_the_end() -> Outcome {
    let manager = Manager::start()?;
    let server = Watch::of_server(&manager)?;
    let pid = Pid::from_raw(server.pid as i32);
    kill(pid, Signal::SIGSTOP)?;
    let start = Instant::now();
    drop(manager);
    assert!(start.elapsed() < LONG / 4);
    kill(pid, Signal::SIGCONT)?;
    server.expect_end();
    Ok(())
}

fn ctrl_c_does_not_end_the_server() -> Outcome {
    let manager = Manager::start()?;
    let list = manager.list([1])?;
    let pid = Pid::from_raw(manager.pid().ok_or("it was started here")? as i32);
    kill(pid, Signal::SIGINT)?;
    assert_eq!(list.to_vec()?, [1]);
    Ok(())
}

/// Several threads wait in calls of one proxy, while others call.
fn a_user_of_many_threads_and_clones() -> Outcome {
    let manager = Manager::start()?;
    let queue = manager.queue::<u32>(0)?;
    thread::scope(|scope| -> Outcome {
        let getters: Vec<_> = (0..8).map(|_| scope.spawn(|| queue.get())).collect();
        let putters: Vec<_> = (0..4)
            .map(|n| {
                let queue = queue.clone();
                scope.spawn(move || -> Result<(), Error> {
                    for m in 0..100 {
                        queue.len()?;
                        queue.put(n * 100 + m)?;
                    }
                    Ok(())
                })
            })
            .collect();
        putters.into_iter().try_for_each(|putter| putter.join().expect("no panic"))?;
        let mut got: Vec<u32> = Vec::new();
        for getter in getters {
            got.push(getter.join().expect("no panic")?);
        }
        while let Ok(value) = queue.try_get() {
            got.push(value);
        }
        got.sort();
        assert_eq!(got, (0..400).collect::<Vec<_>>());
        Ok(())
    })
}

fn at_most_252_descriptors() -> Outcome {
    let manager = Manager::start()?;
    let event = manager.event()?;
    let many = |count| vec![event.clone(); count];
    let queue = manager.queue(0)?;
    queue.put(many(252))?;
    assert_eq!(queue.get()?.len(), 252);
    let failed = queue.put(many(253)).err().ok_or("it was put")?;
    assert!(matches!(failed.error, Error::Encode { .. }), "{failed}");
    assert_eq!(failed.value.len(), 253);
    assert!(queue.is_empty()?);
    assert!(matches!(manager.list([many(253)]), Err(Error::Encode { .. })));
    assert!(matches!(manager.share(many(253)), Err(Error::Encode { .. })));
    let shared = manager.share(many(251))?; // one more goes with it: that of the new object
    assert_eq!(shared.call(|all, ()| all.len(), ())?, 251);
    Ok(())
}

/// Each went in alone.
fn more_descriptors_than_an_answer_may_have() -> Outcome {
    let manager = Manager::start()?;
    let (event, list) = (manager.event()?, manager.list::<EventProxy>([])?);
    for _ in 0..300 {
        list.push(event.clone())?;
    }
    let failed = list.to_vec();
    assert!(matches!(failed, Err(Error::Encode { .. })), "{failed:?}");
    assert_eq!((list.slice(..252)?.len(), list.len()?), (252, 300));
    let all = manager.share(Vec::<EventProxy>::new())?;
    for _ in 0..300 {
        all.call(|all, event| all.push(event), event.clone())?;
    }
    let failed = all.call(|all, ()| all.clone(), ());
    assert!(matches!(failed, Err(Error::Encode { .. })), "{failed:?}");
    thread::scope(|scope| -> Outcome {
        let waiting =
            scope.spawn(|| all.call_when(|all, ()| (all.len() > 300).then(|| all.clone()), ()));
        thread::sleep(5 * SHORT);
        all.call(|all, event| all.push(event), event.clone())?;
        let failed = waiting.join().expect("no panic");
        assert!(matches!(failed, Err(Error::Encode { .. })), "{failed:?}");
        Ok(())
    })
}

fn large_values() -> Outcome {
    let manager = Manager::start()?;
    let value = manager.value(String::new())?;
    let large = "x".repeat(64 << 20);
    value.set(large.clone())?;
    let length = |value: ValueOf| value.get().map(|value| value.len());
    assert_eq!(elsewhere(length, value.clone())??, 64 << 20);
    let queue = manager.queue::<String>(0)?;
    thread::scope(|scope| -> Outcome {
        let waiting = scope.spawn(|| queue.get());
        thread::sleep(5 * SHORT);
        queue.put(large)?;
        assert_eq!(waiting.join().expect("no panic")?.len(), 64 << 20);
        Ok(())
    })
}

type ValueOf = multiprocessing::ValueProxy<String>;

/// Their number decides how long it takes, not its square.
fn a_thousand_waiters() -> Outcome {
    let manager = Manager::start()?;
    let queue = manager.queue::<u32>(0)?;
    let time = |count: u32| -> Result<std::time::Duration, Error> {
        thread::scope(|scope| {
            let small = || thread::Builder::new().stack_size(64 << 10);
            let waiting: Vec<_> = (0..count)
                .map(|_| small().spawn_scoped(scope, || queue.get()).expect("there is room"))
                .collect();
            thread::sleep(30 * SHORT);
            let start = Instant::now();
            (0..count).try_for_each(|n| queue.put(n))?;
            let mut got = Vec::new();
            for thread in waiting {
                got.push(thread.join().expect("no panic")?);
            }
            let time = start.elapsed();
            got.sort();
            assert_eq!(got, (0..count).collect::<Vec<_>>());
            Ok(time)
        })
    };
    let (few, many) = (time(100)?, time(1000)?);
    assert!(many < 60 * few + 100 * SHORT, "100 take {few:?}, 1000 take {many:?}");
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
    let server = Watch::of_server(&manager)?;
    let list = manager.list([0])?;
    list.len()?; // there is a connection
    for n in 1..=20 {
        // SAFETY: no other thread runs.
        match unsafe { fork() }? {
            ForkResult::Child => {
                let pushed = list.push(n).and_then(|()| manager.lock()?.acquire().map(drop));
                std::process::exit(i32::from(pushed.is_err()));
            }
            ForkResult::Parent { child } => {
                list.push(n)?;
                assert!(matches!(waitpid(child, None)?, nix::sys::wait::WaitStatus::Exited(_, 0)));
            }
        }
    }
    let mut all = list.to_vec()?;
    all.sort();
    assert_eq!(all.len(), 41);
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
            assert!(matches!(waitpid(child, None)?, nix::sys::wait::WaitStatus::Exited(_, 0)));
        }
    }
    assert!(lock.is_locked()? && permits.available()? == 0);
    drop(both);
    assert!(!lock.is_locked()? && permits.available()? == 1);
    drop(lock.acquire()?);
    Ok(())
}

/// Limits the server.
fn limit(
    manager: &Manager,
    resource: libc::__rlimit_resource_t,
    now: u64,
) -> Result<(), Box<dyn StdError>> {
    let pid = manager.pid().ok_or("it was started here")? as i32;
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: `limit` is a local variable, and nothing is read.
    unsafe { libc::prlimit(pid, resource, std::ptr::null(), &mut limit) };
    limit.rlim_cur = now.min(limit.rlim_max);
    // SAFETY: `limit` is a local variable, and nothing is written.
    match unsafe { libc::prlimit(pid, resource, &limit, std::ptr::null_mut()) } {
        0 => Ok(()),
        _ => Err(std::io::Error::last_os_error().into()),
    }
}

fn a_server_without_descriptors() -> Result<(), Box<dyn StdError>> {
    let manager = Manager::start()?;
    let (list, server) = (manager.list([1])?, Watch::of_server(&manager)?);
    list.len()?;
    limit(&manager, libc::RLIMIT_NOFILE, server.open()? as u64 + 20)?;
    let mut objects: Vec<_> = (0..30).map_while(|_| manager.event().ok()).collect();
    assert!(objects.len() < 30);
    let failed = manager.event().err().ok_or("it was made")?;
    assert!(matches!(failed, Error::System { .. }), "{failed}");
    let failed = objects[0].set();
    assert!(matches!(failed, Err(Error::System { .. })), "{failed:?}");
    let failed = elsewhere(|list: ListProxy<i32>| list.len(), list.clone())?;
    assert!(matches!(failed, Err(Error::System { .. })), "{failed:?}");
    assert_eq!(list.len()?, 1, "others go on");
    let large = vec![7; 100_000];
    list.extend(large)?; // the request has a descriptor, and so has the answer
    assert_eq!(list.to_vec()?.len(), 100_001);
    objects.truncate(10);
    let start = Instant::now();
    while manager.event().and_then(|event| event.set()).is_err() {
        assert!(start.elapsed() < LONG);
    }
    Ok(())
}

fn a_server_without_threads() -> Result<(), Box<dyn StdError>> {
    let manager = Manager::start()?;
    let list = manager.list([1])?;
    list.len()?;
    limit(&manager, libc::RLIMIT_AS, 1)?; // no room for a stack
    let failed = elsewhere(|list: ListProxy<i32>| list.len(), list.clone())?;
    assert!(matches!(failed, Err(Error::System { .. })), "{failed:?}");
    assert_eq!(list.len()?, 1, "others go on");
    limit(&manager, libc::RLIMIT_AS, libc::RLIM_INFINITY)?;
    assert_eq!(elsewhere(|list: ListProxy<i32>| list.len(), list.clone())??, 1);
    Ok(())
}
