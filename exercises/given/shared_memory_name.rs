//! The program leaves a note in shared memory under a name,
//! and a child reads it. When the program has ended, however
//! it ended, the name should be gone from /dev/shm. If there
//! is a block of that name, it belongs to somebody else: the
//! program should end with an error and leave it as it is.
//! The arguments are the name and the note.
//!
//! As it is given, the name stays. Mend `main`, and check it:
//!
//!     cargo exercise shared_memory_name
//!
//! Without a check:
//!
//! ```text
//! cargo run -p exercises --bin shared_memory_name -- \
//!     my_block hello
//! ```

use multiprocessing::{Error, Process, SharedMemory};
use std::{env, fs};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    multiprocessing::init();
    let mut arguments = env::args().skip(1);
    let name = arguments.next().ok_or("which name?")?;
    let note = arguments.next().ok_or("what is the note?")?;

    fs::write(format!("/dev/shm/{name}"), note)?;
    Process::spawn(read, name)?.join()??;
    Ok(())
}

fn read(name: String) -> Result<(), Error> {
    let block = SharedMemory::attach(&name)?;
    let mut note = vec![0; block.len()];
    block.read(0, &mut note)?;
    println!("the child read: {}", note.escape_ascii());
    Ok(())
}
