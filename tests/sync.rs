//! Locks and signals between processes: what each promises, with time-outs, and
//! when participants are killed at any instant.

use libtest_mimic::Arguments;
use multiprocessing::{
    Array, Barrier, BoundedSemaphore, Condition, Connection, Error, Event, ForkServer, Lock,
    Process, RLock, RawArray, Semaphore, Value, pipe,
};
use nix::sys::memfd::{MFdFlags, memfd_create};
use nix::unistd::ftruncate;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fs;
use std::mem;
use std::os::unix::process::ExitStatusExt;
use std::process::{ExitCode, abort, id};
use std::thread;
use std::time::{Duration, Instant};
use tests::helper::{self, printed};
use tests::{Outcome, trials};

/// Far longer than anything here takes: a test that waits so long has failed.
const LONG: Duration = Duration::from_secs(60);

const SHORT: Duration = Duration::from_millis(10);

fn main() -> ExitCode {
    multiprocessing::init();
    helper::run_or_fail(&[
        ("forgotten_guard", forgotten_guard),
        ("leaked_guard", leaked_guard),
        ("copies_go", copies_go),
        ("forks_share", forks_share),
        ("two_handles", two_handles),
        ("no_leaks", no_leaks),
    ]);
    let trials = trials![
        a_lock_is_held_by_one_process,
        a_lock_is_waited_for_with_a_limit,
        a_lock_that_one_holds_is_an_error_and_an_rlock_is_not,
        an_rlock_is_free_when_the_last_guard_is_gone,
        a_dead_holder_is_told_until_somebody_repairs,
        a_killed_repair_is_repaired_again,
        a_panic_is_told_like_a_death,
        a_forgotten_guard_is_safe,
        no_thread_ends_whose_guard_of_data_is_leaked,
        a_copy_that_goes_while_the_lock_is_held_goes_wholly,
        two_handles_of_one_rlock_are_one_lock,
        a_death_while_a_condition_waits_leaves_the_other_guards,
        a_lock_in_a_destructor_during_a_panic_is_healthy,
        semaphores_count,
        a_bounded_semaphore_has_a_limit,
        an_event_wakes_all,
        a_condition_waits_for_what_it_protects,
        a_condition_gives_an_rlock_back_as_often_as_it_is_held,
        a_barrier_lets_all_pass_at_once,
        a_barrier_breaks_by_a_time_out_and_is_mended,
        a_barrier_is_aborted,
        all_travel_in_messages,
        what_is_no_lock_is_refused,
        a_forked_child_shares_what_it_finds,
        a_lock_whose_holders_are_killed,
        an_rlock_whose_holders_are_killed,
        a_semaphore_whose_waiters_are_killed,
        a_bounded_semaphore_whose_holders_are_killed,
        an_event_whose_setters_are_killed,
        a_condition_whose_waiters_are_killed,
        a_barrier_whose_parties_are_killed,
        nothing_leaks,
    ];
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

/// Two connected ends that carry the ids of processes, as signs.
type Sign = Connection<u32, u32>;

fn a_lock_is_held_by_one_process() -> Outcome {
    let lock = Lock::new()?;
    let (ours, theirs) = pipe()?;
    let child = Process::spawn(hold, (lock.try_clone()?, theirs))?;
    assert_eq!(ours.recv()?, child.pid());
    assert!(lock.try_acquire()?.is_none());
    ours.send(0)?;
    drop(lock.acquire()?); // once the child has let it go
    assert!(lock.try_acquire()?.is_some());
    assert_eq!(child.join()?, id());
    Ok(())
}

/// Holds the lock from one sign to the other.
fn hold((lock, sign): (Lock, Sign)) -> u32 {
    let guard = lock.acquire().expect("it is free");
    sign.send(id()).expect("the parent listens");
    sign.recv().expect("the parent says when");
    drop(guard);
    std::os::unix::process::parent_id()
}

fn a_lock_is_waited_for_with_a_limit() -> Outcome {
    let lock = Lock::new()?;
    let (ours, theirs) = pipe()?;
    let child = Process::spawn(hold, (lock.try_clone()?, theirs))?;
    assert_eq!(ours.recv()?, child.pid());
    for timeout in [Duration::ZERO, SHORT] {
        let start = Instant::now();
        assert!(lock.acquire_timeout(timeout)?.is_none());
        assert!(start.elapsed() >= timeout);
    }
    ours.send(0)?;
    for timeout in [LONG, Duration::MAX] {
        assert!(lock.acquire_timeout(timeout)?.is_some());
    }
    child.join()?;
    Ok(())
}

fn a_lock_that_one_holds_is_an_error_and_an_rlock_is_not() -> Outcome {
    let lock = Lock::new()?;
    let guard = lock.acquire()?;
    assert!(matches!(lock.acquire(), Err(Error::AlreadyHeld)));
    assert!(matches!(lock.try_clone()?.acquire(), Err(Error::AlreadyHeld)));
    assert!(matches!(lock.acquire_timeout(LONG), Err(Error::AlreadyHeld)));
    assert!(lock.try_acquire()?.is_none());
    drop(guard);
    let value = Value::new(1)?;
    let guard = value.lock()?;
    assert!(matches!(value.lock(), Err(Error::AlreadyHeld)));
    assert_eq!(*guard, 1);
    let lock = RLock::new()?;
    let guards = [lock.acquire()?, lock.acquire()?, lock.acquire()?];
    assert!(lock.try_acquire()?.is_some());
    drop(guards);
    Ok(())
}

fn is_free(lock: RLock) -> (bool, u32) {
    (lock.try_acquire().is_ok_and(|guard| guard.is_some()), id())
}

fn an_rlock_is_free_when_the_last_guard_is_gone() -> Outcome {
    let lock = RLock::new()?;
    let (first, second) = (lock.acquire()?, lock.acquire()?);
    drop(first);
    let child = Process::spawn(is_free, lock.try_clone()?)?;
    let pid = child.pid();
    assert_eq!(child.join()?, (false, pid));
    drop(second);
    let child = Process::spawn(is_free, lock.try_clone()?)?;
    let pid = child.pid();
    assert_eq!(child.join()?, (true, pid));
    Ok(())
}

fn die_with((value, write): (Value<u32>, bool)) {
    let mut guard = value.lock().expect("nobody has died yet");
    if write {
        *guard = id();
    }
    abort();
}

fn a_dead_holder_is_told_until_somebody_repairs() -> Outcome {
    let value = Value::new(1)?;
    let child = Process::spawn(die_with, (value.try_clone()?, true))?;
    let pid = child.pid();
    assert!(matches!(child.join(), Err(Error::Killed { signal: libc::SIGABRT })));
    for _ in 0..2 {
        assert!(matches!(value.lock(), Err(Error::OwnerDied)));
        assert!(matches!(value.lock_timeout(LONG), Err(Error::OwnerDied)));
        let told = |value: Value<u32>| matches!(value.lock(), Err(Error::OwnerDied));
        assert!(Process::spawn(told, value.try_clone()?)?.join()?);
    }
    let mut found = 0;
    let guard = value.lock_or_repair(|value| found = mem::replace(value, 7))?;
    assert_eq!((*guard, found), (7, pid));
    drop(guard);
    assert_eq!(*value.lock()?, 7);
    let guard = value.lock_or_repair(|_| panic!("nothing to repair"))?;
    assert_eq!(*guard, 7);
    Ok(())
}

fn a_killed_repair_is_repaired_again() -> Outcome {
    let value = Value::new(1)?;
    let child = Process::spawn(die_with, (value.try_clone()?, false))?;
    assert!(child.join().is_err());
    let repair_and_die = |value: Value<u32>| drop(value.lock_or_repair(|_| abort()));
    let child = Process::spawn(repair_and_die, value.try_clone()?)?;
    assert!(child.join().is_err());
    assert!(matches!(value.lock(), Err(Error::OwnerDied)));
    let mut repaired = false;
    drop(value.lock_or_repair(|_| repaired = true)?);
    assert!(repaired && value.lock().is_ok());
    Ok(())
}

fn a_panic_is_told_like_a_death() -> Outcome {
    let value = Value::new(1)?;
    let panics = |value: Value<u32>| {
        let mut guard = value.lock().expect("free");
        *guard = id();
        panic!("as asked");
    };
    let panics: fn(Value<u32>) = panics;
    let child = Process::spawn(panics, value.try_clone()?)?;
    let pid = child.pid();
    assert!(matches!(child.join(), Err(Error::Panicked { .. })));
    assert!(matches!(value.lock(), Err(Error::OwnerDied)));
    assert_eq!(*value.lock_or_repair(|value| *value += 1)?, pid + 1);
    assert_eq!(*value.lock()?, pid + 1);
    Ok(())
}

fn a_forgotten_guard_is_safe() -> Outcome {
    assert_eq!(printed(helper::command("forgotten_guard"))?, "held, and then told\n");
    Ok(())
}

fn forgotten_guard() -> Result<(), Box<dyn std::error::Error>> {
    let forgotten = Lock::new()?;
    let other = forgotten.try_clone()?;
    mem::forget(forgotten.acquire()?);
    drop(forgotten);
    // The thread's list of robust locks begins with the one that was forgotten.
    for _ in 0..10 {
        let lock = Lock::new()?;
        drop(lock.acquire()?);
    }
    let held = |lock: Lock| lock.try_acquire().is_ok_and(|guard| guard.is_none());
    assert!(Process::spawn(held, other.try_clone()?)?.join()?);
    let thread = thread::spawn(|| -> Result<Lock, Error> {
        let lock = Lock::new()?;
        let copy = lock.try_clone()?;
        mem::forget(lock.acquire()?);
        Ok(copy)
    });
    let lock = thread.join().map_err(|_| "a thread panicked")??;
    assert!(matches!(lock.acquire(), Err(Error::OwnerDied)));
    println!("held, and then told");
    Ok(())
}

/// What a leaked guard gave out could still be used.
fn no_thread_ends_whose_guard_of_data_is_leaked() -> Outcome {
    let output = helper::command("leaked_guard").output()?;
    assert_eq!(output.status.signal(), Some(libc::SIGABRT));
    assert!(String::from_utf8_lossy(&output.stderr).contains("was forgotten"));
    Ok(())
}

fn leaked_guard() -> Result<(), Box<dyn std::error::Error>> {
    let value = Value::new(1)?;
    let leak = || -> &mut i32 { &mut *Box::leak(Box::new(value.lock().expect("free"))) };
    thread::scope(|scope| scope.spawn(leak).join().map(|one| *one = 2)).map_err(|_| "panic")?;
    Ok(())
}

fn a_copy_that_goes_while_the_lock_is_held_goes_wholly() -> Outcome {
    assert_eq!(printed(helper::command("copies_go"))?, "nothing is left of them\n");
    Ok(())
}

fn copies_go() -> Result<(), Box<dyn std::error::Error>> {
    let count = |path| fs::read_to_string(path).map(|maps| maps.matches("/memfd:").count());
    let open = || fs::read_dir("/proc/self/fd").map(Iterator::count);
    let lock = RLock::new()?;
    let _guard = lock.acquire()?;
    let before = (count("/proc/self/maps")?, open()?);
    for _ in 0..100 {
        let copy = lock.try_clone()?;
        drop(copy.acquire()?);
    }
    assert_eq!((count("/proc/self/maps")?, open()?), before);
    println!("nothing is left of them");
    Ok(())
}

fn two_handles_of_one_rlock_are_one_lock() -> Outcome {
    assert_eq!(printed(helper::command("two_handles"))?, "held, free while it waits, free\n");
    Ok(())
}

fn two_handles() -> Result<(), Box<dyn std::error::Error>> {
    let (one, changed) = (RLock::new()?, Condition::new()?);
    let (other, third) = (one.try_clone()?, one.try_clone()?);
    let first = one.acquire()?;
    let second = other.acquire()?;
    drop(first);
    drop(one); // its memory stays: the thread's list of locks points into it
    drop(Lock::new()?.acquire()?);
    let free = || Process::spawn(is_free, third.try_clone()?)?.join().map(|(free, _)| free);
    assert!(!free()?);
    let third_guard = third.acquire()?;
    let mut seen = None;
    let second = changed.wait_while_timeout(
        second,
        |_| {
            seen.is_none() && {
                seen = Some(());
                true
            }
        },
        SHORT,
    )?;
    drop((second, third_guard));
    assert!(free()?);
    println!("held, free while it waits, free");
    Ok(())
}

fn a_death_while_a_condition_waits_leaves_the_other_guards() -> Outcome {
    let (lock, changed) = (RLock::new()?, Condition::new()?);
    let (outer, inner) = (lock.acquire()?, lock.acquire()?);
    let die = |lock: RLock| {
        mem::forget(lock.acquire());
    };
    let child = Process::spawn(die, lock.try_clone()?)?;
    let long = Duration::from_millis(300);
    let waited = changed.wait_while_timeout(inner, |_| true, long);
    assert!(matches!(waited, Err(Error::OwnerDied)));
    child.join()?;
    let child = Process::spawn(is_free, lock.try_clone()?)?;
    let pid = child.pid();
    assert_eq!(child.join()?, (false, pid), "the outer guard holds it");
    drop(outer);
    drop(lock.acquire_or_repair(|| ())?);
    let child = Process::spawn(is_free, lock.try_clone()?)?;
    let pid = child.pid();
    assert_eq!(child.join()?, (true, pid));
    Ok(())
}

/// Takes the lock in its destructor.
struct Late<'a>(&'a Value<u32>);

impl Drop for Late<'_> {
    fn drop(&mut self) {
        *self.0.lock().expect("healthy") += 1;
    }
}

fn a_lock_in_a_destructor_during_a_panic_is_healthy() -> Outcome {
    let value = Value::new(1)?;
    let panics = || {
        let _late = Late(&value);
        panic!("as asked");
    };
    assert!(thread::scope(|scope| scope.spawn(panics).join()).is_err());
    assert_eq!(*value.lock()?, 2);
    Ok(())
}

fn semaphores_count() -> Outcome {
    let semaphore = Semaphore::new(2)?;
    let permits = (semaphore.acquire(), semaphore.try_acquire());
    assert!(permits.1.is_some() && semaphore.try_acquire().is_none());
    let start = Instant::now();
    assert!(semaphore.acquire_timeout(SHORT).is_none());
    assert!(start.elapsed() >= SHORT);
    let take = |semaphore: Semaphore| {
        let _permit = semaphore.acquire();
        (id(), semaphore.available())
    };
    let child = Process::spawn(take, semaphore.try_clone()?)?;
    drop(permits.0);
    let pid = child.pid();
    assert_eq!(child.join()?, (pid, 0));
    assert_eq!(semaphore.available(), 1);
    semaphore.release();
    semaphore.release();
    assert_eq!(semaphore.available(), 3);
    Ok(())
}

fn a_bounded_semaphore_has_a_limit() -> Outcome {
    let semaphore = BoundedSemaphore::new(2)?;
    assert!(matches!(semaphore.release(), Err(Error::TooManyPermits { limit: 2 })));
    let permits = [semaphore.acquire(), semaphore.acquire()];
    assert!(semaphore.try_acquire().is_none() && semaphore.acquire_timeout(SHORT).is_none());
    let release = |semaphore: BoundedSemaphore| (semaphore.release().is_ok(), id());
    let child = Process::spawn(release, semaphore.try_clone()?)?;
    let pid = child.pid();
    assert_eq!(child.join()?, (true, pid));
    drop(permits); // one of them was given back already
    assert_eq!(semaphore.available(), 2);
    assert!(semaphore.release().is_err());
    Ok(())
}

fn an_event_wakes_all() -> Outcome {
    let event = Event::new()?;
    assert!(!event.is_set() && !event.wait_timeout(SHORT));
    let wait = |event: Event| (event.wait_timeout(LONG), id());
    let children: Result<Vec<_>, Error> =
        (0..4).map(|_| Process::spawn(wait, event.try_clone()?)).collect();
    event.set();
    for child in children? {
        let pid = child.pid();
        assert_eq!(child.join()?, (true, pid));
    }
    event.wait();
    event.clear();
    assert!(!event.is_set() && !event.wait_timeout(Duration::ZERO));
    Ok(())
}

fn a_condition_waits_for_what_it_protects() -> Outcome {
    let (value, changed) = (Value::new(0u32)?, Condition::new()?);
    let start = Instant::now();
    let guard = changed.wait_while_timeout(value.lock()?, |value| **value == 0, SHORT)?;
    assert!(*guard == 0 && start.elapsed() >= SHORT);
    drop(guard);
    let children: Result<Vec<_>, Error> = (0..3)
        .map(|_| Process::spawn(take_one, (value.try_clone()?, changed.try_clone()?)))
        .collect();
    for _ in 0..3 {
        *value.lock()? += 1;
        changed.notify_all();
    }
    for child in children? {
        let pid = child.pid();
        assert_eq!(child.join()?, pid);
    }
    assert_eq!(*value.lock()?, 0);
    Ok(())
}

fn take_one((value, changed): (Value<u32>, Condition)) -> u32 {
    let guard = value.lock().and_then(|guard| changed.wait_while(guard, |value| **value == 0));
    *guard.expect("no holder dies") -= 1;
    id()
}

fn a_condition_gives_an_rlock_back_as_often_as_it_is_held() -> Outcome {
    let (lock, changed, done) = (RLock::new()?, Condition::new()?, Event::new()?);
    let outer = lock.acquire()?;
    let inner = lock.acquire()?;
    let notify = |(lock, changed, done): (RLock, Condition, Event)| {
        let _guard = lock.acquire().expect("the parent waits");
        done.set();
        changed.notify_all();
    };
    let arguments = (lock.try_clone()?, changed.try_clone()?, done.try_clone()?);
    let child = Process::spawn(notify, arguments)?;
    let inner = changed.wait_while(inner, |_| !done.is_set())?;
    child.join()?;
    drop(outer);
    let child = Process::spawn(is_free, lock.try_clone()?)?;
    let pid = child.pid();
    assert_eq!(child.join()?, (false, pid), "the inner guard holds it");
    drop(inner);
    Ok(())
}

fn a_barrier_lets_all_pass_at_once() -> Outcome {
    let (barrier, come) = (Barrier::new(3)?, Value::new(0u32)?);
    let pass = |(barrier, come): (Barrier, Value<u32>)| {
        let rounds = (1..=100).map(|round| {
            *come.lock().expect("no holder dies") += 1;
            let place = barrier.wait().expect("all come");
            let seen = *come.lock().expect("no holder dies");
            assert!((round * 3..=round * 3 + 2).contains(&seen), "{seen} in {round}");
            barrier.wait().expect("all come");
            place
        });
        rounds.collect::<Vec<u32>>()
    };
    let children: Result<Vec<_>, Error> =
        (0..2).map(|_| Process::spawn(pass, (barrier.try_clone()?, come.try_clone()?))).collect();
    let mut places = vec![pass((barrier, come))];
    for child in children? {
        places.push(child.join()?);
    }
    for round in 0..100 {
        let places: BTreeSet<u32> = places.iter().map(|places| places[round]).collect();
        assert!(places.into_iter().eq(0..3), "each place once");
    }
    Ok(())
}

fn a_barrier_breaks_by_a_time_out_and_is_mended() -> Outcome {
    let barrier = Barrier::new(3)?;
    let wait = |barrier: Barrier| matches!(barrier.wait(), Err(Error::BrokenBarrier));
    let child = Process::spawn(wait, barrier.try_clone()?)?;
    assert!(matches!(barrier.wait_timeout(SHORT), Err(Error::BrokenBarrier)));
    assert!(child.join()?, "it is broken for all");
    assert!(barrier.is_broken() && barrier.wait().is_err());
    barrier.reset()?;
    assert!(!barrier.is_broken());
    let pass = |barrier: Barrier| barrier.wait_timeout(LONG).is_ok();
    let children =
        [Process::spawn(pass, barrier.try_clone()?)?, Process::spawn(pass, barrier.try_clone()?)?];
    barrier.wait_timeout(LONG)?;
    for child in children {
        assert!(child.join()?);
    }
    assert_eq!(Barrier::new(1)?.wait()?, 0);
    assert_eq!(Barrier::new(0)?.wait()?, 0);
    Ok(())
}

fn a_barrier_is_aborted() -> Outcome {
    let barrier = Barrier::new(2)?;
    let wait = |barrier: Barrier| matches!(barrier.wait(), Err(Error::BrokenBarrier));
    let child = Process::spawn(wait, barrier.try_clone()?)?;
    barrier.abort()?;
    assert!(child.join()?);
    assert!(barrier.is_broken());
    Ok(())
}

/// Each of them, for a process that runs already.
type Everything =
    ((Lock, RLock, Semaphore, BoundedSemaphore), (Event, Condition, Barrier, Value<u32>));

fn all_travel_in_messages() -> Outcome {
    let (ours, theirs) = pipe::<Everything, u32>()?;
    let child = Process::spawn(use_all, theirs)?;
    let locks = (Lock::new()?, RLock::new()?, Semaphore::new(0)?, BoundedSemaphore::new(1)?);
    let signals = (Event::new()?, Condition::new()?, Barrier::new(2)?, Value::new(0)?);
    let copies =
        (locks.0.try_clone()?, locks.1.try_clone()?, locks.2.try_clone()?, locks.3.try_clone()?);
    let more = (
        signals.0.try_clone()?,
        signals.1.try_clone()?,
        signals.2.try_clone()?,
        signals.3.try_clone()?,
    );
    ours.send((copies, more))?;
    signals.2.wait_timeout(LONG)?;
    assert_eq!(ours.recv()?, child.pid());
    assert!(locks.0.try_acquire()?.is_none() && locks.1.try_acquire()?.is_none());
    assert_eq!((locks.2.available(), locks.3.available()), (1, 0));
    signals.0.set();
    let (value, changed) = (&signals.3, &signals.1);
    let pid = child.pid();
    drop(changed.wait_while(value.lock()?, |value| **value != pid)?);
    assert_eq!(child.join()?, 0);
    Ok(())
}

fn use_all(connection: Connection<u32, Everything>) -> u32 {
    let (locks, (event, condition, barrier, value)) = connection.recv().expect("all of them");
    barrier.wait().expect("the parent comes");
    let _guards = (locks.0.acquire().expect("free"), locks.1.acquire().expect("free"));
    locks.2.release();
    let _permit = locks.3.acquire();
    connection.send(id()).expect("the parent listens");
    event.wait();
    *value.lock().expect("free") = id();
    condition.notify_all();
    0
}

/// Goes as a `Sent`, and is taken for a `Taken`.
struct Liar<Sent, Taken>(Option<Sent>, Option<Taken>);

impl<Sent: Serialize, Taken> Serialize for Liar<Sent, Taken> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.as_ref().expect("it is sent").serialize(serializer)
    }
}

impl<'de, Sent, Taken: Deserialize<'de>> Deserialize<'de> for Liar<Sent, Taken> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Taken::deserialize(deserializer).map(|taken| Self(None, Some(taken)))
    }
}

fn error_of<Sent: Serialize, Taken: DeserializeOwned>(
    sent: Sent,
) -> Result<String, Box<dyn std::error::Error>> {
    let (sender, receiver) = pipe::<Liar<Sent, Taken>, ()>()?;
    sender.send(Liar(Some(sent), None)).map_err(|failed| failed.error)?;
    let _: &Connection<(), Liar<Sent, Taken>> = &receiver;
    Ok(receiver.recv().err().ok_or("it was taken")?.to_string())
}

fn what_is_no_lock_is_refused() -> Outcome {
    let no_lock = "is not /memfd:multiprocessing-lock";
    let error = error_of::<_, Lock>(Event::new()?)?;
    assert!(error.contains(no_lock), "{error}");
    let error = error_of::<_, Lock>(RawArray::from_slice(&[u64::MAX; 16])?)?;
    assert!(error.contains(no_lock), "{error}");
    let error = error_of::<_, Array<u32>>(Barrier::new(2)?)?;
    assert!(error.contains(no_lock), "{error}");
    let error = error_of::<_, RawArray<u8>>(Lock::new()?)?;
    assert!(error.contains("is not /memfd:multiprocessing-raw"), "{error}");
    let error = error_of::<_, Value<[u64; 2]>>(Value::new(1u64)?)?;
    assert!(error.contains("no array of these"), "{error}");
    let error = error_of::<_, Value<u8>>(Value::new(1u64)?)?;
    assert!(error.contains("8 values, not of one"), "{error}");
    let error = error_of::<_, multiprocessing::Descriptor>(Lock::new()?)?;
    assert!(error.contains("shared memory is no file"), "{error}");
    let file = multiprocessing::Descriptor::from(fs::File::open("/dev/zero")?);
    assert!(error_of::<_, Event>(file)?.contains("cannot look at shared memory"));
    let (memfd, size) = (memfd_create(c"", MFdFlags::empty())?, 4096);
    ftruncate(&memfd, size)?;
    let error = error_of::<_, Event>(multiprocessing::Descriptor::from(memfd))?;
    assert!(error.contains("not sealed"), "{error}");
    Ok(())
}

fn a_forked_child_shares_what_it_finds() -> Outcome {
    assert_eq!(printed(helper::command("forks_share"))?, "20000 additions, then a dead holder\n");
    Ok(())
}

fn forks_share() -> Result<(), Box<dyn std::error::Error>> {
    let (value, barrier) = (Value::new(0u32)?, Barrier::new(2)?);
    let add = || -> Result<(), Error> {
        barrier.wait()?;
        (0..10_000).try_for_each(|_| value.lock().map(|mut value| *value += 1))
    };
    // SAFETY: this program has no other thread, and holds no lock.
    let child = unsafe { Process::fork(|| add().is_ok()) }?;
    add()?;
    assert!(child.join()?);
    assert_eq!(*value.lock()?, 20_000);
    // SAFETY: the same.
    let child = unsafe { Process::fork(|| mem::forget(value.lock())) }?;
    child.join()?;
    assert!(matches!(value.lock(), Err(Error::OwnerDied)));
    let count = *value.lock_or_repair(|_| ())?;
    println!("{count} additions, then a dead holder");
    Ok(())
}

/// A child that will be killed, started by the server, at an instant that depends on
/// `n`: from "not started yet" to "has gone round often".
fn doom<A, R>(server: &ForkServer, f: fn(A) -> R, args: A, n: u64) -> Result<(), Error>
where
    A: Serialize + DeserializeOwned,
    R: Serialize + DeserializeOwned,
{
    let child = server.spawn(f, args)?;
    helper::pass(Duration::from_micros(n * 37 % 400));
    let _ = child.kill(); // it may have ended
    match child.join() {
        Ok(_) | Err(Error::Killed { signal: 9 }) => Ok(()),
        Err(other) => Err(other),
    }
}

/// Joins one that must not hang.
fn join<R: Serialize + DeserializeOwned>(mut child: Process<R>) -> Result<R, Error> {
    let result = child.join_timeout(LONG)?;
    Ok(result.expect("it hangs"))
}

type Pair = [u64; 2];

/// Both numbers are the same, but for a moment.
fn count_both(pair: &Value<Pair>, times: u64) -> u64 {
    for _ in 0..times {
        let repair = |pair: &mut Pair| pair[1] = pair[0];
        let mut pair = pair.lock_or_repair(repair).expect("it can be repaired");
        assert_eq!(pair[0], pair[1]);
        pair[0] += 1;
        std::hint::black_box(&mut *pair);
        pair[1] += 1;
    }
    times
}

fn a_lock_whose_holders_are_killed() -> Outcome {
    let (server, pair) = (ForkServer::start()?, Value::new([0, 0])?);
    let survivor = |pair: Value<Pair>| count_both(&pair, 20_000);
    let survivors =
        [server.spawn(survivor, pair.try_clone()?)?, server.spawn(survivor, pair.try_clone()?)?];
    for n in 0..helper::kills() {
        doom(&server, |pair: Value<Pair>| count_both(&pair, u64::MAX), pair.try_clone()?, n)?;
    }
    for survivor in survivors {
        assert_eq!(join(survivor)?, 20_000);
    }
    let pair = pair.lock_or_repair(|pair| pair[1] = pair[0])?;
    assert!(pair[0] == pair[1] && pair[0] > 40_000);
    Ok(())
}

fn an_rlock_whose_holders_are_killed() -> Outcome {
    let (server, lock) = (ForkServer::start()?, RLock::new()?);
    let round = |(lock, times): (RLock, u64)| {
        for _ in 0..times {
            let _outer = lock.acquire_or_repair(|| ()).expect("it can be repaired");
            let _inner = lock.acquire().expect("it was repaired");
        }
        times
    };
    let survivor = server.spawn(round, (lock.try_clone()?, 20_000))?;
    for n in 0..helper::kills() {
        doom(&server, round, (lock.try_clone()?, u64::MAX), n)?;
    }
    assert_eq!(join(survivor)?, 20_000);
    Ok(())
}

/// Takes permits for good.
fn take((semaphore, times): (Semaphore, u64)) -> u64 {
    (0..times).for_each(|_| mem::forget(semaphore.acquire()));
    times
}

fn a_semaphore_whose_waiters_are_killed() -> Outcome {
    let (server, semaphore) = (ForkServer::start()?, Semaphore::new(0)?);
    let kills = helper::kills();
    let mut survivor = server.spawn(take, (semaphore.try_clone()?, kills))?;
    let mut released = 0;
    for n in 0..kills {
        let doomed = server.spawn(take, (semaphore.try_clone()?, 1))?;
        helper::pass(Duration::from_micros(n * 37 % 300));
        semaphore.release();
        released += 1;
        helper::pass(Duration::from_micros(n * 11 % 30));
        let _ = doomed.kill();
        let _ = doomed.join();
    }
    // Each that was killed took one at most.
    while survivor.join_timeout(Duration::from_millis(1))?.is_none() {
        assert!(released < 3 * kills, "a waiter is lost");
        semaphore.release();
        released += 1;
        while semaphore.available() > 0 && survivor.is_alive() {
            thread::yield_now(); // a permit that stays is a waiter that is lost
        }
    }
    Ok(())
}

fn a_bounded_semaphore_whose_holders_are_killed() -> Outcome {
    let server = ForkServer::start()?;
    let mut kept = 0;
    for n in 0..helper::kills() {
        let semaphore = BoundedSemaphore::new(1)?;
        let hold = |semaphore: BoundedSemaphore| {
            (0..u64::MAX).for_each(|_| drop(semaphore.acquire()));
        };
        doom(&server, hold, semaphore.try_clone()?, n)?;
        assert!(semaphore.available() <= 1);
        // Its permit is back, or went with the one that was killed.
        if let Some(permit) = semaphore.try_acquire() {
            assert_eq!(semaphore.available(), 0);
            drop(permit);
            assert_eq!(semaphore.available(), 1);
            kept += 1;
        }
    }
    assert!(kept > 0, "no permit ever came back");
    Ok(())
}

fn an_event_whose_setters_are_killed() -> Outcome {
    let server = ForkServer::start()?;
    let mut set = 0;
    for n in 0..helper::kills() {
        let event = Event::new()?;
        let waiter = server.spawn(|event: Event| event.wait(), event.try_clone()?)?;
        doom(&server, |event: Event| event.set(), event.try_clone()?, n)?;
        if event.is_set() {
            set += 1;
        } else {
            event.set();
        }
        join(waiter)?; // whoever set it, it was woken
    }
    assert!(set > 0, "no child ever set it");
    Ok(())
}

type Level = (Value<u64>, Condition);

fn drain(((level, changed), times): (Level, u64)) -> u64 {
    for _ in 0..times {
        let guard = level.lock_or_repair(|_| ()).expect("it can be repaired");
        match changed.wait_while(guard, |level| **level == 0) {
            Ok(mut level) => *level -= 1,
            Err(Error::OwnerDied) => continue, // told when it took the lock again
            Err(other) => panic!("{other}"),
        }
    }
    times
}

fn a_condition_whose_waiters_are_killed() -> Outcome {
    let server = ForkServer::start()?;
    let (level, changed) = (Value::new(0u64)?, Condition::new()?);
    let copy = || Ok::<Level, Error>((level.try_clone()?, changed.try_clone()?));
    let kills = helper::kills();
    let mut survivor = server.spawn(drain, (copy()?, kills))?;
    let add = || -> Result<(), Error> {
        *level.lock_or_repair(|_| ())? += 1;
        changed.notify_all();
        Ok(())
    };
    for n in 0..kills {
        add()?;
        doom(&server, drain, (copy()?, u64::MAX), n)?;
    }
    let mut added = kills;
    while survivor.join_timeout(Duration::from_millis(1))?.is_none() {
        let empty = *level.lock_or_repair(|_| ())? == 0;
        if empty {
            add()?;
            added += 1;
        }
        assert!(added < 100 * kills, "a waiter is lost");
    }
    Ok(())
}

fn a_barrier_whose_parties_are_killed() -> Outcome {
    let server = ForkServer::start()?;
    let wait = |barrier: Barrier| barrier.wait_timeout(SHORT).is_ok();
    let (mut passed, mut broken) = (0, 0);
    for n in 0..helper::kills() {
        let barrier = Barrier::new(3)?;
        let survivor = server.spawn(wait, barrier.try_clone()?)?;
        doom(&server, wait, barrier.try_clone()?, n * 3)?;
        let ours = wait(barrier.try_clone()?);
        assert_eq!(ours, join(survivor)?, "passed for one and broken for the other");
        *(if ours { &mut passed } else { &mut broken }) += 1;
        assert_eq!(barrier.is_broken(), !ours);
        barrier.reset()?;
        assert!(!barrier.is_broken());
    }
    assert_eq!(passed + broken, helper::kills());
    Ok(())
}

fn nothing_leaks() -> Outcome {
    assert_eq!(printed(helper::command("no_leaks"))?, "as before\n");
    Ok(())
}

fn no_leaks() -> Result<(), Box<dyn std::error::Error>> {
    let open = || fs::read_dir("/proc/self/fd").map(Iterator::count);
    let mapped = || fs::read_to_string("/proc/self/maps").map(|maps| maps.lines().count());
    let make_all = || -> Result<(), Error> {
        let lock = Lock::new()?;
        drop(lock.acquire()?);
        let rlock = RLock::new()?;
        drop((rlock.acquire()?, rlock.acquire()?));
        drop((Semaphore::new(1)?, BoundedSemaphore::new(1)?, Event::new()?));
        drop((Condition::new()?, Barrier::new(1)?, Value::new(1)?.try_clone()?));
        Ok(())
    };
    make_all()?;
    let before = (open()?, mapped()?);
    (0..1000).try_for_each(|_| make_all())?;
    assert_eq!((open()?, mapped()?), before);
    println!("as before");
    Ok(())
}
