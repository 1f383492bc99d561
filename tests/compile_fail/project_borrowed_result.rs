use multiprocessing::{Error, Process};

fn main() -> Result<(), Error> {
    multiprocessing::init();
    let child = Process::spawn(first_word, "one two".to_string())?;
    println!("{}", child.join()?);
    Ok(())
}

fn first_word(_: String) -> &'static str {
    "one"
}
