//! How much can be sent while nobody receives?
//!
//!     cargo run --example pipe_full

use ipc_channel::ipc::bytes_channel;
use multiprocessing::{Process, pipe_one_way};
use std::error::Error;
use std::io::{Write, pipe};
use std::time::Duration;

type Sent = Result<(), Box<dyn Error>>;

fn main() -> Sent {
    for length in [65_536, 65_537] {
        let (_reader, mut writer) = pipe()?;
        let bytes = vec![0; length];
        let send = || Ok(writer.write_all(&bytes)?);
        report("std::io::pipe", 1, length, send)?;
    }
    for (n, length) in [(1, 204_800), (1, 204_801), (400, 8)] {
        let (_receiver, sender) = pipe_one_way::<[u8]>()?;
        let bytes = vec![0; length];
        let send = || Ok(sender.send_bytes(&bytes)?);
        report("Sender", n, length, send)?;
    }
    for (n, length) in [(1, 400_000), (1, 500_000), (400, 8)] {
        let (sender, _receiver) = bytes_channel()?;
        let bytes = vec![0; length];
        let send = || Ok(sender.send(&bytes)?);
        report("ipc-channel", n, length, send)?;
    }
    Ok(())
}

fn report(
    what: &str,
    n: usize,
    length: usize,
    mut send: impl FnMut() -> Sent,
) -> Sent {
    let send_all = || (0..n).all(|_| send().is_ok());
    // SAFETY: this program has one thread.
    let child = unsafe { Process::fork(send_all) }?;
    let sent = child.wait_timeout(Duration::from_millis(300));
    child.kill()?;
    let end = if sent { "sent" } else { "waits" };
    println!("{what}, {n} x {length} bytes: {end}");
    Ok(())
}
