use multiprocessing::{Error, Executor, ThreadPoolExecutor};

fn main() -> Result<(), Error> {
    let executor = ThreadPoolExecutor::new(2)?;
    let factor = 2;
    for result in executor.map(|n: i32| n * factor, 0..10) {
        println!("{}", result?);
    }
    Ok(())
}
