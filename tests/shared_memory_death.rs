//! Values and arrays whose holder dies, half-written elements, and guards that are leaked.

use multiprocessing::{Array, Error, Event, ForkServer, Plain, Value};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::cell::RefCell;
use std::error::Error as StdError;
use std::mem;
use std::os::unix::process::ExitStatusExt;
use std::process::{ExitCode, abort};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;
use tests::helper::{self, LONG, Weather, elsewhere, join};
use tests::{Outcome, helpers, trials};

fn main() -> ExitCode {
    let trials = trials![
        a_dead_holder_is_told_until_somebody_repairs,
        a_repair_that_panics_is_repaired_again,
        half_written_elements_are_zeroed_before_the_repair,
        half_written_elements_that_cannot_be_zero_are_an_error,
        a_lock_in_a_destructor_during_a_panic_is_healthy,
        no_thread_ends_whose_guard_is_leaked,
        no_thread_ends_whose_last_destructor_leaks_a_guard,
        a_destructor_after_all_others_cannot_lock,
        holders_of_an_array_are_killed,
    ];
    helper::main(trials, &[], helpers![leaked_guard, guard_leaked_in_a_destructor])
}

fn a_dead_holder_is_told_until_somebody_repairs() -> Outcome {
    let value = Value::new(1)?;
    let write_and_die = |value: Value<i32>| {
        let mut guard = value.lock().expect("nobody has died yet");
        *guard = 5;
        abort()
    };
    let child = elsewhere::<_, ()>(write_and_die, value.clone());
    assert!(matches!(child, Err(Error::Killed { signal: libc::SIGABRT })));
    for _ in 0..2 {
        assert!(!value.is_locked()?);
        assert!(matches!(value.lock(), Err(Error::OwnerDied)));
        assert!(matches!(value.try_lock(), Err(Error::OwnerDied)));
        assert!(matches!(value.lock_timeout(LONG), Err(Error::OwnerDied)));
        let told = |value: Value<i32>| matches!(value.lock(), Err(Error::OwnerDied));
        assert!(elsewhere(told, value.clone())?);
    }
    let mut found = 0;
    assert_eq!(*value.lock_or_repair(|value| found = mem::replace(value, 7))?, 7);
    assert_eq!((found, *value.lock()?), (5, 7));
    assert_eq!(*value.lock_or_repair(|_| panic!("nothing to repair"))?, 7);
    Ok(())
}

fn a_repair_that_panics_is_repaired_again() -> Outcome {
    let value = Value::new(1)?;
    let panics = || {
        let _guard = value.lock_or_repair(|_| panic!("as asked")); // from the second time on
        panic!("as asked");
    };
    for _ in 0..3 {
        assert!(thread::scope(|scope| scope.spawn(panics).join()).is_err());
        assert!(matches!(value.lock(), Err(Error::OwnerDied)));
    }
    assert_eq!(*value.lock_or_repair(|value| *value += 1)?, 2);
    assert_eq!(*value.lock()?, 2);
    Ok(())
}

/// Writes bits over the second element, and dies.
fn half_write<T: Plain>((array, bits): (Array<T>, Vec<u8>)) {
    let mut guard = array.lock().expect("it is free");
    let element: *mut u8 = (&raw mut guard[1]).cast();
    assert_eq!(bits.len(), size_of::<T>());
    // SAFETY: so long is the element, and it is not used before somebody has zeroed it.
    unsafe { element.copy_from_nonoverlapping(bits.as_ptr(), bits.len()) };
    abort();
}

fn half_written<T: Plain>(elements: &[T], bits: &[u8]) -> Result<Array<T>, Error>
where
    Array<T>: Serialize + DeserializeOwned,
{
    let array = Array::from_slice(elements)?;
    let child = elsewhere(half_write, (array.clone(), bits.to_vec()));
    assert!(matches!(child, Err(Error::Killed { signal: libc::SIGABRT })));
    Ok(array)
}

fn half_written_elements_are_zeroed_before_the_repair() -> Outcome {
    let letters = half_written(&['a', 'b', 'c'], &0x11_0000u32.to_ne_bytes())?;
    assert!(matches!(letters.lock(), Err(Error::OwnerDied)));
    let mut seen = Vec::new();
    drop(letters.lock_or_repair(|letters| seen = letters.to_vec())?);
    assert_eq!(seen, ['a', '\0', 'c']);
    assert_eq!(*letters.lock()?, ['a', '\0', 'c']);
    let flags = half_written(&[true, true], &[2])?;
    assert_eq!(*flags.lock_or_repair(|_| ())?, [true, false]);
    Ok(())
}

fn half_written_elements_that_cannot_be_zero_are_an_error() -> Outcome {
    let weather = half_written(&[Weather::Sun; 2], &[1, 2])?;
    for _ in 0..2 {
        let error = weather.lock_or_repair(|_| panic!("not called")).err().ok_or("no error")?;
        assert!(matches!(error, Error::Decode { .. }), "{error}");
        assert!(error.to_string().contains("its holder died while it changed an element"));
        assert!(matches!(weather.lock(), Err(Error::OwnerDied)));
    }
    // What was written whole is kept.
    let weather = half_written(&[Weather::Sun; 2], &501u16.to_ne_bytes())?;
    assert_eq!(*weather.lock_or_repair(|_| ())?, [Weather::Sun, Weather::Rain]);
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

/// The system would pass the lock on, while what the guard gave out is still used.
fn aborts_because_of_a_leak(name: &str) -> Outcome {
    let output = helper::command(name).output()?;
    assert_eq!(output.status.signal(), Some(libc::SIGABRT));
    assert!(String::from_utf8_lossy(&output.stderr).contains("guard of shared memory was leaked"));
    Ok(())
}

fn no_thread_ends_whose_guard_is_leaked() -> Outcome {
    aborts_because_of_a_leak("leaked_guard")
}

fn leaked_guard() -> Result<(), Box<dyn StdError>> {
    let value = Value::new(1)?;
    let leak = || -> &mut i32 { &mut *Box::leak(Box::new(value.lock().expect("free"))) };
    thread::scope(|scope| scope.spawn(leak).join().map(|one| *one = 2)).map_err(|_| "panic")?;
    Ok(())
}

/// Leaks a guard at the end of its thread, and says whether it got one.
struct AtEnd(Value<i32>, mpsc::Sender<Result<(), String>>);

impl Drop for AtEnd {
    fn drop(&mut self) {
        let leaked = self.0.lock().map(mem::forget).map_err(|error| error.to_string());
        let _ = self.1.send(leaked);
    }
}

/// Says whether a thread could leak a guard at its end.
fn leak_at_end(value: &Value<i32>, lock_before: bool) -> Result<Result<(), String>, &'static str> {
    thread_local!(static AT_END: RefCell<Option<AtEnd>> = const { RefCell::new(None) });
    let (value, (sender, receiver)) = (value.clone(), mpsc::channel());
    let thread = move || {
        // The first of the thread's variables, so the last that is destroyed.
        AT_END.set(Some(AtEnd(value.clone(), sender)));
        if lock_before {
            drop(value.lock());
        }
    };
    thread::spawn(thread).join().map_err(|_| "it panicked")?;
    receiver.recv().map_err(|_| "it did not say")
}

fn no_thread_ends_whose_last_destructor_leaks_a_guard() -> Outcome {
    aborts_because_of_a_leak("guard_leaked_in_a_destructor")
}

fn guard_leaked_in_a_destructor() -> Result<(), Box<dyn StdError>> {
    leak_at_end(&Value::new(1)?, false)??;
    Ok(())
}

fn a_destructor_after_all_others_cannot_lock() -> Outcome {
    let value = Value::new(1)?;
    let error = leak_at_end(&value, true)?.err().ok_or("a guard was leaked unseen")?;
    assert!(error.contains("lock shared memory in a destructor at the end of a thread"), "{error}");
    assert_eq!(*value.lock()?, 1);
    Ok(())
}

/// Under the lock, all elements become the next number.
fn fill((array, times): (Array<u32>, u32)) {
    for _ in 0..times {
        let repair = |elements: &mut [u32]| elements.fill(elements[0]);
        let mut elements = array.lock_or_repair(repair).expect("it can be repaired");
        let next = elements[0].wrapping_add(1);
        assert!(elements.iter().all(|element| element.wrapping_add(1) == next));
        elements.iter_mut().for_each(|element| *element = next);
    }
}

fn holders_of_an_array_are_killed() -> Outcome {
    let (server, array) = (ForkServer::start()?, Array::new(1000)?);
    let survivor = server.spawn(fill, (array.clone(), 1000))?;
    let fill_for_ever = |(array, started): (Array<u32>, Event)| {
        started.set();
        fill((array, u32::MAX));
    };
    let mut repaired = 0;
    for n in 0..helper::kills() {
        let started = Event::new()?;
        let doomed = server.spawn(fill_for_ever, (array.clone(), started.clone()))?;
        started.wait();
        helper::pass(Duration::from_micros(n * 37 % 400));
        doomed.kill()?;
        assert!(matches!(doomed.join(), Err(Error::Killed { signal: 9 })));
        repaired += u32::from(matches!(array.lock(), Err(Error::OwnerDied)));
    }
    join(survivor)?;
    assert!(repaired > 0, "no holder was killed");
    let elements = array.lock_or_repair(|elements| elements.fill(0))?;
    assert!(elements.iter().all(|element| *element == elements[0]));
    Ok(())
}
