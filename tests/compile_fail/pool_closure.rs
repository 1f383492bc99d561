use multiprocessing::{Error, Pool};

fn main() -> Result<(), Error> {
    multiprocessing::init();
    let factor = 2;
    let pool = Pool::new(2)?;
    println!("{:?}", pool.map(|n: i32| n * factor, 0..10)?);
    Ok(())
}
