//! Which function a child calls, with which arguments.

use super::answer::Answer;
use super::current::Identity;
use super::function::Function;
use super::values::{Arguments, ReturnValue};
use crate::Error;
use crate::pipe::Message;
use serde::{Deserialize, Serialize};
use std::mem;

/// Parent and child must speak alike; they do, unless a program links two
/// versions of this crate.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// What a child reads behind the version; the arguments follow.
#[derive(Debug, Serialize, Deserialize)]
struct Request<I> {
    identity: I,
    /// Decodes the arguments, calls the function, encodes what it returns.
    entry: Function,
    function: Function,
}

/// Appends what a child reads.
pub fn push_request<A: Arguments, R: ReturnValue>(
    message: &mut Message,
    f: fn(A) -> R,
    args: &A,
    identity: &Identity,
) -> Result<(), Error> {
    message.push(&VERSION)?;
    let entry = Function::new(call::<A, R> as *const ())?;
    message.push(&Request { identity, entry, function: Function::new(f as *const ())? })?;
    message.push(args)
}

/// Calls the function that a request names.
pub fn run_request(request: Result<Message, Error>) -> Answer {
    request.and_then(run).unwrap_or_else(|error| Answer::from_error(&error))
}

fn run(mut message: Message) -> Result<Answer, Error> {
    let version: String = message.take()?;
    if version != VERSION {
        let reason =
            format!("the parent has version {version} of multiprocessing, the child {VERSION}");
        return Err(Error::Failed { reason });
    }
    let Request::<Identity> { identity, entry, function } = message.take()?;
    identity.assume()?;
    // SAFETY: it is the address of a `call`: the parent runs the same executable,
    // with the same version of this crate, and counted it from the same static.
    let entry: Entry = unsafe { mem::transmute(entry.address()?) };
    // SAFETY: the parent sent a function of the types of this `call`.
    Ok(unsafe { entry(function, message) })
}

type Entry = unsafe fn(Function, Message) -> Answer;

/// The entry of a child: one for each pair of types, found by its address.
///
/// # Safety
///
/// `function` was made of an `fn(A) -> R`.
unsafe fn call<A: Arguments, R: ReturnValue>(function: Function, args: Message) -> Answer {
    Answer::from_call(|| {
        let address = function.address()?;
        // SAFETY: it is the address of an `fn(A) -> R`, as the caller promises.
        let f: fn(A) -> R = unsafe { mem::transmute(address) };
        Ok(f(args.take_last_static()?))
    })
}
