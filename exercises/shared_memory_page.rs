//! The program forks a child for each argument. A child stores
//! how many letters its argument has, and the parent prints
//! what all have stored: "banana 6".
//!
//! As it is given, the parent finds only zeroes. Let `numbers`
//! make numbers that all processes see, by hand, with `mmap`,
//! and check it:
//!
//!     cargo exercise shared_memory_page
//!
//! To run it without a check:
//!
//! ```text
//! cargo run -p exercises --bin shared_memory_page -- \
//!     banana apple
//! ```

use nix::sys::wait::waitpid;
use nix::unistd::{ForkResult, fork};
use std::error::Error;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;
use std::{env, process, thread};

fn main() -> Result<(), Box<dyn Error>> {
    let texts: Vec<String> = env::args().skip(1).collect();
    let lengths = numbers(texts.len())?;
    let mut children = vec![];
    for (text, length) in texts.iter().zip(lengths) {
        // SAFETY: this program has one thread.
        match unsafe { fork() }? {
            ForkResult::Child => {
                length.store(letters(text), Relaxed);
                process::exit(0);
            }
            ForkResult::Parent { child } => {
                children.push(child)
            }
        }
    }
    for child in children {
        waitpid(child, None)?;
    }
    for (text, length) in texts.iter().zip(lengths) {
        println!("{text} {}", length.load(Relaxed));
    }
    Ok(())
}

/// How many letters it has.
fn letters(text: &str) -> u64 {
    thread::sleep(Duration::from_millis(5)); // It is slow.
    text.len() as u64
}

/// `count` numbers, all 0.
fn numbers(
    count: usize,
) -> Result<&'static [AtomicU64], Box<dyn Error>> {
    // These are in pages of each process alone.
    let numbers = (0..count).map(|_| AtomicU64::new(0));
    Ok(Box::leak(numbers.collect()))
}
