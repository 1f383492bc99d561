use multiprocessing::Process;
use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    multiprocessing::init();
    let child = Process::spawn(parse, "12".to_string())?;
    println!("{}", child.join()??);
    Ok(())
}

fn parse(text: String) -> Result<i32, Box<dyn Error>> {
    Ok(text.parse()?)
}
