//! Tests under libtest, whose `main` is not yours.

use multiprocessing::{Error, Process, Value};

multiprocessing::init_before_main!();

#[test]
fn two_processes_count_to_200() -> Result<(), Error> {
    let count = Value::new(0)?;
    let first = Process::spawn(add_100, count.clone())?;
    let second = Process::spawn(add_100, count.clone())?;
    first.join()??;
    second.join()??;
    assert_eq!(*count.lock()?, 200);
    Ok(())
}

fn add_100(count: Value<u32>) -> Result<(), Error> {
    for _ in 0..100 {
        *count.lock()? += 1;
    }
    Ok(())
}
