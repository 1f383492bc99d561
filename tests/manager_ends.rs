//! What the end of a manager's server looks like to its clients: shut down, killed, stopped, by Ctrl-C.

use multiprocessing::{Error, EventProxy, ListProxy, Manager, Process};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::process::ExitCode;
use std::thread;
use std::time::Instant;
use tests::helper::{self, LONG, SHORT, elsewhere, join};
use tests::server::Watch;
use tests::{Outcome, trials};

fn main() -> ExitCode {
    let trials = trials![
        shutdown_ends_it_at_once,
        shutdown_ends_a_list_that_holds_itself,
        a_server_can_be_started_after_another,
        a_killed_server_is_told_to_those_who_wait,
        a_killed_server_is_told_to_guards,
        a_stopped_server_does_not_hold_up_the_end,
        ctrl_c_does_not_end_the_server,
    ];
    helper::main(trials, &[], &[])
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

/// Nothing else does.
fn shutdown_ends_a_list_that_holds_itself() -> Outcome {
    #[derive(serde::Serialize, serde::Deserialize)]
    struct Itself(ListProxy<Itself>);
    let manager = Manager::start()?;
    let server = Watch::of_server(&manager)?;
    let list = manager.list::<Itself>([])?;
    list.push(Itself(list.clone()))?;
    assert_eq!(list.get(0)?.ok_or("it is there")?.0.len()?, 1);
    drop(list);
    manager.shutdown()?;
    server.expect_end();
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
