use multiprocessing::{Error, Process, Sender, pipe_one_way};

fn main() -> Result<(), Error> {
    multiprocessing::init();
    let (receiver, sender) = pipe_one_way::<String>()?;
    let child = Process::spawn(greet, sender)?;
    println!("{}", receiver.recv()?);
    child.join()?
}

fn greet(sender: Sender<String>) -> Result<(), Error> {
    sender.send("hello".to_string())
}
