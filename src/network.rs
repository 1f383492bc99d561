//! Connections over TCP and Unix sockets, as Python's `multiprocessing.connection` makes them.
//!
//! A message is a frame (`frame.rs`): its length, 4 bytes, big-endian and signed, and then its
//! bytes. From 2 GiB on, the 4 bytes are -1, and the length follows in 8.
//!
//! Before the first message, each side shows the other that it has the key, without sending it
//! (`handshake.rs`). `HMAC(key, x)` is HMAC-SHA256 (RFC 2104); nobody who lacks the key can make
//! it. All frames of the handshake have at most 256 bytes.
//!
//! | | the listener | the client |
//! |---|---|---|
//! | 1 | sends `#CHALLENGE#` and c = `{sha256}` and 40 random bytes | waits for it |
//! | 2 | waits for the answer | sends `{sha256}` and HMAC(key, c) |
//! | 3 | checks it; sends `#WELCOME#`, or `#FAILURE#` and closes | waits for it |
//! | 4 | waits for a challenge | sends `#CHALLENGE#` and d = `{sha256}` and random bytes |
//! | 5 | sends `{sha256}` and HMAC(key, d) | waits for the answer |
//! | 6 | waits for it; [`Listener::accept`] returns | checks it; sends `#WELCOME#`, or `#FAILURE#` and closes; [`Client::connect`] returns |
//!
//! A stranger can do nothing at any step:
//!
//! - A recorded answer is of no use, because every challenge is new.
//! - What a stranger is sent, he could send back: c in step 4, or c of one listener in step 1 to
//!   a client of it. A listener answers only those who have shown the key, and never its own c. A
//!   client refuses the challenges of clients: d of this crate begins with `of a client:`. (Who
//!   can make a client of *Python* connect to himself can have d answered by that.)
//! - Who sits between the two sides can pass on all frames, and take over afterwards. Nothing in
//!   the protocol, which is Python's, prevents that or hides what is sent.
//! - Silence, or a byte now and then, costs him the connection after 5 seconds, and the listener
//!   one of 256 places, where the oldest stranger gives way to a newcomer (`reception.rs`).
//!
//! Whoever is killed at any step has its socket closed by the system, which the other side sees at
//! once: [`Error::Closed`](crate::Error::Closed). The listener's thread never waits for one guest,
//! but for the first of all of them.
//!
//! Python 3.11 and older answer with HMAC-MD5 alone, and their challenge is 20 random bytes. With
//! [`Key::allow_md5`], both are accepted as well. No other digest ever is, so nobody on the way can
//! ask for a weaker one.

mod address;
mod client;
mod frame;
mod handshake;
mod key;
mod listener;
mod reception;
mod session;
mod socket;
mod waiting_room;

pub use address::Address;
pub use client::Client;
pub use key::Key;
pub use listener::Listener;
