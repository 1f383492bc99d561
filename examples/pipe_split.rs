//! One thread sends while another receives, so that two long
//! messages can pass each other.
//!
//!     cargo run --example pipe_split

use multiprocessing::{Connection, Error, Process, pipe};
use std::thread;

type End = Connection<String, String>;

fn main() -> Result<(), Error> {
    multiprocessing::init();
    for length in [1_000, 1_000_000] {
        let (ours, theirs) = pipe()?;
        let child = Process::spawn(talk, (theirs, length))?;
        let heard = talk((ours, length))?;
        let by_child = child.join()??;
        println!("{length}: heard {heard} and {by_child}");
    }
    Ok(())
}

// ANCHOR: talk
fn talk(
    (connection, length): (End, usize),
) -> Result<usize, Error> {
    let (receiver, sender) = connection.split();
    let text = "x".repeat(length);
    thread::scope(|scope| {
        let sending = scope.spawn(|| sender.send(text));
        let heard = receiver.recv()?.len();
        sending.join().expect("send does not panic")?;
        Ok(heard)
    })
}
// ANCHOR_END: talk
