//! Refused: belonged to somebody else

use multiprocessing::{Error, Process, SharedMemory};
use std::{env, fs};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    multiprocessing::init();
    let mut arguments = env::args().skip(1);
    let name = arguments.next().ok_or("which name?")?;
    let note = arguments.next().ok_or("what is the note?")?;

    let path = format!("/dev/shm/{name}");
    fs::write(&path, note)?;
    let child = Process::spawn(read, name)?;
    let result = child.join();
    fs::remove_file(path)?;
    result??;
    Ok(())
}

fn read(name: String) -> Result<(), Error> {
    let block = SharedMemory::attach(&name)?;
    let mut note = vec![0; block.len()];
    block.read(0, &mut note)?;
    println!("the child read: {}", note.escape_ascii());
    Ok(())
}
