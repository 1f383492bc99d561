//! What a `BufReader` has taken out of a socket is hidden
//! from `wait`.
//!
//!     cargo run --example chat_buffered

use multiprocessing::{Error, wait};
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

fn main() -> Result<(), Error> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    let mut ann = TcpStream::connect(address)?;
    let (client, _) = listener.accept()?;
    let mut reader = BufReader::new(client);
    ann.write_all(b"first\nsecond\n")?; // in one piece
    wait(&[reader.get_ref()], None)?;
    println!("ready, so one line is read:");
    print_line(&mut reader)?;

    let moment = Some(Duration::from_millis(100));
    let ready = wait(&[reader.get_ref()], moment)?;
    println!("ready again? {}", !ready.is_empty());
    println!("in the buffer: {:?}", text(reader.buffer()));
    println!("so all that it holds is read:");
    while reader.buffer().contains(&b'\n') {
        print_line(&mut reader)?;
    }
    Ok(())
}

fn print_line(
    reader: &mut BufReader<TcpStream>,
) -> std::io::Result<()> {
    let mut line = String::new();
    reader.read_line(&mut line)?;
    println!("    {}", line.trim_end());
    Ok(())
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
