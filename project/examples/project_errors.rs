//! Four ends of a child, and how the parent tells them apart.
//!
//!     cargo run --example project_errors

use multiprocessing::{Error, Process};
use project::{CountError, count_lines};

fn main() -> Result<(), Error> {
    multiprocessing::init();
    let file = "LICENSE-MIT".to_string();
    tell(Process::spawn(count_lines, file)?.join());
    let file = "no/such/file".to_string();
    tell(Process::spawn(count_lines, file)?.join());
    tell(Process::spawn(panic, ())?.join());
    tell(Process::spawn(abort, ())?.join());
    Ok(())
}

fn panic(_: ()) -> Result<usize, CountError> {
    panic!("a bug")
}

fn abort(_: ()) -> Result<usize, CountError> {
    std::process::abort()
}

fn tell(joined: Result<Result<usize, CountError>, Error>) {
    match joined {
        Ok(Ok(lines)) => println!("Result: {lines} lines"),
        Ok(Err(error)) => println!("Its own error: {error}"),
        Err(error) => println!("The crate's error: {error}"),
    }
}
