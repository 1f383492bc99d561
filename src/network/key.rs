//! What both sides must have.

use crate::error::Trying;
use crate::{Error, sys};
use serde::{Deserialize, Serialize};
use std::fmt;

/// What the two sides of a connection show each other that they have, without sending it: Python's
/// `authkey`.
///
/// It has any number of bytes but 0. Take a random one ([`Key::random`]) where you can: whoever a
/// client connects to, or whoever listens on the way, can try all short keys in his own time.
///
/// Its `Debug` shows nothing of it, and no error holds it. It travels to a child in the arguments
/// of a [`Process`](crate::Process), which are neither on its command line nor in its environment.
/// (To serialise it into anything else, such as a file, is to write it there.)
///
/// ```
/// use multiprocessing::{Client, Key, Listener, Process};
///
/// fn main() -> Result<(), Box<dyn std::error::Error>> {
///     multiprocessing::init();
///     let key = Key::random()?;
///     let listener = Listener::bind("127.0.0.1:0", key.clone())?;
///     let address = listener.local_addr().to_string();
///     let child = Process::spawn(greet, (address, key))?;
///     let client = listener.accept::<(), String>()?;
///     assert_eq!(client.recv()?, "hello");
///     child.join()?;
///     Ok(())
/// }
///
/// fn greet((address, key): (String, Key)) {
///     let client = Client::<String, ()>::connect(address, key).expect("the parent listens");
///     client.send("hello".into()).expect("the parent receives");
/// }
/// ```
#[derive(Clone, Serialize, Deserialize)]
pub struct Key {
    bytes: Vec<u8>,
    md5: bool,
}

impl Key {
    /// 32 bytes that nobody can guess (getrandom(2)). Python's default, `os.urandom(32)`.
    ///
    /// # Errors
    ///
    /// [`Error::System`] if the system gives none: a sandbox forbids the call.
    pub fn random() -> Result<Self, Error> {
        Ok(sys::random::<32>().trying_to("make a random key")?.into())
    }

    /// Whether this key may also be shown by HMAC-MD5, as Python 3.11 and older do. By default it
    /// may not, and a connection to or from these is [`Error::Authentication`]. Newer ones, and
    /// this crate, show it by HMAC-SHA256 in any case.
    ///
    /// ```
    /// use multiprocessing::{Key, Listener};
    ///
    /// let key = Key::from("a secret that both sides have").allow_md5(true);
    /// let listener = Listener::bind("127.0.0.1:0", key)?; // for a Python 3.11, too
    /// # Ok::<(), multiprocessing::Error>(())
    /// ```
    #[must_use]
    pub fn allow_md5(self, allowed: bool) -> Self {
        Self { md5: allowed, ..self }
    }

    pub(super) fn allows_md5(&self) -> bool {
        self.md5
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// An empty key is one that everybody has.
    pub(super) fn check(self) -> Result<Self, Error> {
        match self.bytes.is_empty() {
            true => Err(Error::Authentication { reason: "the key is empty".into() }),
            false => Ok(self),
        }
    }
}

impl From<Vec<u8>> for Key {
    fn from(bytes: Vec<u8>) -> Self {
        Self { bytes, md5: false }
    }
}

impl From<&[u8]> for Key {
    fn from(bytes: &[u8]) -> Self {
        bytes.to_vec().into()
    }
}

impl<const LENGTH: usize> From<[u8; LENGTH]> for Key {
    fn from(bytes: [u8; LENGTH]) -> Self {
        bytes.to_vec().into()
    }
}

impl<const LENGTH: usize> From<&[u8; LENGTH]> for Key {
    fn from(bytes: &[u8; LENGTH]) -> Self {
        bytes.to_vec().into()
    }
}

/// The bytes of the text, in UTF-8.
impl From<&str> for Key {
    fn from(text: &str) -> Self {
        text.as_bytes().into()
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("Key(…)")
    }
}
