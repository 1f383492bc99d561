//! A server process for one list and one client, on a pipe.
//!
//!     cargo run --example manager_by_hand

use multiprocessing::{Connection, Error, Process, pipe};
use serde::{Deserialize, Serialize};

// ANCHOR: server
#[derive(Serialize, Deserialize)]
enum Request {
    Push(u32),
    ToVec,
}

fn serve(client: Connection<Vec<u32>, Request>) {
    let mut list = Vec::new();
    for request in client.iter().flatten() {
        let answer = match request {
            Request::Push(number) => {
                list.push(number);
                Vec::new()
            }
            Request::ToVec => list.clone(),
        };
        let _ = client.send(answer);
    }
}
// ANCHOR_END: server

// ANCHOR: proxy
struct ListProxy(Connection<Request, Vec<u32>>);

impl ListProxy {
    fn ask(&self, what: Request) -> Result<Vec<u32>, Error> {
        self.0.send(what)?;
        self.0.recv()
    }
}

fn main() -> Result<(), Error> {
    multiprocessing::init();
    let (ours, theirs) = pipe()?;
    let _server = Process::spawn(serve, theirs)?;
    let list = ListProxy(ours);
    list.ask(Request::Push(7))?;
    println!("{:?}", list.ask(Request::ToVec)?);
    Ok(())
}
// ANCHOR_END: proxy
