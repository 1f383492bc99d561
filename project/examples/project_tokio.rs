//! tokio beside children: `join` waits in a thread of tokio's.
//!
//!     cargo run --example project_tokio

use multiprocessing::{Event, Process};
use tokio::runtime::Runtime;
use tokio::task::spawn_blocking;

type Error = Box<dyn std::error::Error + Send + Sync>;

fn main() -> Result<(), Error> {
    multiprocessing::init(); // before there are threads
    Runtime::new()?.block_on(serve())
}

async fn serve() -> Result<(), Error> {
    let go = Event::new()?;
    let patient = Process::spawn(wait_for, go.clone())?;
    let patient = spawn_blocking(|| patient.join());

    let quick = Process::spawn(|n: i32| 2 * n, 21)?;
    let result = spawn_blocking(|| quick.join()).await??;
    println!("The quick child: {result}");

    go.set();
    println!("The patient child: {}", patient.await??);
    Ok(())
}

fn wait_for(go: Event) -> String {
    go.wait();
    "it was told to go".to_string()
}
