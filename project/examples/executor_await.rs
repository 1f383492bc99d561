//! Tasks of a pool are awaited by tokio.
//!
//!     cargo run --example executor_await

use multiprocessing::{Error, Executor, ProcessPoolExecutor};
use std::time::Duration;
use tokio::runtime::Runtime;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    multiprocessing::init(); // before there are threads
    Runtime::new()?.block_on(serve())
}

// ANCHOR: serve
async fn serve() -> Result<(), Box<dyn std::error::Error>> {
    let executor = ProcessPoolExecutor::new(2)?;
    let three = executor.submit(square, 3);
    let four = executor.submit(square, 4);
    let (three, four) = tokio::join!(three, four);
    println!("{} {}", three?, four?);

    let mut endless = executor.submit(park, ());
    let limit = Duration::from_millis(100);
    match timeout(limit, &mut endless).await {
        Ok(result) => result?,
        Err(_) => endless.cancel(), // ends the worker
    }
    match endless.await {
        Err(Error::Cancelled) => println!("cancelled"),
        other => println!("{other:?}"),
    }
    spawn_blocking(|| executor.shutdown()).await?;
    Ok(())
}
// ANCHOR_END: serve

fn square(number: u64) -> u64 {
    number * number
}

fn park(_: ()) {
    loop {
        std::thread::park();
    }
}
