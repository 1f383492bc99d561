use multiprocessing::{Error, Process};

fn work() {}

fn main() -> Result<(), Error> {
    multiprocessing::init();
    Process::spawn(work, ())?.join()
}
