//! A task waits for a child, with a limit and without a thread.
//!
//!     cargo run --example project_tokio_fd

use multiprocessing::Process;
use std::error::Error;
use std::time::Duration;
use tokio::io::{Interest, unix::AsyncFd};
use tokio::runtime::Runtime;
use tokio::time::timeout;

fn main() -> Result<(), Box<dyn Error>> {
    multiprocessing::init();
    Runtime::new()?.block_on(serve())
}

async fn serve() -> Result<(), Box<dyn Error>> {
    let child = Process::spawn(work, ())?;
    let end = Interest::READABLE;
    // SAFETY: a Process keeps one descriptor, open, all its
    // life.
    let child =
        unsafe { AsyncFd::register_with_interest(child, end)? };

    let limit = Duration::from_millis(100);
    if timeout(limit, child.readable()).await.is_err() {
        println!("It is too slow: kill it");
        child.get_ref().kill()?;
        let _ = child.readable().await?;
    }
    match child.into_inner().join() {
        Ok(()) => println!("It has ended in time"),
        Err(error) => println!("{error}"),
    }
    Ok(())
}

fn work(_: ()) {
    std::thread::sleep(Duration::MAX);
}
