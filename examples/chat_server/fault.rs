//! Faults for you to try. A real server leaves them out.

use nix::sys::signal::{Signal, raise};
use std::hint::black_box;

// ANCHOR: try_fault
pub fn try_fault(line: &str) {
    let _ = match line {
        "/panic" => panic!("as you wish"),
        "/kill" => raise(Signal::SIGKILL),
        "/stop" => raise(Signal::SIGSTOP),
        "/leak" => loop {
            black_box(vec![1u8; 1 << 20].leak());
        },
        _ => Ok(()),
    };
}
// ANCHOR_END: try_fault
