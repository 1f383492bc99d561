//! Locks: who holds one, how long others wait, and what they are told of a dead holder.

use multiprocessing::{Connection, Error, ForkServer, Lock, Process, RLock, Value, pipe};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use std::error::Error as StdError;
use std::mem;
use std::process::{ExitCode, abort};
use std::thread;
use std::time::{Duration, Instant};
use tests::helper::{self, LONG, SHORT, doom, elsewhere, join};
use tests::{Outcome, helpers, trials};

fn main() -> ExitCode {
    let trials = trials![
        one_process_holds_a_lock,
        a_lock_is_waited_for_with_a_limit,
        a_lock_that_this_thread_holds_is_an_error,
        an_rlock_is_free_when_the_last_guard_is_gone,
        an_rlock_that_this_thread_holds_is_locked,
        a_killed_holder_holds_nothing,
        a_killed_repair_is_repaired_again,
        a_panic_is_told_like_a_death,
        holders_of_a_lock_are_killed,
        holders_of_an_rlock_are_killed,
    ];
    let alone = helpers![
        a_forgotten_guard_is_safe,
        a_clone_that_is_dropped_under_the_lock_leaves_nothing,
        a_forked_child_releases_nothing,
        a_forked_child_holds_what_it_acquires_itself,
        a_thread_holds_2048_locks,
    ];
    helper::main(trials, alone, &[])
}

type Hold = Connection<(), ()>;

/// Holds the lock from one sign to the other.
fn hold((lock, sign): (Lock, Hold)) {
    let _guard = lock.acquire().expect("it is free");
    sign.send(()).expect("the parent listens");
    sign.recv().expect("the parent says when");
}

fn start_holder(lock: &Lock) -> Result<(Process<()>, Hold), Error> {
    let (ours, theirs) = pipe()?;
    let child = Process::spawn(hold, (lock.clone(), theirs))?;
    ours.recv()?;
    Ok((child, ours))
}

fn one_process_holds_a_lock() -> Outcome {
    let lock = Lock::new()?;
    assert_eq!(format!("{lock:?}"), "Lock(free)");
    let (child, sign) = start_holder(&lock)?;
    assert!(matches!(lock.try_acquire(), Err(Error::WouldBlock)) && lock.is_locked()?);
    assert_eq!(format!("{lock:?}"), format!("Lock(held by process {})", child.pid()));
    sign.send(())?;
    drop(lock.acquire()?); // once the child has dropped its guard
    assert!(!lock.is_locked()? && lock.try_acquire().is_ok());
    join(child)?;
    Ok(())
}

fn a_lock_is_waited_for_with_a_limit() -> Outcome {
    let lock = Lock::new()?;
    let (child, sign) = start_holder(&lock)?;
    for timeout in [Duration::ZERO, SHORT] {
        let start = Instant::now();
        assert!(matches!(lock.acquire_timeout(timeout), Err(Error::TimedOut)));
        assert!(start.elapsed() >= timeout);
    }
    sign.send(())?;
    for timeout in [LONG, Duration::MAX] {
        assert!(lock.acquire_timeout(timeout).is_ok());
    }
    join(child)?;
    Ok(())
}

fn a_lock_that_this_thread_holds_is_an_error() -> Outcome {
    let lock = Lock::new()?;
    let guard = lock.acquire()?;
    assert!(lock.is_locked()?);
    assert!(matches!(lock.acquire(), Err(Error::AlreadyHeld)));
    assert!(matches!(lock.clone().acquire(), Err(Error::AlreadyHeld)));
    assert!(matches!(lock.acquire_timeout(LONG), Err(Error::AlreadyHeld)));
    assert!(matches!(lock.try_acquire(), Err(Error::WouldBlock)));
    drop(guard);
    assert!(lock.try_acquire().is_ok());
    Ok(())
}

fn is_free(lock: RLock) -> bool {
    let free = lock.try_acquire().is_ok();
    assert_eq!(free, !lock.is_locked().expect("healthy"));
    free
}

fn an_rlock_is_free_when_the_last_guard_is_gone() -> Outcome {
    let lock = RLock::new()?;
    let (first, second) = (lock.acquire()?, lock.try_acquire()?);
    drop(first);
    assert!(!elsewhere(is_free, lock.clone())?);
    drop(second);
    assert!(elsewhere(is_free, lock)?);
    Ok(())
}

fn an_rlock_that_this_thread_holds_is_locked() -> Outcome {
    let lock = RLock::new()?;
    let guard = lock.acquire()?;
    assert!(lock.is_locked()? && lock.is_locked()?);
    drop(guard);
    assert!(!lock.is_locked()?);
    Ok(())
}

fn a_killed_holder_holds_nothing() -> Outcome {
    let lock = Lock::new()?;
    let (child, _sign) = start_holder(&lock)?;
    let pid = child.pid();
    child.kill()?;
    assert!(matches!(join(child), Err(Error::Killed { signal: libc::SIGKILL })));
    assert!(!lock.is_locked()?);
    assert!(matches!(lock.try_acquire(), Err(Error::OwnerDied)));
    let died = format!("Lock(its holder in process {pid} died)");
    assert_eq!(format!("{lock:?}"), died);
    drop(lock.acquire_or_repair(|| ())?);
    assert_eq!(format!("{lock:?}"), "Lock(free)");
    Ok(())
}

fn a_killed_repair_is_repaired_again() -> Outcome {
    let lock = Lock::new()?;
    let die = |lock: Lock| {
        let _guard = lock.acquire_or_repair(|| abort()).expect("free");
        abort()
    };
    for _ in 0..3 {
        assert!(elsewhere::<_, ()>(die, lock.clone()).is_err());
        assert!(matches!(lock.acquire(), Err(Error::OwnerDied)));
    }
    let mut repaired = false;
    drop(lock.acquire_or_repair(|| repaired = true)?);
    assert!(repaired);
    drop(lock.acquire_or_repair(|| panic!("nothing to repair"))?);
    Ok(())
}

fn a_panic_is_told_like_a_death() -> Outcome {
    let lock = Lock::new()?;
    let panics = |lock: Lock| {
        let _guard = lock.acquire().expect("free");
        panic!("as asked");
    };
    let child = elsewhere::<_, ()>(panics, lock.clone());
    assert!(matches!(child, Err(Error::Panicked { .. })));
    assert!(matches!(lock.acquire(), Err(Error::OwnerDied)));
    drop(lock.acquire_or_repair(|| ())?);
    drop(lock.acquire()?);
    Ok(())
}

fn a_forgotten_guard_is_safe() -> Result<(), Box<dyn StdError>> {
    let forgotten = Lock::new()?;
    let other = forgotten.clone();
    mem::forget(forgotten.acquire()?);
    drop(forgotten);
    // The thread's list of robust locks begins with the one that was forgotten.
    for _ in 0..10 {
        drop(Lock::new()?.acquire()?);
    }
    assert!(elsewhere(|lock: Lock| lock.is_locked(), other)??);
    let thread = thread::spawn(|| -> Result<Lock, Error> {
        let lock = Lock::new()?;
        mem::forget(lock.acquire()?);
        Ok(lock)
    });
    let lock = thread.join().map_err(|_| "a thread panicked")??;
    assert!(matches!(lock.acquire(), Err(Error::OwnerDied)));
    Ok(())
}

fn a_clone_that_is_dropped_under_the_lock_leaves_nothing() -> Result<(), Box<dyn StdError>> {
    let lock = RLock::new()?;
    let _guard = lock.acquire()?;
    let before = helper::open_and_mapped()?;
    for _ in 0..100 {
        let clone = lock.clone();
        drop(clone.acquire()?);
    }
    assert_eq!(helper::open_and_mapped()?, before);
    Ok(())
}

fn a_forked_child_releases_nothing() -> Result<(), Box<dyn StdError>> {
    let (lock, rlock, value) = (Lock::new()?, RLock::new()?, Value::new(1)?);
    let mut guards = Some((lock.acquire()?, [rlock.acquire()?, rlock.acquire()?], value.lock()?));
    // SAFETY: this program has no other thread.
    let child = unsafe { Process::fork(|| drop(guards.take())) }?;
    child.join()?;
    let locked = |(lock, rlock, value): (Lock, RLock, Value<i32>)| {
        Ok::<_, Error>([lock.is_locked()?, rlock.is_locked()?, value.is_locked()?])
    };
    let all = (lock.clone(), rlock.clone(), value.clone());
    assert_eq!(elsewhere(locked, all.clone())??, [true; 3]);
    drop(guards);
    assert_eq!(elsewhere(locked, all)??, [false; 3]);
    drop((lock.acquire()?, rlock.acquire()?, value.lock()?)); // nobody has died
    Ok(())
}

fn a_forked_child_holds_what_it_acquires_itself() -> Result<(), Box<dyn StdError>> {
    let lock = Lock::new()?;
    let mut copy = Some(lock.acquire()?);
    let (ours, theirs) = pipe::<(), ()>()?;
    let acquire_and_drop_the_copy = || -> Result<(), Error> {
        let _own = lock.acquire()?; // once the parent has dropped its guard
        drop(copy.take());
        theirs.send(())?;
        theirs.recv()
    };
    // SAFETY: this program has no other thread.
    let child = unsafe { Process::fork(acquire_and_drop_the_copy) }?;
    drop(copy.take());
    ours.recv()?;
    assert!(matches!(lock.try_acquire(), Err(Error::WouldBlock)));
    ours.send(())?;
    child.join()??;
    drop(lock.acquire()?); // and the child did not die as its holder
    Ok(())
}

fn acquire_all(locks: &[Lock]) -> Result<Vec<multiprocessing::LockGuard<'_>>, Error> {
    locks.iter().map(Lock::acquire).collect()
}

fn a_thread_holds_2048_locks() -> Result<(), Box<dyn StdError>> {
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE)?;
    setrlimit(Resource::RLIMIT_NOFILE, hard, hard)?;
    let locks = (0..2048).map(|_| Lock::new()).collect::<Result<Vec<_>, _>>()?;
    let more = Lock::new()?;
    let mut guards = acquire_all(&locks)?;
    for error in [more.acquire().err(), more.try_acquire().err(), locks[0].is_locked().err()] {
        let error = error.map(|error| error.to_string()).unwrap_or_default();
        assert!(error.contains("cannot hold more than 2048 locks in one thread"), "{error}");
    }
    let other_thread = thread::scope(|scope| scope.spawn(|| more.acquire().is_ok()).join());
    assert!(other_thread.map_err(|_| "a thread panicked")?);
    guards.pop();
    drop(more.acquire()?);
    guards.push(more.acquire()?);
    assert!(locks[2047].acquire().is_err());
    drop(guards);
    let die = || {
        let _guards = acquire_all(&locks).expect("they are free");
        abort()
    };
    // SAFETY: this program has no other thread.
    let child = unsafe { Process::<()>::fork(die) }?;
    assert!(matches!(child.join(), Err(Error::Killed { signal: libc::SIGABRT })));
    assert!(locks.iter().all(|lock| matches!(lock.acquire(), Err(Error::OwnerDied))));
    Ok(())
}

type Pair = [u64; 2];

/// Both numbers are the same, except for a moment.
fn count_both((pair, times): (Value<Pair>, u64)) {
    for _ in 0..times {
        let repair = |pair: &mut Pair| pair[1] = pair[0];
        let mut pair = pair.lock_or_repair(repair).expect("it can be repaired");
        assert_eq!(pair[0], pair[1]);
        pair[0] += 1;
        std::hint::black_box(&mut *pair);
        pair[1] += 1;
    }
}

fn holders_of_a_lock_are_killed() -> Outcome {
    let (server, pair) = (ForkServer::start()?, Value::new([0, 0])?);
    let start = || server.spawn(count_both, (pair.clone(), 20_000));
    let survivors = [start()?, start()?];
    for n in 0..helper::kills() {
        doom(&server, count_both, (pair.clone(), u64::MAX), n)?;
    }
    for survivor in survivors {
        join(survivor)?;
    }
    let pair = pair.lock_or_repair(|pair| pair[1] = pair[0])?;
    assert!(pair[0] == pair[1] && pair[0] >= 40_000);
    Ok(())
}

fn holders_of_an_rlock_are_killed() -> Outcome {
    let (server, lock) = (ForkServer::start()?, RLock::new()?);
    let round = |(lock, times): (RLock, u64)| {
        for _ in 0..times {
            let _outer = lock.acquire_or_repair(|| ()).expect("it can be repaired");
            let _inner = lock.acquire().expect("it was repaired");
        }
    };
    let survivor = server.spawn(round, (lock.clone(), 20_000))?;
    for n in 0..helper::kills() {
        doom(&server, round, (lock.clone(), u64::MAX), n)?;
    }
    join(survivor)?;
    Ok(())
}
