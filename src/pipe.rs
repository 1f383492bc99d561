//! Messages between two processes, and the file descriptors that they carry.

mod channel;
mod descriptor;
mod message;

pub use descriptor::Descriptor;

pub(crate) use channel::Channel;
pub(crate) use message::Message;
