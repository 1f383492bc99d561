//! A manager's server with much to do, and one without descriptors, threads or room in a message.

use multiprocessing::{Error, EventProxy, ListProxy, Manager};
use std::error::Error as StdError;
use std::process::ExitCode;
use std::thread;
use std::time::Instant;
use tests::helper::{self, LONG, SHORT, elsewhere};
use tests::server::Watch;
use tests::{Outcome, helpers, trials};

fn main() -> ExitCode {
    let trials = trials![
        a_user_of_many_threads_and_clones,
        at_most_252_descriptors,
        more_descriptors_than_an_answer_may_have,
        large_values,
        a_thousand_waiters,
    ];
    helper::main(trials, helpers![a_server_without_descriptors, a_server_without_threads], &[])
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
    let large = "x".repeat(8 << 20);
    value.set(large.clone())?;
    let length = |value: ValueOf| value.get().map(|value| value.len());
    assert_eq!(elsewhere(length, value.clone())??, 8 << 20);
    let queue = manager.queue::<String>(0)?;
    thread::scope(|scope| -> Outcome {
        let waiting = scope.spawn(|| queue.get());
        thread::sleep(5 * SHORT);
        queue.put(large)?;
        assert_eq!(waiting.join().expect("no panic")?.len(), 8 << 20);
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
    let most = server.open()? as u64 + 20;
    limit(&manager, libc::RLIMIT_NOFILE, most)?;
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
    limit(&manager, libc::RLIMIT_NOFILE, 5)?; // not even one to receive a connection
    let said = format!("{:?}", objects[0].set());
    assert!(said.contains("its server has no room"), "{said}");
    limit(&manager, libc::RLIMIT_NOFILE, most)?;
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
    let said = format!("{failed:?}");
    assert!(said.contains("start a thread"), "{said}");
    assert_eq!(list.len()?, 1, "others go on");
    limit(&manager, libc::RLIMIT_AS, libc::RLIM_INFINITY)?;
    assert_eq!(elsewhere(|list: ListProxy<i32>| list.len(), list.clone())??, 1);
    Ok(())
}
