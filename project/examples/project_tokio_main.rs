//! `#[tokio::main]` starts threads above `init()`.
//!
//!     cargo run --example project_tokio_main

use multiprocessing::{Error, Process};

#[tokio::main(worker_threads = 2)]
async fn main() -> Result<(), Error> {
    multiprocessing::init(); // too late
    let child = Process::spawn(|n: i32| 2 * n, 21)?;
    match child.join() {
        Ok(result) => println!("{result}"),
        Err(error) => println!("{error}"),
    }
    Ok(())
}
