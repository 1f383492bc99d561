use multiprocessing::{Error, Pool};

struct Point {
    x: f64,
}

fn main() -> Result<(), Error> {
    multiprocessing::init();
    let pool = Pool::new(2)?;
    println!("{:?}", pool.apply(|point: Point| point.x, Point { x: 1.0 })?);
    Ok(())
}
