use multiprocessing::{Error, Process};
use serde::{Deserialize, Serialize};

struct Point {
    x: f64,
}

#[derive(Serialize, Deserialize)]
struct Line {
    from: Point,
}

fn main() -> Result<(), Error> {
    multiprocessing::init();
    Process::spawn(|line: Line| drop(line), Line { from: Point { x: 0.0 } })?.join()
}
