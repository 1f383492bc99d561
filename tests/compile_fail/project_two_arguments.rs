use multiprocessing::{Error, Process};

fn main() -> Result<(), Error> {
    multiprocessing::init();
    let child = Process::spawn(add, 20, 22)?;
    println!("{}", child.join()?);
    Ok(())
}

fn add(a: i32, b: i32) -> i32 {
    a + b
}
