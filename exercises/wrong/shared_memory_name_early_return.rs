//! Refused: when its child was killed

use multiprocessing::{Error, Process, SharedMemory};
use std::{env, fs};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    multiprocessing::init();
    let mut arguments = env::args().skip(1);
    let name = arguments.next().ok_or("which name?")?;
    let note = arguments.next().ok_or("what is the note?")?;

    use std::io::Write;
    let path = format!("/dev/shm/{name}");
    fs::File::create_new(&path)?.write_all(note.as_bytes())?;
    Process::spawn(read, name)?.join()??;
    fs::remove_file(path)?;
    Ok(())
}

fn read(name: String) -> Result<(), Error> {
    let block = SharedMemory::attach(&name)?;
    let mut note = vec![0; block.len()];
    block.read(0, &mut note)?;
    println!("the child read: {}", note.escape_ascii());
    Ok(())
}
