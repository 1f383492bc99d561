//! Two processes add 1 to the same number: both read it, then
//! both write it. Then the same as one step.
//!
//!     cargo run --example manager_update

use multiprocessing::{BarrierProxy, DictProxy, Error};
use multiprocessing::{Manager, Process};

type Args = (DictProxy<char, u32>, BarrierProxy);

fn main() -> Result<(), Error> {
    multiprocessing::init();
    let manager = Manager::start()?;
    let numbers = manager.dict()?;
    numbers.extend([('a', 0), ('b', 0)])?;
    let both_have_read = manager.barrier(2)?;
    let args = (numbers.clone(), both_have_read);
    for add in [add_in_two_steps, add_in_one_step] {
        let p1 = Process::spawn(add, args.clone())?;
        let p2 = Process::spawn(add, args.clone())?;
        p1.join()??;
        p2.join()??;
    }
    for (name, number) in numbers.to_vec()? {
        println!("{name}: {number}");
    }
    Ok(())
}

// ANCHOR: add
fn add_in_two_steps((n, both): Args) -> Result<(), Error> {
    let number = n.get(&'a')?.unwrap_or(0);
    both.wait()?; // both processes have read a 0
    n.insert('a', number + 1)?;
    Ok(())
}

fn add_in_one_step((n, _): Args) -> Result<(), Error> {
    n.update('b', |number| Some(number.unwrap_or(0) + 1))
}
// ANCHOR_END: add
