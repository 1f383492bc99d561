//! A child that can fail: one returns its error, the other
//! panics.
//!
//!     cargo run --example process_fails

use multiprocessing::{Error, Process};

fn main() -> Result<(), Error> {
    multiprocessing::init();
    for function in [returns_error, panics] {
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

fn returns_error(text: &str) -> Result<u64, String> {
    text.parse().map_err(|_| format!("no number: {text}"))
}

fn panics(text: &str) -> Result<u64, String> {
    Ok(text.parse().expect("a number"))
}
