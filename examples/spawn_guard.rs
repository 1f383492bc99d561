//! Three places. Which process comes to which?
//!
//!     cargo run --example spawn_guard

use multiprocessing::{Error, Process};

fn main() -> Result<(), Error> {
    show("before the guard");
    multiprocessing::init();
    show("after the guard");
    let p = Process::spawn(child, ())?;
    p.join()
}

fn child(_: ()) {
    show("the function of the child");
}

fn show(place: &str) {
    println!("Process {}: {place}", std::process::id());
}
