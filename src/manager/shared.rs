//! A value of the program's own type in the server.

use super::blob::Blob;
use super::control::What;
use super::line::{Kind, success};
use super::object::{Kept, Object, Reply, Work};
use super::proxy::proxy_type;
use super::server::{Origin, Server};
use crate::pipe::{Message, to_bytes};
use crate::spawn::Function;
use crate::sys::deadline::{Deadline, deadline};
use crate::{Error, ReturnValue};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::any::{Any, type_name};
use std::mem;
use std::time::Duration;

proxy_type! { Own:
    /// A value that a [`Manager`](crate::Manager) keeps: Python's proxy of a registered class.
    ///
    Shared<T>
}

impl<T: Send + 'static> Shared<T> {
    pub fn call<A, R>(&self, f: fn(&mut T, A) -> R, args: A) -> Result<R, Error>
    where
        A: Serialize + DeserializeOwned + Send + 'static,
        R: ReturnValue + 'static,
    {
        self.call_function(once::<T, A, R>, f as *const (), false, args, None)
    }

    pub fn repair<A, R>(&self, f: fn(&mut T, A) -> R, args: A) -> Result<R, Error>
    where
        A: Serialize + DeserializeOwned + Send + 'static,
        R: ReturnValue + 'static,
    {
        self.call_function(once::<T, A, R>, f as *const (), true, args, None)
    }

    pub fn call_when<A, R>(&self, f: fn(&mut T, &mut A) -> Option<R>, args: A) -> Result<R, Error>
    where
        A: Serialize + DeserializeOwned + Send + 'static,
        R: ReturnValue + 'static,
    {
        self.call_function(when::<T, A, R>, f as *const (), false, args, None)
    }

    pub fn call_when_timeout<A, R>(
        &self,
        f: fn(&mut T, &mut A) -> Option<R>,
        args: A,
        timeout: Duration,
    ) -> Result<R, Error>
    where
        A: Serialize + DeserializeOwned + Send + 'static,
        R: ReturnValue + 'static,
    {
        self.call_function(when::<T, A, R>, f as *const (), false, args, deadline(timeout))
    }

    fn call_function<A: Serialize, R: DeserializeOwned>(
        &self,
        entry: Entry,
        f: *const (),
        repairs: bool,
        args: A,
        deadline: Deadline,
    ) -> Result<R, Error> {
        let entry = Function::new(entry as *const ())?;
        let own = Call { entry, function: Function::new(f)?, repairs };
        self.proxy.call_until(&(Which::Own(own), args), deadline)
    }
}

impl<T> Shared<T> {
    pub fn call_named<A: Serialize, R: DeserializeOwned>(
        &self,
        name: &str,
        args: A,
    ) -> Result<R, Error> {
        self.proxy.call(&(Which::Named(name.into()), args))
    }
}

/// Which function is called.
#[derive(Serialize, Deserialize)]
enum Which {
    Own(Call),
    Named(String),
}

/// A function, and the [`Entry`] for its types.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Call {
    entry: Function,
    function: Function,
    repairs: bool,
}

/// Decodes the arguments, and makes work of them. The function is one of the entry's types.
type Entry = unsafe fn(Function, Message) -> Result<Run, Error>;

type Run = Box<dyn FnMut(&mut dyn Any, u64) -> Reply + Send>;

impl Call {
    pub fn new<T, A, R>(f: fn(&mut T, A) -> R) -> Result<Self, Error>
    where
        T: Send + 'static,
        A: DeserializeOwned + Send + 'static,
        R: Serialize + 'static,
    {
        let entry = Function::new(once::<T, A, R> as *const ())?;
        Ok(Self { entry, function: Function::new(f as *const ())?, repairs: false })
    }

    fn prepare(self, args: Message) -> Result<Work, Error> {
        let key = self.key(&args)?;
        // SAFETY: it is the address of an `Entry`: it was counted from the same static in the same
        // executable. Only this program can send it, as other messages than a proxy's do not
        // reach its anchor, and a call from the network names its function.
        let entry: Entry = unsafe { mem::transmute(self.entry.address()?) };
        // SAFETY: `call_function` and `new` put the two together.
        let run = unsafe { entry(self.function, args) }?;
        Ok(Work { key, repairs: self.repairs, run })
    }
}

impl Call {
    /// Those who wait for the same function with the same arguments wait for the same.
    fn key(self, args: &Message) -> Result<Vec<u8>, Error> {
        to_bytes(&self, args.rest().to_vec())
    }
}

/// # Safety
///
/// `function` was made from an `fn(&mut T, A) -> R`.
unsafe fn once<T, A, R>(function: Function, args: Message) -> Result<Run, Error>
where
    T: Send + 'static,
    A: DeserializeOwned + Send + 'static,
    R: Serialize + 'static,
{
    // SAFETY: it is the address of such a function, as the caller promises.
    let f: fn(&mut T, A) -> R = unsafe { mem::transmute(function.address()?) };
    let mut args = Some(args.take_last::<A>()?);
    Ok(Box::new(move |value, _| match value.downcast_mut::<Own<T>>() {
        Some(Own(value)) => Some(success(&f(value, args.take()?))),
        None => Some(Err(wrong_type::<T>())),
    }))
}

/// # Safety
///
/// `function` was made from an `fn(&mut T, &mut A) -> Option<R>`.
unsafe fn when<T, A, R>(function: Function, args: Message) -> Result<Run, Error>
where
    T: Send + 'static,
    A: DeserializeOwned + Send + 'static,
    R: Serialize + 'static,
{
    // SAFETY: it is the address of such a function, as the caller promises.
    let f: fn(&mut T, &mut A) -> Option<R> = unsafe { mem::transmute(function.address()?) };
    let mut args = args.take_last::<A>()?;
    Ok(Box::new(move |value, _| match value.downcast_mut::<Own<T>>() {
        Some(Own(value)) => Some(success(&f(value, &mut args)?)),
        None => Some(Err(wrong_type::<T>())),
    }))
}

fn wrong_type<T>() -> Error {
    let reason = "it is an object of another type".into();
    Error::Decode { what: type_name::<Shared<T>>().into(), reason }
}

/// The value in the server.
struct Own<T>(T);

impl<T: Send + 'static> Kept for Own<T> {}

pub type Make = fn(Blob) -> Result<Object, Error>;

/// How the server makes such an object.
pub fn what<T>(value: &T) -> Result<What, Error>
where
    T: Serialize + DeserializeOwned + Send + 'static,
{
    let make: Make = make::<T>;
    Ok(What::Own { make: Function::new(make as *const ())?, value: Blob::new(value)? })
}

fn make<T: DeserializeOwned + Send + 'static>(value: Blob) -> Result<Object, Error> {
    Ok(Object::new(Kind::Own, Own(value.value::<T>()?), prepare))
}

/// Makes an object of the program's own type.
pub fn make_own(make: Function, value: Blob) -> Result<Object, Error> {
    // SAFETY: it is the address of a `make`: see `Call::prepare`.
    let make: Make = unsafe { mem::transmute(make.address()?) };
    make(value)
}

fn prepare(server: &Server, mut request: Message, origin: Origin) -> Result<Work, Error> {
    let call = match request.take()? {
        Which::Own(call) if origin == Origin::Program => call,
        Which::Own(_) => return Err(Error::NotLocal),
        Which::Named(name) => server.function(&name)?,
    };
    call.prepare(request)
}
