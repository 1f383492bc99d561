//! Each line of the log names the process that wrote it.
//!
//!     cargo run --example project_log
//!
//! Expect: lines 2-3 in any order

use multiprocessing::{Error, Process, current_process};
use std::{fmt, io};
use tracing::{info, warn};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::FormatTime;

fn main() -> Result<(), Error> {
    // Above init(): this happens in every process.
    let log = tracing_subscriber::fmt().with_timer(Stamp);
    log.with_target(false).with_writer(io::stderr).init();
    multiprocessing::init();

    info!("starting two children");
    let builder = Process::builder().name("adder");
    let adder = builder.spawn(add, (20, 22))?;
    let builder = Process::builder().name("divider");
    let divider = builder.spawn(divide, (1, 0))?;
    let (sum, quotient) = (adder.join()?, divider.join()?);
    info!(sum, ?quotient, "both have ended");
    Ok(())
}

fn add((a, b): (i32, i32)) -> i32 {
    info!(a, b, "adding");
    a + b
}

fn divide((a, b): (i32, i32)) -> Option<i32> {
    if b == 0 {
        warn!(a, "dividing by zero");
    }
    a.checked_div(b)
}

struct Stamp;

impl FormatTime for Stamp {
    fn format_time(&self, w: &mut Writer) -> fmt::Result {
        let process = current_process();
        write!(w, "{} pid {}", process.name(), process.pid())
    }
}
