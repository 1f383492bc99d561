//! What the tests of processes have in common: functions for a child to call, and what
//! is seen of it from outside.

use multiprocessing::Descriptor;
use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{PipeReader, Read, Write};
use std::process::id;
use std::time::Duration;

/// Far longer than anything here takes: a test that waits so long has failed.
pub const LONG: Duration = Duration::from_secs(60);

/// Waits until the other end is closed; returns its id.
pub fn wait_for_end(reader: Descriptor) -> u32 {
    let _ = File::from(reader.into_fd()).read_to_end(&mut Vec::new());
    id()
}

/// What a parent reads that waits for what a child writes, until it has ended.
pub fn read_all(mut reader: PipeReader) -> std::io::Result<String> {
    let mut text = String::new();
    reader.read_to_string(&mut text)?;
    Ok(text)
}

/// Writes a text, and closes the descriptor.
pub fn write_all(writer: Descriptor, text: &str) {
    let mut writer = File::from(writer.into_fd());
    writer.write_all(text.as_bytes()).expect("the reader is open");
}

/// The numbers that are open here, without that of the folder that is read.
pub fn open_numbers(_: ()) -> BTreeSet<i32> {
    let entries = fs::read_dir("/proc/self/fd").expect("/proc is there");
    let open = entries.filter_map(|entry| {
        let path = entry.ok()?.path();
        let link = fs::read_link(&path).ok()?;
        let number = path.file_name()?.to_str()?.parse().ok()?;
        (!link.to_string_lossy().ends_with("/fd")).then_some(number)
    });
    open.collect()
}
