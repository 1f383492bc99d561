//! Counts the lines of files, each in a process of its own.
//!
//!     cargo run --example project -- LICENSE-MIT rustfmt.toml

use clap::Parser;
use multiprocessing::Process;
use project::count_lines;
use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    multiprocessing::init(); // children stop here
    let arguments = Arguments::parse();
    let mut children = Vec::new();
    for file in arguments.files {
        let child = Process::spawn(count_lines, file.clone())?;
        children.push((file, child));
    }
    for (file, child) in children {
        println!("{:5} {file}", child.join()??);
    }
    Ok(())
}

/// Counts the lines of files
#[derive(Parser)]
struct Arguments {
    /// The files to count
    #[arg(required = true)]
    files: Vec<String>,
}
