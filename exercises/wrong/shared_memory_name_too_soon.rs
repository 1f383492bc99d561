//! Refused: No such file or directory

use multiprocessing::{Error, Process, SharedMemory};
use std::env;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    multiprocessing::init();
    let mut arguments = env::args().skip(1);
    let name = arguments.next().ok_or("which name?")?;
    let note = arguments.next().ok_or("what is the note?")?;

    let block = SharedMemory::create(&name, note.len())?;
    block.write(0, note.as_bytes())?;
    drop(block);
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
