//! A process with data of its own: a struct and its method
//! where Python has a subclass.
//!
//!     cargo run --example process_struct

use multiprocessing::{Error, Process};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
struct Greeter {
    greeting: String,
}

impl Greeter {
    fn run(self) {
        let pid = std::process::id();
        println!("{} from process {pid}", self.greeting);
    }
}

fn main() -> Result<(), Error> {
    multiprocessing::init();
    let greeting = "Hello".to_string();
    let greeter = Greeter { greeting };
    let p = Process::spawn(Greeter::run, greeter)?;
    let pid = p.pid();
    p.join()?;
    println!("Process {pid} has ended");
    Ok(())
}
