use multiprocessing::{Error, Pool};
use std::sync::{Arc, Mutex};

fn main() -> Result<(), Error> {
    multiprocessing::init();
    let (pool, count) = (Pool::new(2)?, Arc::new(Mutex::new(0)));
    pool.map(|count: Arc<Mutex<u32>>| drop(count), vec![count; 10])?;
    Ok(())
}
