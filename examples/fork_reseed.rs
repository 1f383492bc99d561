//! A child that seeds its generator anew draws other numbers.
//!
//!     cargo run --example fork_reseed

use nix::sys::wait::waitpid;
use nix::unistd::{ForkResult, fork};
use std::fs::File;
use std::io::{self, Read, Write, pipe};
use std::process::exit;

struct Numbers(u64);

fn main() -> io::Result<()> {
    let mut numbers = Numbers(7);
    let same = both_draw(&mut numbers)?;
    println!("{}", if same { "the same" } else { "different" });
    Ok(())
}

fn both_draw(numbers: &mut Numbers) -> io::Result<bool> {
    let (mut reader, mut writer) = pipe()?;
    // SAFETY: this program has one thread.
    match unsafe { fork() }? {
        ForkResult::Child => {
            numbers.seed()?; // the fix
            writer.write_all(&numbers.draw())?;
            exit(0)
        }
        ForkResult::Parent { child } => waitpid(child, None)?,
    };
    let mut drawn = [0; 8];
    reader.read_exact(&mut drawn)?;
    Ok(drawn == numbers.draw())
}

impl Numbers {
    fn seed(&mut self) -> io::Result<()> {
        let mut seed = [0; 8];
        File::open("/dev/urandom")?.read_exact(&mut seed)?;
        self.0 = u64::from_ne_bytes(seed) | 1; // 0 stays 0
        Ok(())
    }

    fn draw(&mut self) -> [u8; 8] {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.to_ne_bytes()
    }
}
