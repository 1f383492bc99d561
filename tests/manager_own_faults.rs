//! Values of the program's own types that panic, never return, or call others in their
//! destructors: what that does to the other objects and to the server.

use multiprocessing::{
    Error, EventProxy, ListProxy, Manager, Process, QueueProxy, Sender, Shared, pipe_one_way,
};
use serde::{Deserialize, Deserializer, Serialize};
use std::process::ExitCode;
use std::thread;
use tests::helper::{self, LONG, SHORT};
use tests::server::{Watch, tells};
use tests::{Outcome, trials};

fn main() -> ExitCode {
    let trials = trials![
        a_value_that_panics_when_it_is_decoded_harms_nothing_else,
        arguments_that_panic_when_they_are_decoded_harm_nothing,
        a_destructor_that_panics_harms_nothing_else,
        a_destructor_may_call_another_object,
        a_destructor_that_never_returns_harms_nothing_else,
        a_replaced_names_destructor_may_use_names,
        a_destructor_runs_before_the_server_ends,
        a_call_that_never_returns_holds_up_its_object_alone,
        a_call_that_loops_ends_with_its_clients,
    ];
    helper::main(trials, &[], &[])
}

/// Panics when it is decoded.
#[derive(Serialize)]
struct Explosive;

impl<'de> Deserialize<'de> for Explosive {
    fn deserialize<D: Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
        panic!("a decoder's fault")
    }
}

fn a_value_that_panics_when_it_is_decoded_harms_nothing_else() -> Outcome {
    let manager = Manager::start()?;
    assert!(matches!(manager.share(Explosive), Err(Error::Panicked { .. })));
    assert!(manager.list([1])?.len()? == 1, "the manager makes other objects");
    Ok(())
}

fn arguments_that_panic_when_they_are_decoded_harm_nothing() -> Outcome {
    let manager = Manager::start()?;
    let number = manager.share(1u32)?;
    let failed = number.call(|_, _: Explosive| (), Explosive);
    assert!(matches!(failed, Err(Error::Panicked { .. })), "{failed:?}");
    assert_eq!(number.call(|number, ()| *number, ())?, 1);
    Ok(())
}

/// Panics in its destructor, if it is not in the process that made it.
#[derive(Serialize, Deserialize)]
struct Bomb(u32);

impl Drop for Bomb {
    fn drop(&mut self) {
        assert_eq!(self.0, std::process::id(), "a destructor's fault");
    }
}

fn a_destructor_that_panics_harms_nothing_else() -> Outcome {
    let manager = Manager::start()?;
    let list = manager.list([1])?;
    let server = Watch::of_server(&manager)?;
    let open = server.open()?;
    drop(manager.share(Bomb(std::process::id()))?);
    server.expect_open(open);
    let kept = manager.share(Some(Bomb(std::process::id())))?;
    let failed = kept.call(|kept, ()| drop(kept.take()), ());
    assert!(matches!(failed, Err(Error::Panicked { .. })));
    drop(kept);
    assert_eq!(list.len()?, 1);
    assert_eq!(manager.list([1, 2])?.len()?, 2);
    Ok(())
}

/// Pushes to a list when it is dropped in the server.
#[derive(Serialize, Deserialize)]
struct Notes(ListProxy<u32>, u32);

impl Drop for Notes {
    fn drop(&mut self) {
        if self.1 != std::process::id() {
            self.0.push(1).expect("the list is there");
        }
    }
}

fn a_destructor_may_call_another_object() -> Outcome {
    let manager = Manager::start()?;
    let (list, queue) = (manager.list([0])?, manager.queue(0)?);
    drop(manager.share((Notes(list.clone(), std::process::id()), tells_queue(&queue)?))?);
    queue.get_timeout(LONG)?;
    assert_eq!(list.to_vec()?, [0, 1]);
    Ok(())
}

/// Puts into a queue when it is dropped in the server.
#[derive(Serialize, Deserialize)]
struct Puts(QueueProxy<u32>, u32);

impl Drop for Puts {
    fn drop(&mut self) {
        if self.1 != std::process::id() {
            self.0.put(1).expect("the queue is there");
        }
    }
}

fn tells_queue(queue: &QueueProxy<u32>) -> Result<Puts, Error> {
    Ok(Puts(queue.clone(), std::process::id()))
}

/// Never returns from its destructor in the server.
#[derive(Serialize, Deserialize)]
struct Stays(u32);

impl Drop for Stays {
    fn drop(&mut self) {
        while self.0 != std::process::id() {
            thread::park();
        }
    }
}

fn a_destructor_that_never_returns_harms_nothing_else() -> Outcome {
    let manager = Manager::start()?;
    let server = Watch::of_server(&manager)?;
    let value = manager.share(Stays(std::process::id()))?;
    let (tells, told) = tells()?;
    let other = manager.share(tells)?;
    drop((value, other));
    told.expect_drop_in(server.pid);
    assert_eq!(manager.list([1, 2])?.len()?, 2);
    manager.shutdown()?;
    server.expect_end();
    Ok(())
}

/// Looks up a name when it is dropped in the server.
#[derive(Serialize, Deserialize)]
struct LooksUp(Manager, u32);

impl Drop for LooksUp {
    fn drop(&mut self) {
        if self.1 != std::process::id() {
            self.0
                .registered::<QueueProxy<u32>>("queue")
                .and_then(|queue| Ok(queue.put(5)?))
                .expect("it is there");
        }
    }
}

fn a_replaced_names_destructor_may_use_names() -> Outcome {
    let manager = Manager::start()?;
    let queue = manager.queue::<u32>(0)?;
    manager.register("queue", &queue)?;
    manager.register("own", &manager.share(LooksUp(manager.clone(), std::process::id()))?)?;
    manager.register("own", &manager.share(1u8)?)?;
    assert_eq!(queue.get_timeout(LONG)?, 5);
    assert_eq!(manager.list([1, 2])?.len()?, 2);
    Ok(())
}

fn a_destructor_runs_before_the_server_ends() -> Outcome {
    let manager = Manager::start()?;
    let server = Watch::of_server(&manager)?;
    let (tells, told) = tells()?;
    let slow = manager.share((Slow, tells))?;
    drop((slow, manager));
    server.expect_end();
    told.expect_drop_in(server.pid);
    Ok(())
}

/// Its destructor takes its time.
#[derive(Serialize, Deserialize)]
struct Slow;

impl Drop for Slow {
    fn drop(&mut self) {
        thread::sleep(10 * SHORT);
    }
}

fn a_call_that_never_returns_holds_up_its_object_alone() -> Outcome {
    let manager = Manager::start()?;
    let (stuck, other, begun) = (manager.share(0)?, manager.share(1)?, manager.event()?);
    let stay = |(stuck, begun): (Shared<i32>, EventProxy)| {
        let forever = |_: &mut i32, begun: EventProxy| {
            begun.set().expect("the event is there");
            loop {
                thread::park();
            }
        };
        stuck.call::<_, ()>(forever, begun)
    };
    let child = Process::spawn(stay, (stuck.clone(), begun.clone()))?;
    assert!(begun.wait_timeout(LONG)?);
    assert_eq!(other.call(|other, ()| *other, ())?, 1);
    assert_eq!(manager.list([1, 2])?.len()?, 2);
    child.kill()?;
    assert!(child.join().is_err());
    assert_eq!(manager.share(3)?.call(|three, ()| *three, ())?, 3);
    drop(stuck);
    manager.shutdown()?;
    Ok(())
}

/// The server ends, although one of its threads never does.
fn a_call_that_loops_ends_with_its_clients() -> Outcome {
    let manager = Manager::start()?;
    let server = Watch::of_server(&manager)?;
    let (receiver, sender) = pipe_one_way::<()>()?;
    let stay = |(manager, begun): (Manager, Sender<()>)| {
        let forever = |_: &mut i32, begun: Sender<()>| {
            begun.send(()).expect("the test receives");
            loop {
                thread::park();
            }
        };
        manager.share(1).and_then(|stuck| stuck.call::<_, ()>(forever, begun))
    };
    let child = Process::spawn(stay, (manager.clone(), sender))?;
    receiver.recv_timeout(LONG)?;
    child.kill()?;
    assert!(child.join().is_err());
    drop(manager);
    server.expect_end();
    Ok(())
}
