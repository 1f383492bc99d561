//! Which function a child calls, with which arguments.

use super::answer::Answer;
use super::current::Identity;
use super::function::Function;
use super::values::{Arguments, ReturnValue};
use crate::Error;
use crate::pipe::Message;

/// Parent and child must have the same version. They do, unless the program links two versions of
/// this crate.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Appends what a child reads: the version, its identity, the `call` for the types of its function,
/// the function, and the arguments.
pub fn push_request<A: Arguments, R: ReturnValue>(
    message: &mut Message,
    f: fn(A) -> R,
    args: &A,
    identity: &Identity,
) -> Result<(), Error> {
    message.push(&VERSION)?;
    let entry = Function::new(call::<A, R> as *const ())?;
    message.push(&(identity, entry, Function::new(f as *const ())?))?;
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
    let (identity, entry, function): (Identity, Function, Function) = message.take()?;
    identity.assume()?;
    // SAFETY: the parent made it from a `call`, with the same version of this crate.
    let entry: Entry = unsafe { entry.as_fn()? };
    // SAFETY: `push_request` put the two together: the function has the types of this `call`.
    Ok(unsafe { entry(function, message) })
}

type Entry = unsafe fn(Function, Message) -> Answer;

/// Decodes the arguments, calls the function and encodes what it returns. There is one `call` for
/// each pair of types; a child finds it by its address.
///
/// # Safety
///
/// `function` was made from an `fn(A) -> R`.
unsafe fn call<A: Arguments, R: ReturnValue>(function: Function, args: Message) -> Answer {
    Answer::from_call(|| {
        // SAFETY: it was made from an `fn(A) -> R`, as the caller promises.
        let f: fn(A) -> R = unsafe { function.as_fn()? };
        Ok(f(args.take_last_static()?))
    })
}
