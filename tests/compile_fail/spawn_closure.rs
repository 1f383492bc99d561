use multiprocessing::{Error, Process};

fn main() -> Result<(), Error> {
    multiprocessing::init();
    let factor = 2;
    let child = Process::spawn(|n: i32| n * factor, 21)?;
    println!("{}", child.join()?);
    Ok(())
}
