//! What concerns all locks and signals: how they travel, what is not taken for one, what
//! clones and forked children share, and that nothing leaks.

use multiprocessing::{
    Array, Barrier, BoundedSemaphore, Condition, Connection, Descriptor, Error, Event, Lock,
    Process, RLock, RawArray, RawValue, Receiver, Semaphore, Sender, SharedMemory, Value, pipe,
};
use nix::fcntl::{FallocateFlags, FcntlArg, SealFlag, fallocate, fcntl};
use nix::sys::memfd::{MFdFlags, memfd_create};
use nix::unistd::ftruncate;
use serde::de::DeserializeOwned;
use std::any::TypeId;
use std::error::Error as StdError;
use std::fs;
use std::mem;
use std::process::{ExitCode, id};
use tests::cast::{cast, refusal};
use tests::helper::{self, LONG, join};
use tests::{Outcome, helpers, trials};

fn main() -> ExitCode {
    let trials = trials![
        all_travel_in_messages,
        none_is_taken_for_another,
        elements_are_not_taken_for_those_of_another_type,
        types_of_one_name_are_told_apart,
        one_byte_is_no_lock_and_no_array,
        other_files_are_not_taken_for_shared_memory,
        shared_memory_is_not_taken_for_a_file,
    ];
    let alone = helpers![
        a_forked_child_shares_what_it_finds,
        clones_share_one_descriptor_and_one_mapping,
        nothing_leaks,
    ];
    helper::main(trials, alone, &[])
}

/// Each of them, for a process that runs already.
type Everything =
    ((Lock, RLock, Semaphore, BoundedSemaphore), (Event, Condition, Barrier, Value<u32>));

fn everything() -> Result<Everything, Error> {
    let locks = (Lock::new()?, RLock::new()?, Semaphore::new(0)?, BoundedSemaphore::new(1)?);
    Ok((locks, (Event::new()?, Condition::new()?, Barrier::new(2)?, Value::new(0)?)))
}

fn all_travel_in_messages() -> Outcome {
    let (ours, theirs) = pipe::<Everything, ()>()?;
    let child = Process::spawn(use_all, theirs)?;
    let all = everything()?;
    ours.send(all.clone())?;
    let (locks, (event, changed, barrier, value)) = all;
    barrier.wait_timeout(LONG)?;
    ours.recv()?;
    assert!(locks.0.is_locked()? && locks.1.is_locked()?);
    assert_eq!((locks.2.available(), locks.3.available()), (1, 0));
    event.set();
    let pid = child.pid();
    drop(changed.wait_while(value.lock()?, |value| *value != pid)?);
    join(child)?;
    Ok(())
}

fn use_all(connection: Connection<(), Everything>) {
    let (locks, (event, changed, barrier, value)) = connection.recv().expect("all of them");
    barrier.wait().expect("the parent comes");
    let _guards = (locks.0.acquire().expect("free"), locks.1.acquire().expect("free"));
    locks.2.release();
    let _permit = locks.3.acquire();
    connection.send(()).expect("the parent listens");
    event.wait();
    *value.lock().expect("free") = id();
    changed.notify_all();
}

fn none_is_taken_for_another() -> Outcome {
    let refusals = [
        refusal::<_, RLock>(Lock::new()?)?,
        refusal::<_, Lock>(RLock::new()?)?,
        refusal::<_, Lock>(Barrier::new(2)?)?,
        refusal::<_, Barrier>(Array::from_slice(&[0u32; 5])?)?,
        refusal::<_, Array<u32>>(Barrier::new(2)?)?,
        refusal::<_, Event>(Semaphore::new(1)?)?,
        refusal::<_, Semaphore>(Event::new()?)?,
        refusal::<_, Condition>(Event::new()?)?,
        refusal::<_, Lock>(RawArray::from_slice(&[u64::MAX; 16])?)?,
        refusal::<_, RawArray<u8>>(Lock::new()?)?,
    ];
    for refusal in refusals {
        assert!(refusal.contains("it is shared memory of"), "{refusal}");
    }
    Ok(())
}

fn elements_are_not_taken_for_those_of_another_type() -> Outcome {
    let refusals = [
        refusal::<_, Value<bool>>(Value::new(2u8)?)?,
        refusal::<_, Value<char>>(Value::new(u32::MAX)?)?,
        refusal::<_, Array<f32>>(Array::from_slice(&[1u32])?)?,
        refusal::<_, Array<[u8; 2]>>(Array::from_slice(&[1u8, 2])?)?,
        refusal::<_, Array<u8>>(RawArray::from_slice(&[1u8; 64])?)?,
        refusal::<_, RawArray<u8>>(Array::from_slice(&[1u8; 64])?)?,
        refusal::<_, RawArray<u32>>(RawArray::from_slice(&[1u64])?)?,
        refusal::<_, RawValue<f64>>(RawValue::new(1u64)?)?,
    ];
    for refusal in refusals {
        assert!(refusal.contains("it is shared memory of"), "{refusal}");
    }
    let refusals = [
        refusal::<_, Value<u64>>(Array::from_slice(&[1u64, 2])?)?,
        refusal::<_, RawValue<u64>>(RawArray::from_slice(&[1u64, 2])?)?,
    ];
    for refusal in refusals {
        assert!(refusal.contains("an array of 2 elements, not a value"), "{refusal}");
    }
    // A connection gives its descriptor away, and a `File` on it could write under a guard.
    let refusals = [
        refusal::<_, Connection<u8, u8>>(Array::from_slice(&[1u64])?)?,
        refusal::<_, Connection<u8, u8>>(Lock::new()?)?,
        refusal::<_, Receiver<u8>>(RawArray::from_slice(&[1u64])?)?,
        refusal::<_, Sender<u8>>(Event::new()?)?,
    ];
    for refusal in refusals {
        assert!(refusal.contains("not an end of a pipe"), "{refusal}");
    }
    Ok(())
}

/// `type_name` gives both the same.
fn types_of_one_name_are_told_apart() -> Outcome {
    let sent = {
        #[derive(Clone, Copy, bytemuck::NoUninit, bytemuck::CheckedBitPattern)]
        #[repr(u8)]
        enum Digit {
            Two = 2,
        }
        Value::new(Digit::Two)?
    };
    #[derive(Clone, Copy, bytemuck::NoUninit, bytemuck::CheckedBitPattern)]
    #[repr(u8)]
    enum Digit {
        One = 1,
    }
    Value::new(Digit::One)?;
    refusal::<_, Value<Digit>>(sent)?;
    Ok(())
}

/// A memfd of one byte that cannot be shrunk, with a name as this crate gives it.
fn one_byte(kind: &str) -> Result<Descriptor, Box<dyn StdError>> {
    let name = format!("multiprocessing-{kind}");
    let file = memfd_create(name.as_str(), MFdFlags::MFD_ALLOW_SEALING)?;
    fallocate(&file, FallocateFlags::empty(), 0, 1)?;
    fcntl(&file, FcntlArg::F_ADD_SEALS(SealFlag::F_SEAL_SHRINK | SealFlag::F_SEAL_GROW))?;
    Ok(Descriptor::from(file))
}

/// What `T` says to one byte of its kind.
fn refusal_of_one_byte<T: DeserializeOwned>(kind: &str) -> Result<(), Box<dyn StdError>> {
    let refusal = refusal::<_, T>(one_byte(kind)?)?;
    assert!(refusal.contains("shared memory is not a file"), "{refusal}");
    Ok(())
}

fn one_byte_is_no_lock_and_no_array() -> Outcome {
    refusal_of_one_byte::<Lock>("Lock")?;
    refusal_of_one_byte::<RLock>("RLock")?;
    refusal_of_one_byte::<Semaphore>("Semaphore")?;
    refusal_of_one_byte::<Event>("Event")?;
    refusal_of_one_byte::<Condition>("Condition")?;
    refusal_of_one_byte::<Barrier>("Barrier")?;
    let bytes = format!("({:?}, \"u8\")", TypeId::of::<u8>());
    refusal_of_one_byte::<Array<u8>>(&format!("Array{bytes}"))?;
    refusal_of_one_byte::<Value<u8>>(&format!("Array{bytes}"))?;
    let raw = format!("Raw{bytes}");
    let refusal = refusal::<_, RawValue<u8>>(one_byte(&raw)?)?;
    assert!(refusal.contains("shared memory is not a file"), "{refusal}");
    Ok(())
}

fn other_files_are_not_taken_for_shared_memory() -> Outcome {
    let file = Descriptor::from(fs::File::open("/dev/zero")?);
    assert!(refusal::<_, Event>(file)?.contains("cannot look at shared memory"));
    let memfd = memfd_create(c"multiprocessing-Event", MFdFlags::empty())?;
    ftruncate(&memfd, 4096)?;
    let refused = refusal::<_, Event>(Descriptor::from(memfd))?;
    assert!(refused.contains("shared memory is not a file"), "{refused}");
    let memfd = memfd_create(c"multiprocessing-Event", MFdFlags::MFD_ALLOW_SEALING)?;
    ftruncate(&memfd, 1 << 30)?;
    fcntl(&memfd, FcntlArg::F_ADD_SEALS(SealFlag::F_SEAL_SHRINK | SealFlag::F_SEAL_GROW))?;
    let refused = refusal::<_, Event>(Descriptor::from(memfd))?;
    assert!(refused.contains("shared memory is not a file"), "{refused}");
    Ok(())
}

/// Whoever had a file on a lock could write into it.
fn shared_memory_is_not_taken_for_a_file() -> Outcome {
    let refusals = [
        refusal::<_, Descriptor>(Lock::new()?)?,
        refusal::<_, Descriptor>(Array::from_slice(&[true])?)?,
        refusal::<_, Descriptor>(RawArray::<u8>::new(1)?)?,
        refusal::<_, SharedMemory>(("name".to_string(), Lock::new()?))?,
    ];
    for refusal in refusals {
        assert!(refusal.contains("shared memory is not a file"), "{refusal}");
    }
    Ok(())
}

fn a_forked_child_shares_what_it_finds() -> Result<(), Box<dyn StdError>> {
    let (value, barrier) = (Value::new(0u32)?, Barrier::new(2)?);
    let add = || -> Result<(), Error> {
        barrier.wait()?;
        (0..10_000).try_for_each(|_| value.lock().map(|mut value| *value += 1))
    };
    // SAFETY: this program has no other thread, and holds no lock.
    let child = unsafe { Process::fork(add) }?;
    add()?;
    child.join()??;
    assert_eq!(*value.lock()?, 20_000);
    // SAFETY: the same.
    let child = unsafe { Process::fork(|| mem::forget(value.lock())) }?;
    child.join()?;
    assert!(matches!(value.lock(), Err(Error::OwnerDied)));
    Ok(())
}

fn clones_share_one_descriptor_and_one_mapping() -> Result<(), Box<dyn StdError>> {
    let (locks, (event, changed, barrier, value)) = everything()?;
    let (array, raw) = (Array::from_slice(&[1u8; 5000])?, RawArray::<u64>::new(1)?);
    let named = SharedMemory::new(10)?;
    let all = (locks, (event, changed, barrier, value), array, raw, named);
    let before = helper::open_and_mapped()?;
    let clones = vec![all.clone(); 100];
    assert_eq!(helper::open_and_mapped()?, before);
    drop(clones[0].0.0.acquire()?);
    *clones[1].1.3.lock()? = 7;
    clones[2].4.write(0, &[7])?;
    let (_, (.., value), .., named) = &clones[3];
    let mut byte = [0];
    named.read(0, &mut byte)?;
    assert_eq!((*value.lock()?, byte), (7, [7]));
    drop(all);
    drop(clones);
    let after = helper::open_and_mapped()?;
    assert!(after.0 < before.0 && after.1 < before.1, "the last clone closes all");
    Ok(())
}

fn nothing_leaks() -> Result<(), Box<dyn StdError>> {
    let make_all = || -> Result<(), Error> {
        let (locks, (.., value)) = everything()?;
        drop((locks.0.acquire()?, locks.1.acquire()?, locks.1.acquire()?));
        drop(value.clone().lock()?);
        drop(cast::<_, Lock>(locks.0.clone())?.acquire()?);
        drop(cast::<_, Lock>(Event::new()?).err());
        Ok(())
    };
    make_all()?;
    let before = helper::open_and_mapped()?;
    (0..1000).try_for_each(|_| make_all())?;
    assert_eq!(helper::open_and_mapped()?, before);
    Ok(())
}
