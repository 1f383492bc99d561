//! Some workers add up the numbers that they get from a queue.
//! The program prints the sum of what they have added. Its
//! arguments are how many workers there are, and the last
//! number. Nobody knows when the next number will come.
//!
//! As it is given, it hangs when there are two workers or more:
//! Ctrl-C stops it. Mend it, and check it:
//!
//!     cargo exercise queue_end
//!
//! To run it without a check:
//!
//!     cargo run -p exercises --bin queue_end -- 3 100

use multiprocessing::{Error, Process, Queue};
use std::time::Duration;
use std::{env, thread};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    multiprocessing::init();
    let mut arguments = env::args().skip(1);
    let workers =
        arguments.next().ok_or("how many workers?")?;
    let last = arguments.next().ok_or("up to which number?")?;

    let numbers = Queue::new(10)?;
    let mut children = vec![];
    for _ in 0..workers.parse()? {
        children.push(Process::spawn(add, numbers.clone())?);
    }
    for number in 1..last.parse()? {
        numbers.put(Some(number))?;
    }
    thread::sleep(Duration::from_secs(1)); // it comes late
    numbers.put(Some(last.parse()?))?;
    numbers.put(None)?; // no more

    let mut sum = 0;
    for child in children {
        sum += child.join()??;
    }
    println!("the sum is {sum}");
    Ok(())
}

fn add(numbers: Queue<Option<u64>>) -> Result<u64, Error> {
    let mut sum = 0;
    while let Some(number) = numbers.get()? {
        sum += number;
    }
    Ok(sum)
}
