//! A test with a `main` of its own: `harness = false`.

use multiprocessing::Process;
use project::count_lines;
use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    multiprocessing::init();
    let file =
        concat!(env!("CARGO_MANIFEST_DIR"), "/src/lib.rs");
    let child = Process::spawn(count_lines, file.to_string())?;
    assert!(child.join()?? > 10);
    Ok(())
}
