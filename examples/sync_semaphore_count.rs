//! A bounded buffer: one semaphore counts the free cells, the
//! other the full ones.
//!
//!     cargo run --example sync_semaphore_count

use multiprocessing::{Array, Error, Process, Semaphore};

/// Three cells; how many were put; how many were taken.
type Buffer = (Semaphore, Semaphore, Array<usize>);

fn main() -> Result<(), Error> {
    multiprocessing::init();
    let (free, full) = (Semaphore::new(3)?, Semaphore::new(0)?);
    let buffer: Buffer = (free, full, Array::new(5)?);
    let p1 = Process::spawn(produce, (buffer.clone(), 10))?;
    let p2 = Process::spawn(produce, (buffer.clone(), 20))?;
    let c1 = Process::spawn(consume, buffer.clone())?;
    let c2 = Process::spawn(consume, buffer)?;
    p1.join()?.and(p2.join()?)?;
    let sum = c1.join()?? + c2.join()??;
    println!("The consumers took {sum}.");
    Ok(())
}

fn produce(args: (Buffer, usize)) -> Result<(), Error> {
    let ((free, full, cells), first) = args;
    for number in first..first + 10 {
        free.acquire().forget(); // a consumer gives it back
        let mut cells = cells.lock()?;
        let next = cells[3] % 3;
        cells[next] = number;
        cells[3] += 1;
        full.release();
    }
    Ok(())
}

fn consume(
    (free, full, cells): Buffer,
) -> Result<usize, Error> {
    let mut sum = 0;
    for _ in 0..10 {
        full.acquire().forget();
        let mut cells = cells.lock()?;
        sum += cells[cells[4] % 3];
        cells[4] += 1;
        free.release();
    }
    Ok(sum)
}
