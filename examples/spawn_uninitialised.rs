//! Without `init()`, a child would run `main` again. So
//! none is started, and the error says what to write.
//!
//!     cargo run --example spawn_uninitialised

use multiprocessing::Process;

fn main() {
    match Process::spawn(child, ()) {
        Ok(_) => println!("never printed"),
        Err(error) => println!("{error}"),
    }
}

fn child(_: ()) {
    println!("never printed");
}
