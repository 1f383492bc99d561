//! The processes that this one has started, as the tree that
//! pstree(1) would draw.
//!
//!     cargo run --example processes_tree

use nix::sys::prctl::set_name;
use nix::sys::wait::wait;
use nix::unistd::fork;
use std::io::{self, Read, pipe};
use std::{fs, process};

fn main() -> io::Result<()> {
    let (mut all_ready, ready) = pipe()?;
    let (mut end, hold) = pipe()?;
    for name in [c"worker-1", c"worker-2", c"worker-3"] {
        // SAFETY: this program has one thread.
        if unsafe { fork() }?.is_child() {
            drop(hold);
            set_name(name)?;
            let forks = name == c"worker-2";
            // SAFETY: the same.
            if forks && unsafe { fork() }?.is_child() {
                set_name(c"helper")?;
            }
            drop(ready);
            end.read_to_end(&mut vec![])?; // `hold` is closed
            while wait().is_ok() {}
            return Ok(());
        }
    }
    drop(ready);
    all_ready.read_to_end(&mut vec![])?; // all dropped theirs
    draw(&process::id().to_string(), "")?;
    drop(hold);
    while wait().is_ok() {}
    Ok(())
}

// ANCHOR: draw
fn draw(pid: &str, indent: &str) -> io::Result<()> {
    let name = fs::read_to_string(format!("/proc/{pid}/comm"))?;
    println!("{indent}{}, pid {pid}", name.trim());
    let file = format!("/proc/{pid}/task/{pid}/children");
    for child in fs::read_to_string(file)?.split_whitespace() {
        draw(child, &format!("{indent}    "))?;
    }
    Ok(())
}
// ANCHOR_END: draw
