//! What a parent can ask of a process.
//!
//!     cargo run --example process_attributes

use multiprocessing::{Error, Process};

fn main() -> Result<(), Error> {
    multiprocessing::init();
    let first = Process::spawn(sleep, ())?;
    let builder = Process::builder().name("sleeper");
    let second = builder.spawn(sleep, ())?;
    for p in [&first, &second] {
        show(p);
        p.terminate()?;
        p.wait();
        show(p);
    }
    Ok(())
}

fn sleep(_: ()) {
    std::thread::sleep(std::time::Duration::MAX);
}

fn show(p: &Process<()>) {
    let alive = if p.is_alive() { "alive" } else { "ended" };
    let code = p.exit_code().map(|code| code.to_string());
    let code = code.unwrap_or("no".to_string());
    let (name, pid) = (p.name(), p.pid());
    println!("{name}: pid {pid}, {alive}, {code} exit code");
}
