//! In which thread does a callback run?
//!
//!     cargo run --example executor_callback

use multiprocessing::{
    Event, Executor, ProcessPoolExecutor, ThreadPoolExecutor,
};
use std::sync::mpsc::channel;
use std::thread::current;

type Error = Box<dyn std::error::Error + Send + Sync>;

fn main() -> Result<(), Error> {
    multiprocessing::init();
    call_back("in a thread", &ThreadPoolExecutor::new(1)?)?;
    call_back("in a process", &ProcessPoolExecutor::new(1)?)
}

// ANCHOR: callback
fn call_back(
    what: &str,
    executor: &impl Executor,
) -> Result<(), Error> {
    let (go, (sender, thread)) = (Event::new()?, channel());
    let task = executor.submit(wait, go.clone());
    task.on_done(move |_result| {
        let name = current().name().map(String::from);
        let _ = sender.send(name.unwrap_or_default());
    });
    go.set();
    println!("task {what}: called by {}", thread.recv()?);

    let task = executor.submit(wait, go);
    task.wait();
    task.on_done(|_result| {
        let name = current().name().map(String::from);
        println!(
            "- after its end: {}",
            name.unwrap_or_default()
        );
    });
    Ok(())
}
// ANCHOR_END: callback

fn wait(go: Event) {
    go.wait();
}
