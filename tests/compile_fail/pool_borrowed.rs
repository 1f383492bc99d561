use multiprocessing::{Error, Pool};

fn main() -> Result<(), Error> {
    multiprocessing::init();
    let pool = Pool::new(2)?;
    println!("{:?}", pool.map(|word: &str| word.len(), ["one", "two"])?);
    Ok(())
}
