//! Values and arrays in shared memory, with a lock.

use bytemuck::{Pod, Zeroable};
use multiprocessing::{Array, Error, Process, RawArray, Receiver, Value, pipe_one_way};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::unistd::ftruncate;
use std::error::Error as StdError;
use std::fs;
use std::path::PathBuf;
use std::process::{ExitCode, id};
use tests::helper::{self, LONG, SHORT, Weather, elsewhere, join};
use tests::{Outcome, helpers, trials};

fn main() -> ExitCode {
    let trials = trials![
        a_child_writes_and_the_parent_reads,
        structs_and_arrays_of_numbers,
        bools_chars_and_enums,
        zero_and_many_elements,
        values_travel_through_a_connection,
        a_value_is_locked_or_not,
        two_guards_in_one_expression_are_an_error,
        what_lies_there_is_shown,
    ];
    let alone = helpers![
        what_the_system_refuses_is_an_error,
        anonymous_memory_cannot_be_shrunk,
        nothing_leaks,
    ];
    helper::main(trials, alone, &[])
}

fn square((numbers, sum): (Array<i32>, Value<i64>)) {
    let mut numbers = numbers.lock().expect("no holder dies");
    numbers.iter_mut().for_each(|number| *number *= *number);
    *sum.lock().expect("no holder dies") = numbers.iter().map(|n| i64::from(*n)).sum();
}

fn a_child_writes_and_the_parent_reads() -> Outcome {
    let (numbers, sum) = (Array::from_slice(&[1, 2, 3, 4])?, Value::new(0)?);
    elsewhere(square, (numbers.clone(), sum.clone()))?;
    assert_eq!(*numbers.lock()?, [1, 4, 9, 16]);
    assert_eq!(numbers.lock()?[1..3], [4, 9]);
    assert_eq!((*sum.lock()?, numbers.len()), (30, 4));
    Ok(())
}

#[derive(Clone, Copy, Debug, PartialEq, Pod, Zeroable)]
#[repr(C)]
struct Place {
    x: f64,
    y: f64,
    visits: [u32; 2],
}

fn structs_and_arrays_of_numbers() -> Outcome {
    let place = Value::new(Place { x: 0.5, y: 2.0, visits: [1, 2] })?;
    let move_it = |place: Value<Place>| {
        let mut place = place.lock().expect("no holder dies");
        place.x += place.y;
        place.visits[0] = 7;
    };
    elsewhere(move_it, place.clone())?;
    assert_eq!(*place.lock()?, Place { x: 2.5, y: 2.0, visits: [7, 2] });
    assert_eq!(*Value::new([7u8; 33])?.lock()?, [7; 33]);
    Ok(())
}

fn bools_chars_and_enums() -> Outcome {
    let all = (
        Value::new(false)?,
        Value::new('a')?,
        Value::new(Weather::Rain)?,
        Array::from_slice(&[Weather::Sun, Weather::Rain])?,
        Array::<bool>::new(2)?,
    );
    let change = |(flag, letter, weather, week, flags): (_, Value<char>, _, Array<_>, Array<_>)| {
        let flag: Value<bool> = flag;
        let weather: Value<Weather> = weather;
        *flag.lock()? = true;
        *letter.lock()? = char::MAX;
        week.lock()?.fill(*weather.lock()?);
        *weather.lock()? = Weather::Sun;
        flags.lock()?[1] = true;
        Ok::<_, Error>(())
    };
    elsewhere(change, all.clone())??;
    assert_eq!((*all.0.lock()?, *all.1.lock()?), (true, char::MAX));
    assert_eq!((*all.2.lock()?, &*all.3.lock()?), (Weather::Sun, &[Weather::Rain; 2][..]));
    assert_eq!(*all.4.lock()?, [false, true]);
    Ok(())
}

fn zero_and_many_elements() -> Outcome {
    let (none, raw_none) = (Array::<u64>::from_slice(&[])?, RawArray::<u8>::new(0)?);
    let look = |(none, raw): (Array<u64>, RawArray<u8>)| {
        let empty = none.lock().expect("no holder dies").is_empty();
        empty && none.is_empty() && raw.is_empty() && raw.get(0).is_err()
    };
    assert!(elsewhere(look, (none, raw_none))?);
    let many = Array::<u8>::new(100 << 20)?;
    let sum = |many: Array<u8>| {
        let mut many = many.lock().expect("no holder dies");
        let sum: u64 = many.iter().map(|byte| u64::from(*byte)).sum();
        many[0] = 2;
        sum
    };
    many.lock()?[(100 << 20) - 1] = 1;
    assert_eq!(elsewhere(sum, many.clone())?, 1);
    assert_eq!(many.lock()?[0], 2);
    Ok(())
}

fn values_travel_through_a_connection() -> Outcome {
    let (receiver, sender) = pipe_one_way::<(Value<u32>, Array<u8>)>()?;
    let fill = |receiver: Receiver<(Value<u32>, Array<u8>)>| {
        let (value, array) = receiver.recv().expect("both");
        *value.lock().expect("free") = id();
        array.lock().expect("free").fill(9);
    };
    let child = Process::spawn(fill, receiver)?;
    let (value, array) = (Value::new(0)?, Array::new(3)?);
    sender.send((value.clone(), array.clone()))?;
    let pid = child.pid();
    join(child)?;
    assert_eq!((*value.lock()?, array.lock()?.to_vec()), (pid, vec![9; 3]));
    Ok(())
}

fn a_value_is_locked_or_not() -> Outcome {
    let (value, array) = (Value::new(1)?, Array::from_slice(&[1, 2])?);
    let guards = (value.try_lock()?, array.try_lock()?);
    assert_eq!((*guards.0, guards.1.len()), (*guards.0, array.len()));
    assert!(value.is_locked()? && array.is_locked()?);
    let locked = |(value, array): (Value<i32>, Array<i32>)| {
        let no_value = matches!(value.try_lock(), Err(Error::WouldBlock))
            && matches!(value.lock_timeout(SHORT), Err(Error::TimedOut));
        let no_array = matches!(array.try_lock(), Err(Error::WouldBlock))
            && matches!(array.lock_timeout(SHORT), Err(Error::TimedOut));
        Ok::<_, Error>(no_value && no_array && value.is_locked()? && array.is_locked()?)
    };
    assert!(elsewhere(locked, (value.clone(), array.clone()))??);
    drop(guards);
    assert!(!value.is_locked()? && !array.is_locked()?);
    assert!(!elsewhere(locked, (value.clone(), array.clone()))??);
    assert!(value.lock_timeout(LONG).is_ok() && array.lock_timeout(LONG).is_ok());
    Ok(())
}

fn two_guards_in_one_expression_are_an_error() -> Outcome {
    let (value, array) = (Value::new(1)?, Array::from_slice(&[1, 2])?);
    let add = || Ok(*value.lock()? + *value.clone().lock()?);
    let add_elements = || Ok(array.lock()?[0] + array.lock()?[1]);
    for sum in [&add as &dyn Fn() -> Result<i32, Error>, &add_elements] {
        let error = sum().err().ok_or("two guards")?;
        assert!(matches!(error, Error::AlreadyLocked));
        assert!(error.to_string().contains("in one expression, such as f(*v.lock()?"), "{error}");
    }
    let _guard = value.lock()?;
    assert!(matches!(value.lock_timeout(LONG), Err(Error::AlreadyLocked)));
    assert!(matches!(value.lock_or_repair(|_| ()), Err(Error::AlreadyLocked)));
    assert!(matches!(value.try_lock(), Err(Error::WouldBlock)));
    Ok(())
}

fn what_lies_there_is_shown() -> Outcome {
    let (value, array) = (Value::new(1.5)?, Array::from_slice(&['a', 'b'])?);
    assert_eq!(format!("{value:?} {array:?}"), "Value(free) Array { len: 2, lock: free }");
    let guards = (value.lock()?, array.lock()?);
    assert_eq!(format!("{} {:?} {:?}", guards.0, guards.0, guards.1), "1.5 1.5 ['a', 'b']");
    assert_eq!(format!("{value:?}"), format!("Value(held by process {})", id()));
    Ok(())
}

fn what_the_system_refuses_is_an_error() -> Result<(), Box<dyn StdError>> {
    for length in [usize::MAX, usize::MAX / 8, 1 << 60, 1 << 50, 1 << 40] {
        let error = Array::<u64>::new(length).err().ok_or("so much memory")?;
        assert!(error.to_string().contains("cannot reserve"), "{error}");
        assert!(RawArray::<u64>::new(length).is_err());
    }
    let (_, hard) = getrlimit(Resource::RLIMIT_FSIZE)?;
    setrlimit(Resource::RLIMIT_FSIZE, 1 << 16, hard)?;
    assert!(Array::<u8>::new(200_000).is_err());
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE)?;
    setrlimit(Resource::RLIMIT_NOFILE, 3, hard)?;
    assert!(Value::new(1).is_err());
    Ok(())
}

fn anonymous_memory_cannot_be_shrunk() -> Result<(), Box<dyn StdError>> {
    let array = Array::from_slice(&[1u8; 5000])?;
    let mut open = fs::read_dir("/proc/self/fd")?.flatten().map(|entry| entry.path());
    let is_memory = |path: &PathBuf| {
        fs::read_link(path).is_ok_and(|link| link.to_string_lossy().contains("memfd:"))
    };
    let path = open.find(is_memory).ok_or("no memfd")?;
    let file = fs::OpenOptions::new().write(true).open(path)?;
    for length in [0, 4096, 10_000] {
        let error = ftruncate(&file, length).err().ok_or("its length was changed")?;
        assert_eq!(error, nix::Error::EPERM);
    }
    assert_eq!(array.lock()?[4999], 1);
    Ok(())
}

fn nothing_leaks() -> Result<(), Box<dyn StdError>> {
    let make_all = || -> Result<(), Error> {
        let array = Array::from_slice(&[1, 2, 3])?;
        drop(array.clone().lock()?);
        drop((array, Value::new(1)?.clone(), RawArray::<u8>::new(10_000)?));
        Ok(())
    };
    make_all()?;
    let before = helper::open_and_mapped()?;
    (0..200).try_for_each(|_| make_all())?;
    assert_eq!(helper::open_and_mapped()?, before);
    Ok(())
}
