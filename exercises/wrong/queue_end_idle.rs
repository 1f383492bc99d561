//! Refused: Before the last number came, 1 of the workers had ended
// The parent adds up all numbers, and the workers end at once.
use multiprocessing::{Error, Process, Queue};
use std::time::Duration;
use std::{env, thread};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    multiprocessing::init();
    let mut arguments = env::args().skip(1);
    let workers =
        arguments.next().ok_or("how many workers?")?;
    let last = arguments.next().ok_or("up to which number?")?;

    let numbers = Queue::new(1000)?;
    let mut children = vec![];
    for _ in 0..workers.parse()? {
        children.push(Process::spawn(idle, ())?);
    }
    for number in 1..last.parse()? {
        numbers.put(number)?;
    }
    thread::sleep(Duration::from_secs(1)); // it comes late
    numbers.put(last.parse()?)?;
    numbers.close();

    let mut sum = 0;
    for child in children {
        child.join()?;
    }
    sum += add(numbers)?;
    println!("the sum is {sum}");
    Ok(())
}

fn idle(_: ()) {}

fn add(numbers: Queue<u64>) -> Result<u64, Error> {
    let mut sum = 0;
    for number in numbers.iter() {
        sum += number?;
    }
    Ok(sum)
}
