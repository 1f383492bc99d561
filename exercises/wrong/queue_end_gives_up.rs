//! Refused: the sum is
// The workers give up when a number comes late.
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
    while let Ok(Some(number)) =
        numbers.get_timeout(Duration::from_millis(500))
    {
        sum += number;
    }
    Ok(sum)
}
