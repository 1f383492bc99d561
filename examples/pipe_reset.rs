//! The other end is closed before it has read everything. How
//! does this end learn of it?
//!
//!     cargo run --example pipe_reset

use multiprocessing::{Error, pipe};

fn main() -> Result<(), Error> {
    let (ours, theirs) = pipe::<String, String>()?;
    ours.send("a question".to_string())?;
    theirs.send("last words".to_string())?;
    theirs.close(); // the question is still unread
    for _ in 0..3 {
        match ours.recv() {
            Ok(text) => println!("received: {text}"),
            Err(error) => println!("{error:#?}"),
        }
    }
    Ok(())
}
