use multiprocessing::{Error, Process};

struct Point {
    x: f64,
}

struct Line {
    from: Point,
}

fn main() -> Result<(), Error> {
    multiprocessing::init();
    Process::spawn(|line: Line| drop(line), Line { from: Point { x: 0.0 } })?.join()?;
    Process::spawn(|points: Vec<Point>| drop(points), vec![])?.join()
}
