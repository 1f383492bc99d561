//! The mark in the environment that makes a process a child of spawn.
//!
//! It names the parent and the file of its program. If the child starts another program before it
//! calls `init`, that program has the mark, too, but sees that it is not meant.

use crate::Error;
use crate::error::Trying;
use std::env;
use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::MetadataExt;

const NAME: &str = "MULTIPROCESSING_PARENT";

/// The variable for the environment of a child.
pub fn entry() -> Result<(OsString, OsString), Error> {
    Ok((NAME.into(), value(std::process::id())?.into()))
}

fn value(parent: u32) -> Result<String, Error> {
    let program = fs::metadata("/proc/self/exe").trying_to("look at the program's own file")?;
    Ok(format!("{parent} {} {}", program.dev(), program.ino()))
}

/// The parent that the mark of this process names, if it has a mark for this program.
pub fn parent() -> Option<u32> {
    let mark = env::var(NAME).ok()?;
    let parent = mark.split(' ').next()?.parse().ok()?;
    (mark == value(parent).ok()?).then_some(parent)
}

/// Removes the mark, so that a grandchild does not take itself for a child of this process's
/// parent.
///
/// # Safety
///
/// This process has one thread. Another one could read the environment meanwhile.
pub unsafe fn remove() {
    // SAFETY: as the caller promises, no other thread can use the environment.
    unsafe { env::remove_var(NAME) };
}
