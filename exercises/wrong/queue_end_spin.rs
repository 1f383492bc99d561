//! Refused: in which there was nothing to do
// The workers look again and again.
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
    numbers.close();

    let mut sum = 0;
    for child in children {
        sum += child.join()??;
    }
    println!("the sum is {sum}");
    Ok(())
}

fn add(numbers: Queue<Option<u64>>) -> Result<u64, Error> {
    let mut sum = 0;
    loop {
        match numbers.try_get() {
            Ok(n) => sum += n.unwrap_or(0),
            Err(Error::WouldBlock) => (),
            Err(_) => break,
        }
    }
    Ok(sum)
}
