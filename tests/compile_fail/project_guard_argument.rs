use multiprocessing::{Error, Process, Value, ValueGuard};

fn main() -> Result<(), Error> {
    multiprocessing::init();
    let count = Value::new(0)?;
    Process::spawn(add, count.lock()?)?.join()
}

fn add(mut count: ValueGuard<i32>) {
    *count += 1;
}
