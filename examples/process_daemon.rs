//! A daemon ends with its parent.
//!
//!     cargo run --example process_daemon

use multiprocessing::{Error, Process, Sender, pipe_one_way};

fn main() -> Result<(), Error> {
    multiprocessing::init();
    let (reader, ready) = pipe_one_way()?;
    let builder = Process::builder().daemon(true);
    let _p = builder.spawn(work, ready)?;
    reader.recv()?;
    println!("Main process end");
    Ok(())
}

fn work(ready: Sender<()>) -> Result<(), Error> {
    println!("Daemon at work, for ever");
    ready.send(())?;
    std::thread::sleep(std::time::Duration::MAX);
    Ok(())
}
