//! Values and arrays in shared memory, without a lock.

use multiprocessing::{Error, ForkServer, Process, RawArray, RawValue};
use std::process::ExitCode;
use std::sync::atomic::Ordering::Relaxed;
use tests::helper::{self, elsewhere, join};
use tests::{Outcome, trials};

fn main() -> ExitCode {
    let trials = trials![
        all_start_methods_share,
        an_index_out_of_range_is_an_error,
        elements_are_copied,
        elements_of_every_size_are_copied,
        numbers_are_never_torn,
        numbers_are_never_torn_in_long_copies,
        atomics_lose_nothing,
    ];
    helper::main(trials, &[], &[])
}

fn all_start_methods_share() -> Outcome {
    let (server, seen) = (ForkServer::start()?, RawArray::<u32>::new(3)?);
    let write = |(seen, place): (RawArray<u32>, u32)| {
        seen.set(place as usize, place + 1).expect("a place");
        seen.to_vec()[place as usize]
    };
    let spawned = Process::spawn(write, (seen.clone(), 0))?;
    let served = server.spawn(write, (seen.clone(), 2))?;
    assert_eq!((join(spawned)?, join(served)?), (1, 3));
    let mut all = [9; 3];
    seen.read(0, &mut all)?;
    assert_eq!(all, [1, 0, 3]);
    Ok(())
}

fn an_index_out_of_range_is_an_error() -> Outcome {
    let array = RawArray::from_slice(&[1u16, 2, 3])?;
    assert!(matches!(array.get(3), Err(Error::OutOfRange { index: 3, length: 3 })));
    assert!(matches!(array.get(usize::MAX), Err(Error::OutOfRange { .. })));
    assert!(matches!(array.set(3, 0), Err(Error::OutOfRange { index: 3, length: 3 })));
    assert!(matches!(array.write(2, &[0, 0]), Err(Error::OutOfRange { index: 3, length: 3 })));
    assert!(array.read(usize::MAX, &mut [0, 0]).is_err());
    assert_eq!(array.to_vec(), [1, 2, 3], "nothing was written");
    assert!(array.read(3, &mut []).is_ok());
    Ok(())
}

fn elements_are_copied() -> Outcome {
    let array = RawArray::from_slice(&[1.5f32, 2.5, 3.5, 4.5, 5.5])?;
    array.set(1, -1.0)?;
    array.write(3, &[7.0, 8.0])?;
    let mut middle = [0.0; 3];
    array.read(1, &mut middle)?;
    assert_eq!(middle, [-1.0, 3.5, 7.0]);
    assert_eq!(array.iter().collect::<Vec<_>>(), [1.5, -1.0, 3.5, 7.0, 8.0]);
    Ok(())
}

fn elements_of_every_size_are_copied() -> Outcome {
    let colours = RawArray::from_slice(&[[1u8, 2, 3]; 100])?;
    let large = RawArray::from_slice(&[u128::MAX / 3; 10])?;
    let value = RawValue::new([1u8, 2, 3])?;
    let change =
        |(colours, large, value): (RawArray<[u8; 3]>, RawArray<u128>, RawValue<[u8; 3]>)| {
            value.set(colours.get(99)?.map(|byte| byte + 3));
            colours.write(1, &[[4, 5, 6]; 98])?;
            large.set(9, large.get(0)? * 2)
        };
    elsewhere(change, (colours.clone(), large.clone(), value.clone()))??;
    let (first, last) = (colours.get(0)?, colours.get(99)?);
    assert_eq!((first, last, value.get()), ([1, 2, 3], [1, 2, 3], [4, 5, 6]));
    assert_eq!(colours.to_vec()[1..99], [[4, 5, 6]; 98]);
    assert_eq!((large.len(), large.get(8)?, large.get(9)?), (10, u128::MAX / 3, u128::MAX / 3 * 2));
    Ok(())
}

fn numbers_are_never_torn() -> Outcome {
    whole_numbers(1)
}

fn numbers_are_never_torn_in_long_copies() -> Outcome {
    whole_numbers(200)
}

/// Both halves of each number are the same, always.
fn whole_numbers(count: usize) -> Outcome {
    let numbers = RawArray::<u64>::new(count)?;
    let write = |numbers: RawArray<u64>| {
        for n in 0..100_000_000 {
            let half = n % 1000;
            numbers.write(0, &vec![half << 32 | half; numbers.len()]).expect("so many");
        }
    };
    let writer = Process::spawn(write, numbers.clone())?;
    let mut seen = 0;
    while seen < 1000 {
        let all = numbers.to_vec();
        assert!(all.iter().all(|number| number >> 32 == number & 0xffff_ffff), "{all:x?}");
        seen += u64::from(all[0] > 0);
    }
    writer.kill()?;
    assert!(matches!(join(writer), Err(Error::Killed { signal: 9 })));
    Ok(())
}

fn atomics_lose_nothing() -> Outcome {
    let counters = RawArray::<u32>::new(2)?;
    let count = |counters: RawArray<u32>| {
        for _ in 0..50_000 {
            counters.atomics()[1].fetch_add(1, Relaxed);
        }
    };
    let start = || Process::spawn(count, counters.clone());
    for child in [start()?, start()?] {
        join(child)?;
    }
    assert_eq!(counters.to_vec(), [0, 100_000]);
    let value = RawValue::new(-1i64)?;
    assert_eq!(value.atomic().fetch_sub(1, Relaxed), -1);
    assert_eq!(value.get(), -2);
    Ok(())
}
