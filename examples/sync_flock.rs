//! The ticket sale with a file, by programs that have only its
//! name in common.
//!
//!     cargo run --example sync_flock

use std::env::{args, current_exe, temp_dir};
use std::fs::{self, OpenOptions};
use std::io::{self, Read, Seek, Write};
use std::process::{Command, id};
use std::thread::sleep;
use std::time::Duration;

fn main() -> io::Result<()> {
    match args().nth(1) {
        Some(path) => buy(&path),
        None => sell(),
    }
}

fn sell() -> io::Result<()> {
    let path = temp_dir().join(format!("sync_flock-{}", id()));
    fs::write(&path, "1")?;
    let mut buyer = Command::new(current_exe()?);
    buyer.arg(&path);
    let buyers =
        [buyer.spawn()?, buyer.spawn()?, buyer.spawn()?];
    for mut buyer in buyers {
        buyer.wait()?;
    }
    fs::remove_file(&path)
}

// ANCHOR: buy
fn buy(path: &str) -> io::Result<()> {
    let mut file =
        OpenOptions::new().read(true).write(true).open(path)?;
    file.lock()?; // until the file is closed
    let mut left = String::new();
    file.read_to_string(&mut left)?;
    if left == "0" {
        println!("Saw 0 left: sold out");
        return Ok(());
    }
    sleep(Duration::from_millis(100)); // pays
    file.rewind()?;
    write!(file, "0")?;
    println!("Saw {left} left: bought a ticket");
    Ok(())
}
// ANCHOR_END: buy
