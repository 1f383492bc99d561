//! A client over a network, as the server sees it. [`Remote`](super::remote::Remote) is its other
//! side.

use super::control::What;
use super::line::{Kind, Line, failure, success};
use super::object::{BuiltIn, Caller, Kept, Object, Reply};
use super::remote::{Hello, VERSION, Wants};
use super::server::{Origin, Server};
use crate::Error;
use crate::network::Client;
use nix::sys::socket::{setsockopt, sockopt};
use serde::{Deserialize, Serialize};
use std::sync::{Arc, Weak};

#[derive(Debug, Serialize, Deserialize)]
pub enum Request {
    Create(What),
    /// The object that was registered under a name, with the type of its proxy.
    Find {
        name: String,
        proxy: String,
    },
}

/// A session as an object of the server, of which its first connection asks for others.
struct Session {
    server: Weak<Server>,
    number: u64,
}

/// Talks with a client that has shown the key, until its connection ends.
pub fn talk(server: &Arc<Server>, client: Client<[u8], [u8]>) {
    // Tells of a client whose machine has vanished, after hours (tcp(7)). Unix sockets need it not.
    let _ = setsockopt(&client, sockopt::KeepAlive, &true);
    let line = Arc::new(Line::Network(client));
    let greeted = line.receive().and_then(|hello| hello.take_last()).and_then(check);
    let met = greeted.and_then(|wants| meet(server, &line, wants));
    if let Err(error) = met {
        let _ = line.send(failure(&error));
    }
}

fn check(hello: Hello) -> Result<Wants, Error> {
    let Hello { version, wants } = hello;
    if version == VERSION {
        return Ok(wants);
    }
    let reason = format!("the other side has version {version} of multiprocessing, not {VERSION}");
    Err(Error::Decode { what: "a greeting".into(), reason })
}

fn meet(server: &Arc<Server>, line: &Arc<Line>, wants: Wants) -> Result<(), Error> {
    match wants {
        Wants::Session => {
            let number = server.new_number();
            line.send(success(&number)?)?;
            let session = Session { server: Arc::downgrade(server), number };
            let object = Arc::new(Object::built_in(number, session));
            server.converse(line, &Arc::downgrade(&object), Origin::Network);
            server.end_session(number);
        }
        Wants::Object { session, number } => {
            let object = server.visited(session, number)?;
            line.send(success(&())?)?;
            server.converse(line, &object, Origin::Network);
        }
    }
    Ok(())
}

impl Kept for Session {}

impl BuiltIn for Session {
    const KIND: Kind = Kind::Session;
    type Request = Option<Request>;

    fn answer(&mut self, request: &mut Self::Request, _: Caller) -> Reply {
        let server = self.server.upgrade()?;
        let object = match request.take()? {
            Request::Create(What::Own { .. }) => Err(Error::NotLocal),
            Request::Create(what) => what.object(server.new_number()).map(Arc::new),
            Request::Find { name, proxy } => server.find(&name, &proxy),
        };
        Some(object.and_then(|object| success(&server.visit(self.number, object))))
    }
}
