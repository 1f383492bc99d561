//! Refused: The check killed each child before its first instruction
// The parent stores.
use nix::sys::wait::waitpid;
use nix::unistd::{ForkResult, fork};
use std::error::Error;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use std::{env, process};

fn main() -> Result<(), Box<dyn Error>> {
    let texts: Vec<String> = env::args().skip(1).collect();
    let lengths = numbers(texts.len())?;
    let mut children = vec![];
    for (text, length) in texts.iter().zip(lengths) {
        // SAFETY: this program has one thread.
        match unsafe { fork() }? {
            ForkResult::Child => {
                process::exit(0);
            }
            ForkResult::Parent { child } => {
                length.store(text.len() as u64, Relaxed);
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

/// `count` numbers, all 0.
fn numbers(
    count: usize,
) -> Result<&'static [AtomicU64], Box<dyn Error>> {
    // These are in pages of each process alone.
    let numbers = (0..count).map(|_| AtomicU64::new(0));
    Ok(Box::leak(numbers.collect()))
}
