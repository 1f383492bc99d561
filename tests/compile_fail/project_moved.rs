use multiprocessing::{Connection, Error, Process, pipe};

fn main() -> Result<(), Error> {
    multiprocessing::init();
    let (ours, theirs) = pipe::<String, String>()?;
    let child = Process::spawn(greet, theirs)?;
    println!("{}", theirs.recv()?);
    drop(ours);
    child.join()?
}

fn greet(parent: Connection<String, String>) -> Result<(), Error> {
    parent.send("hello".to_string())?;
    Ok(())
}
