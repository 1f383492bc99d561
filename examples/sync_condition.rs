//! A tank that one process fills and another empties.
//!
//!     cargo run --example sync_condition

use multiprocessing::{Condition, Error, Process, Value};
use std::thread::sleep;
use std::time::Duration;

type Tank = (Value<u32>, Condition);

fn main() -> Result<(), Error> {
    multiprocessing::init();
    let level = Value::new(0)?;
    let changed = Condition::new()?;
    let shared = (level.clone(), changed.clone());
    let p = Process::spawn(empty, shared)?;
    for _ in 0..3 {
        sleep(Duration::from_millis(100)); // a slow tap
        *level.lock()? += 5;
        changed.notify_all();
    }
    println!("{} litres were taken.", p.join()??);
    Ok(())
}

fn empty((level, changed): Tank) -> Result<u32, Error> {
    let mut taken = 0;
    while taken < 15 {
        let level = level.lock()?;
        let mut level =
            changed.wait_while(level, |l| *l == 0)?;
        taken += *level;
        *level = 0;
    }
    Ok(taken)
}
