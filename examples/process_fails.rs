//! A child that can fail: it gives up in good order, or it
//! breaks.
//!
//!     cargo run --example process_fails

use multiprocessing::{Error, Process};

fn main() -> Result<(), Error> {
    multiprocessing::init();
    for function in [gives_up, breaks] {
        for text in ["12", "twelve"] {
            let p = Process::spawn(function, text)?;
            p.wait();
            let code = p.exit_code().unwrap_or(-1);
            let result = p.join();
            println!("exit code {code}: {result:?}");
        }
    }
    Ok(())
}

fn gives_up(text: &str) -> Result<u64, String> {
    text.parse().map_err(|_| format!("no number: {text}"))
}

fn breaks(text: &str) -> Result<u64, String> {
    Ok(text.parse().expect("a number"))
}
