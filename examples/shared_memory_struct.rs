//! A struct and an enum of one's own in shared memory.
//!
//!     cargo run --example shared_memory_struct

use bytemuck::{CheckedBitPattern, NoUninit, Pod, Zeroable};
use multiprocessing::{Array, Error, Process, Value};

#[derive(Clone, Copy, Debug, Pod, Zeroable)]
#[repr(C)]
struct Point {
    x: f64,
    y: f64,
}

#[derive(Clone, Copy, Debug, NoUninit, CheckedBitPattern)]
#[repr(u8)]
enum Light {
    Red,
    Green,
}

type Shared = (Array<Point>, Value<Light>);

fn main() -> Result<(), Error> {
    multiprocessing::init();
    let points = Array::new(2)?;
    let light = Value::new(Light::Red)?;
    let shared = (points.clone(), light.clone());
    Process::spawn(change, shared)?.join()??;
    println!("{:?}", points.lock()?[1]);
    println!("{:?}", light.lock()?);
    Ok(())
}

fn change((points, light): Shared) -> Result<(), Error> {
    points.lock()?[1] = Point { x: 1.5, y: 2.5 };
    *light.lock()? = Light::Green;
    Ok(())
}
