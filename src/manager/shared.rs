//! A value of the program's own type in the server.

use super::blob::{Blob, type_of};
use super::control::What;
use super::line::{Kind, success};
use super::object::{Kept, Object, Run, Work};
use super::proxy::proxy_type;
use super::server::{Origin, Server};
use crate::pipe::{Message, to_bytes};
use crate::spawn::Function;
use crate::sys::deadline::{Deadline, deadline};
use crate::{Error, ReturnValue};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::any::type_name;
use std::time::Duration;

proxy_type! { Own:
    /// A value of your own type that a [`Manager`](crate::Manager) keeps: what Python's
    /// `BaseManager.register` of a class gives.
    ///
    /// [`call`](Self::call) runs a function on it in the server, one at a time, and returns what
    /// the function returns. The value never leaves the server. Its type needs serde's two traits
    /// only for the way there.
    ///
    /// Calls of different objects run at the same time. A function that waits or computes for long
    /// holds up all other calls of that object, and their time-outs, too; to wait for a change, take
    /// [`call_when`](Self::call_when). A function that calls its own object gets an error. Two
    /// objects whose functions call each other can wait for each other for ever.
    ///
    /// ```
    /// use multiprocessing::{Error, Manager, Process, Shared};
    ///
    /// #[derive(serde::Serialize, serde::Deserialize)]
    /// struct Account {
    ///     balance: u64,
    /// }
    ///
    /// impl Account {
    ///     fn withdraw(&mut self, amount: u64) -> bool {
    ///         let is_enough = self.balance >= amount;
    ///         if is_enough {
    ///             self.balance -= amount;
    ///         }
    ///         is_enough
    ///     }
    /// }
    ///
    /// fn main() -> Result<(), Error> {
    ///     multiprocessing::init();
    ///     let manager = Manager::start()?;
    ///     let account = manager.share(Account { balance: 100 })?;
    ///     Process::spawn(spend, account.clone())?.join()??;
    ///     assert_eq!(account.call(|account, ()| account.balance, ())?, 30);
    ///     Ok(())
    /// }
    ///
    /// fn spend(account: Shared<Account>) -> Result<(), Error> {
    ///     assert!(account.call(Account::withdraw, 70)?);
    ///     assert!(!account.call(Account::withdraw, 70)?);
    ///     Ok(())
    /// }
    /// ```
    Shared<T>
}

impl<T: Send + 'static> Shared<T> {
    /// Calls a function in the server, with the value and these arguments (a tuple if there are
    /// several). Between two calls, others may call.
    ///
    /// # Errors
    ///
    /// [`Error::Panicked`] if the function panicked. It may have left the value half changed, so
    /// all later calls get [`Error::Poisoned`], until one of [`repair`](Self::repair).
    /// [`Error::ManagerGone`]; [`Error::Encode`] and [`Error::Decode`] for the arguments and the
    /// result; [`Error::NotLocal`] if the manager was reached over a network.
    pub fn call<A, R>(&self, f: fn(&mut T, A) -> R, args: A) -> Result<R, Error>
    where
        A: Serialize + DeserializeOwned + Send + 'static,
        R: ReturnValue + 'static,
    {
        self.call_function(once::<T, A, R>, f as *const (), false, args, None)
    }

    /// The same as [`call`](Self::call), also if an earlier call panicked: the function makes the
    /// value whole again. If it does not panic, later calls are no longer refused.
    ///
    /// # Errors
    ///
    /// Those of [`call`](Self::call), except [`Error::Poisoned`].
    pub fn repair<A, R>(&self, f: fn(&mut T, A) -> R, args: A) -> Result<R, Error>
    where
        A: Serialize + DeserializeOwned + Send + 'static,
        R: ReturnValue + 'static,
    {
        self.call_function(once::<T, A, R>, f as *const (), true, args, None)
    }

    /// Waits until the function returns `Some`. It is called now, and again after each change of
    /// the value, in the server; nothing is held up meanwhile. While it returns `None`, it must
    /// change nothing.
    ///
    /// Those who wait for the same function with equal arguments are served in the order in which
    /// they came. If a process that waits is killed, its turn goes to the next.
    ///
    /// ```
    /// use multiprocessing::{Error, Manager, Process, Shared};
    ///
    /// fn main() -> Result<(), Error> {
    ///     multiprocessing::init();
    ///     let manager = Manager::start()?;
    ///     let level = manager.share(0u32)?;
    ///     let child = Process::spawn(fill, level.clone())?;
    ///     level.call_when(|level, least| (*level >= *least).then_some(()), 3)?;
    ///     child.join()?
    /// }
    ///
    /// fn fill(level: Shared<u32>) -> Result<(), Error> {
    ///     (0..3).try_for_each(|_| level.call(|level, ()| *level += 1, ()))
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`call`](Self::call).
    pub fn call_when<A, R>(&self, f: fn(&mut T, &mut A) -> Option<R>, args: A) -> Result<R, Error>
    where
        A: Serialize + DeserializeOwned + Send + 'static,
        R: ReturnValue + 'static,
    {
        self.call_function(when::<T, A, R>, f as *const (), false, args, None)
    }

    /// The same as [`call_when`](Self::call_when), but waits no longer than `timeout` (of the
    /// monotonic clock). A call that is running is waited for, however long it takes.
    ///
    /// # Errors
    ///
    /// [`Error::TimedOut`]; those of [`call`](Self::call).
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
    /// Calls a function that [`Manager::register_function`](crate::Manager::register_function) has
    /// given this name, also over a network and from another program.
    ///
    /// # Errors
    ///
    /// [`Error::NotRegistered`]; [`Error::Decode`] if the function has other types; those of
    /// [`call`](Self::call).
    pub fn call_named<A: Serialize, R: DeserializeOwned>(
        &self,
        name: &str,
        args: A,
    ) -> Result<R, Error> {
        let types = (type_of::<A>(), type_of::<R>());
        self.proxy.call(&(Which::Named(name.into(), types), args))
    }
}

/// Which function is called.
#[derive(Serialize, Deserialize)]
enum Which {
    Own(Call),
    /// With the types of its arguments and its result.
    Named(String, Types),
}

/// The types of a function's arguments and its result.
pub type Types = (String, String);

/// A function, and the [`Entry`] for its types.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Call {
    entry: Function,
    function: Function,
    repairs: bool,
}

/// Decodes the arguments, and makes work of them. The call's function is one of the entry's types.
type Entry = unsafe fn(Call, Message) -> Result<Work, Error>;

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
        // SAFETY: `call_function` and `new` made it from an `Entry`. Only this program can send it,
        // as other messages than a proxy's do not reach its anchor, and a call from the network
        // names its function.
        let entry = unsafe { self.entry.as_fn::<Entry>() }?;
        // SAFETY: the two put it together with a function of its types.
        unsafe { entry(self, args) }
    }

    /// Those who wait for the same function with the same arguments wait for the same.
    fn key(self, args: &Message) -> Result<Vec<u8>, Error> {
        to_bytes(&self, args.rest().to_vec())
    }
}

/// # Safety
///
/// The call's function was made from an `fn(&mut T, A) -> R`.
unsafe fn once<T, A, R>(call: Call, args: Message) -> Result<Work, Error>
where
    T: Send + 'static,
    A: DeserializeOwned + Send + 'static,
    R: Serialize + 'static,
{
    // SAFETY: the caller promises this.
    let f = unsafe { call.function.as_fn::<fn(&mut T, A) -> R>() }?;
    let mut args = Some(args.take_last::<A>()?);
    let run = on_value(move |value: &mut T| args.take().map(|args| f(value, args)));
    Ok(Work { key: Vec::new(), repairs: call.repairs, run }) // it never waits
}

/// # Safety
///
/// The call's function was made from an `fn(&mut T, &mut A) -> Option<R>`.
unsafe fn when<T, A, R>(call: Call, args: Message) -> Result<Work, Error>
where
    T: Send + 'static,
    A: DeserializeOwned + Send + 'static,
    R: Serialize + 'static,
{
    // SAFETY: the caller promises this.
    let f = unsafe { call.function.as_fn::<fn(&mut T, &mut A) -> Option<R>>() }?;
    let key = call.key(&args)?;
    let mut args = args.take_last::<A>()?;
    let run = on_value(move |value: &mut T| f(value, &mut args));
    Ok(Work { key, repairs: call.repairs, run })
}

/// What is done with an object, given what is done with its value.
fn on_value<T: Send + 'static, R: Serialize>(
    mut f: impl FnMut(&mut T) -> Option<R> + Send + 'static,
) -> Run {
    Box::new(move |value, _| match value.downcast_mut::<Own<T>>() {
        Some(Own(value)) => Some(success(&f(value)?)),
        None => Some(Err(wrong_type::<T>())),
    })
}

fn wrong_type<T>() -> Error {
    let reason = "it is an object of another type".into();
    Error::Decode { what: type_name::<Shared<T>>().into(), reason }
}

/// The value in the server.
struct Own<T>(T);

impl<T: Send + 'static> Kept for Own<T> {}

pub type Make = fn(u64, Blob) -> Result<Object, Error>;

/// How the server makes such an object.
pub fn what<T>(value: &T) -> Result<What, Error>
where
    T: Serialize + DeserializeOwned + Send + 'static,
{
    let make: Make = make::<T>;
    Ok(What::Own { make: Function::new(make as *const ())?, value: Blob::new(value)? })
}

fn make<T: DeserializeOwned + Send + 'static>(number: u64, value: Blob) -> Result<Object, Error> {
    Ok(Object::new(number, Kind::Own, Own(value.value::<T>()?), prepare))
}

/// Makes an object of the program's own type.
pub fn make_own(number: u64, make: Function, value: Blob) -> Result<Object, Error> {
    // SAFETY: `what` made it from a `Make`. Only this program can send it: see `Call::prepare`.
    unsafe { make.as_fn::<Make>() }?(number, value)
}

fn prepare(server: &Server, mut request: Message, origin: Origin) -> Result<Work, Error> {
    let call = match request.take()? {
        Which::Own(call) if origin == Origin::Program => call,
        Which::Own(_) => return Err(Error::NotLocal),
        Which::Named(name, types) => server.function(&name, &types)?,
    };
    call.prepare(request)
}
