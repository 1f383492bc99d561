use multiprocessing::{Error, Process};

fn main() -> Result<(), Error> {
    Process::fork(|| 1)?.join()?;
    Ok(())
}
