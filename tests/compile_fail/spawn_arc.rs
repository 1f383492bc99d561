use multiprocessing::{Error, Process};
use std::sync::{Arc, Mutex};

fn main() -> Result<(), Error> {
    multiprocessing::init();
    let count = Arc::new(Mutex::new(0));
    Process::spawn(|count: Arc<Mutex<i32>>| drop(count), count)?.join()
}
