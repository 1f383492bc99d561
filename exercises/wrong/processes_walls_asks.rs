//! Refused: should start 3 children, but it started no child

use std::time::Duration;
use std::{env, num, process, thread};

fn main() -> Result<(), num::ParseIntError> {
    for argument in env::args().skip(1) {
        let number: i64 = argument.parse()?;
        let thread = thread::spawn(move || {
            assert!(number >= 0);
            root(number)
        });
        match thread.join() {
            Ok(root) => println!("{number}: {root}"),
            Err(_) => println!("{number}: crashed"),
        }
    }
    Ok(())
}

/// Nothing is to be changed in it.
fn root(number: i64) -> i64 {
    thread::sleep(Duration::from_millis(10)); // It is slow.
    if number < 0 {
        process::abort();
    }
    number.isqrt()
}
