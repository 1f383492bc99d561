//! A generator that was seeded before the fork gives every
//! process the same numbers.
//!
//!     cargo run --example fork_random

use nix::sys::wait::waitpid;
use nix::unistd::{ForkResult, fork};

struct Dice(u64);

fn main() -> nix::Result<()> {
    let mut dice = Dice(7); // the seed
    for who in ["Child 1", "Child 2"] {
        // SAFETY: this program has one thread.
        match unsafe { fork() }? {
            ForkResult::Child => {
                roll(who, &mut dice);
                return Ok(());
            }
            ForkResult::Parent { child } => {
                waitpid(child, None)?;
            }
        }
    }
    roll("Parent", &mut dice);
    Ok(())
}

fn roll(who: &str, dice: &mut Dice) {
    let rolls = [(); 6].map(|()| dice.draw() % 6 + 1);
    println!("{who}: {rolls:?}");
}

impl Dice {
    /// The next number, by Marsaglia's xorshift64.
    fn draw(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }
}
