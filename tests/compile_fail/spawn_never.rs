use multiprocessing::{Error, Process};

fn main() -> Result<(), Error> {
    multiprocessing::init();
    let child = Process::spawn(|()| loop {}, ())?;
    child.kill()
}
