//! One thread sends, another receives: however much there is,
//! nobody waits in a circle.
//!
//!     cargo run --example pipe_split

use multiprocessing::{Connection, Process, pipe};
use std::error::Error;
use std::thread;

type End = Connection<String, String>;

fn main() -> Result<(), Box<dyn Error>> {
    multiprocessing::init();
    for length in [1_000, 1_000_000] {
        let (ours, theirs) = pipe()?;
        let child = Process::spawn(talk, (theirs, length))?;
        let heard = talk((ours, length));
        let by_child = child.join()?;
        println!("{length}: heard {heard} and {by_child}");
    }
    Ok(())
}

// ANCHOR: talk
fn talk((connection, length): (End, usize)) -> usize {
    let (sender, receiver) = connection.split();
    let text = "x".repeat(length);
    let writer = thread::spawn(move || sender.send(text));
    let heard = receiver.recv().expect("the other sends");
    let sent = writer.join().expect("no panic");
    sent.expect("the other is there");
    heard.len()
}
// ANCHOR_END: talk
