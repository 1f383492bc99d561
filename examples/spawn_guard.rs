//! What stands before `init()` happens in every process,
//! what stands after it in the first alone.
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
