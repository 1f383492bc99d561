//! How two sides show each other that they have the same key: what is said, without a socket.

use super::frame;
use super::key::Key;
use crate::error::Trying;
use crate::{Error, sys};
use hmac_sha256::HMAC;

/// The longest frame before both sides have shown the key.
pub const MAX_FRAME: usize = 256;

const CHALLENGE: &[u8] = b"#CHALLENGE#";
const WELCOME: &[u8] = b"#WELCOME#";
const FAILURE: &[u8] = b"#FAILURE#";

/// What stands before a challenge and its answer: the digest.
const SHA256: &[u8] = b"{sha256}";

/// What begins the challenge of this crate's clients.
const OF_CLIENT: &[u8] = b"of a client:";

/// The random bytes of a challenge.
const RANDOM: usize = 40;

/// The challenge of Python 3.11 and older consists of so many random bytes alone, and asks for
/// HMAC-MD5.
const OLD_CHALLENGE: usize = 20;

/// Their answer is HMAC-MD5 alone.
const MD5_LENGTH: usize = 16;

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Side {
    Listener,
    Client,
}

/// What the other side says next.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Awaited {
    Challenge,
    /// The answer to our challenge.
    Answer,
    /// Whether it takes our answer.
    Verdict,
}

/// One side of a handshake.
#[derive(Debug)]
pub struct Handshake {
    key: Key,
    side: Side,
    awaited: Awaited,
    /// Ours, once it was made.
    challenge: Vec<u8>,
}

impl Handshake {
    /// Appends to `out` what this side says first: a listener's challenge.
    pub fn begin(key: Key, side: Side, out: &mut Vec<u8>) -> Result<Self, Error> {
        let mut new = Self { key, side, awaited: Awaited::Challenge, challenge: Vec::new() };
        if side == Side::Listener {
            new.challenge(out)?;
        }
        Ok(new)
    }

    /// Whether the other side has shown the key.
    pub fn was_shown_the_key(&self) -> bool {
        match self.side {
            Side::Listener => self.awaited != Awaited::Answer,
            Side::Client => false, // only at the end
        }
    }

    /// Takes what the other side says, and appends to `out` what is to be said then, even after an
    /// error. Returns whether both sides have shown the key.
    pub fn next(&mut self, said: &[u8], out: &mut Vec<u8>) -> Result<bool, Error> {
        match (self.awaited, self.side) {
            (Awaited::Challenge, _) => {
                frame::append(out, &self.answer(said)?);
                self.awaited = Awaited::Verdict;
                Ok(false)
            }
            (Awaited::Verdict, side) => {
                check_verdict(said)?;
                if side == Side::Client {
                    self.challenge(out)?;
                }
                Ok(side == Side::Listener)
            }
            (Awaited::Answer, side) => {
                let checked = self.check_answer(said);
                frame::append(out, if checked.is_ok() { WELCOME } else { FAILURE });
                self.awaited = Awaited::Challenge;
                checked.map(|()| side == Side::Client)
            }
        }
    }

    fn challenge(&mut self, out: &mut Vec<u8>) -> Result<(), Error> {
        let random = sys::random::<RANDOM>().trying_to("make a challenge")?;
        let side = if self.side == Side::Client { OF_CLIENT } else { b"" };
        self.challenge = [SHA256, side, &random].concat();
        frame::append(out, &[CHALLENGE, &self.challenge].concat());
        self.awaited = Awaited::Answer;
        Ok(())
    }

    /// The answer to the other side's challenge.
    fn answer(&self, said: &[u8]) -> Result<Vec<u8>, Error> {
        let challenge = said.strip_prefix(CHALLENGE).ok_or_else(|| refusal(NO_CHALLENGE))?;
        let random = challenge.strip_prefix(SHA256);
        match (challenge.len(), random) {
            (OLD_CHALLENGE, _) if self.key.allows_md5() => Ok(self.md5(challenge).to_vec()),
            (OLD_CHALLENGE, _) => Err(refusal(NEEDS_MD5)),
            (_, None) => Err(refusal("the other side asks for another digest than SHA-256")),
            (_, Some(random)) if random.len() < OLD_CHALLENGE => {
                Err(refusal("the other side's challenge is too short"))
            }
            (_, Some(random)) if challenge == self.challenge || self.is_reflected(random) => {
                Err(refusal("the other side sends a challenge that is not its own"))
            }
            _ => Ok([SHA256, &HMAC::mac(challenge, self.key.bytes())].concat()),
        }
    }

    /// Whether a client is sent the challenge of a client. The sender may have it from another
    /// connection, where it needs the answer to pass for a listener.
    fn is_reflected(&self, random: &[u8]) -> bool {
        self.side == Side::Client && random.starts_with(OF_CLIENT)
    }

    fn check_answer(&self, said: &[u8]) -> Result<(), Error> {
        let shown = match (said.strip_prefix(SHA256), said.len()) {
            (Some(mac), _) => same(mac, &HMAC::mac(&self.challenge, self.key.bytes()))?,
            (None, MD5_LENGTH) if self.key.allows_md5() => same(said, &self.md5(&self.challenge))?,
            _ => false,
        };
        shown.then_some(()).ok_or_else(|| refusal("the other side did not show the key"))
    }

    /// HMAC-MD5 (RFC 2104).
    fn md5(&self, message: &[u8]) -> [u8; MD5_LENGTH] {
        let mut key = [0; 64];
        match self.key.bytes() {
            long if long.len() > key.len() => {
                key[..MD5_LENGTH].copy_from_slice(&md5::compute(long).0)
            }
            short => key[..short.len()].copy_from_slice(short),
        }
        let inner = md5::compute([&key.map(|byte| byte ^ 0x36)[..], message].concat());
        md5::compute([&key.map(|byte| byte ^ 0x5c)[..], &inner.0].concat()).0
    }
}

const NO_CHALLENGE: &str = "the other side sent no challenge: it is no Listener, or has no key";
const NEEDS_MD5: &str = "the other side is a Python of 3.11 or older, which uses HMAC-MD5: if that \
                         is good enough for you, Key::allow_md5(true) on this side allows it";

pub fn refusal(reason: &'static str) -> Error {
    Error::Authentication { reason: reason.into() }
}

fn check_verdict(said: &[u8]) -> Result<(), Error> {
    match said {
        WELCOME => Ok(()),
        FAILURE => Err(refusal("the other side did not accept the key: it has another one")),
        _ => Err(refusal("the other side does not say whether it accepts the key")),
    }
}

/// Whether the bytes are the same, in a time that tells nothing of where they differ. They
/// themselves are not compared, but their MACs with a key that is used only here. However early
/// that comparison ends, whoever guesses the bytes cannot know what it compared.
fn same(one: &[u8], other: &[u8]) -> Result<bool, Error> {
    let blind = sys::random::<32>().trying_to("compare in constant time")?;
    Ok(HMAC::mac(one, blind) == HMAC::mac(other, blind))
}
