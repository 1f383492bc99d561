//! A server process that owns objects.

mod barrier;
mod blob;
mod condition;
mod control;
mod dict;
mod event;
mod line;
mod list;
mod lock;
mod namespace;
mod object;
mod proxy;
mod queue;
mod remote;
mod semaphore;
mod server;
mod session;
mod shared;
mod value;

pub use barrier::BarrierProxy;
pub use condition::ConditionProxy;
pub use dict::DictProxy;
pub use event::EventProxy;
pub use list::ListProxy;
pub use lock::{LockProxy, LockProxyGuard, RLockProxy};
pub use namespace::NamespaceProxy;
pub use proxy::BaseProxy;
pub use queue::QueueProxy;
pub use semaphore::{PermitProxy, SemaphoreProxy};
pub use shared::Shared;
pub use value::ValueProxy;

use crate::descriptor::keep_reason;
use crate::network::{Address, Key};
use crate::pipe::{Channel, Message};
use crate::spawn::ReturnValue;
use crate::sys::deadline::deadline;
use crate::wait::wait_until;
use crate::{Error, Process};
use blob::Blob;
use control::{Request, What};
use line::{Kind, value};
use list::blobs;
use nix::unistd::{Pid, getpid};
use proxy::{Anchor, Proxy, Reference, Way};
use remote::Remote;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use server::{Order, Start};
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::time::Duration;

/// A process that keeps objects, on which others work through proxies: Python's `Manager()`.
#[derive(Clone, Debug)]
pub struct Manager(Place);

#[derive(Clone, Debug)]
enum Place {
    Here {
        proxy: Proxy,
        /// Only in the process that started it. Behind `proxy`, to be dropped after it.
        owner: Option<Arc<Owner>>,
    },
    Network(Arc<Remote>),
}

/// The server, for the process that started it.
#[derive(Debug)]
struct Owner {
    process: Process<Result<(), Error>>,
    orders: Channel,
    /// A forked child has a copy of this.
    pid: Pid,
    address: Option<Address>,
}

/// How long dropping a manager waits for an answer of its server, which could be stopped.
const PATIENCE: Duration = Duration::from_secs(1);

impl Manager {
    /// Starts a server process: Python's `Manager()`. It ends when nothing of it is left: no
    /// `Manager`, and no proxy in any process. Ctrl-C does not end it.
    ///
    /// # Errors
    ///
    /// Those of [`Process::spawn`].
    pub fn start() -> Result<Self, Error> {
        Self::start_at(None)
    }

    /// Starts a server process that others can reach over a network, too, if they have the key.
    /// Python's `BaseManager(address, authkey)`.
    ///
    /// # Errors
    ///
    /// Those of [`Listener::bind`](crate::Listener::bind) and [`Process::spawn`].
    pub fn serve(address: impl Into<Address>, key: impl Into<Key>) -> Result<Self, Error> {
        Self::start_at(Some((address.into(), key.into())))
    }

    fn start_at(listen: Option<(Address, Key)>) -> Result<Self, Error> {
        let (anchor, servers_anchor) = Anchor::pair()?;
        let (orders, owner) = Channel::pair()?;
        let (number, listens) = (RandomState::new().hash_one(0) >> 8, listen.is_some());
        let start = Start { owner, anchor: servers_anchor, number, listen };
        let process = Process::builder().name("Manager").spawn(server::serve, start)?;
        let mut owner = Owner { process, orders, pid: getpid(), address: None };
        if listens {
            let answer = owner.orders.receive().map_err(proxy::gone)?;
            owner.address = Some(value(answer)?);
        }
        let reference = Reference { number, way: Way::Anchor(anchor) };
        let proxy = Proxy::new(reference, Kind::Manager);
        Ok(Self(Place::Here { proxy, owner: Some(Arc::new(owner)) }))
    }

    /// Connects to a manager that [serves](Self::serve). Python's `connect()`.
    ///
    /// # Errors
    ///
    /// Those of [`Client::connect`](crate::Client::connect); [`Error::Decode`] if the other side has
    /// another version of this crate.
    pub fn connect(address: impl Into<Address>, key: impl Into<Key>) -> Result<Self, Error> {
        let remote = Remote::connect(address.into(), key.into())?;
        Ok(Self(Place::Network(Arc::new(remote))))
    }

    /// A list with these elements: Python's `list`.
    pub fn list<T: Serialize>(
        &self,
        values: impl IntoIterator<Item = T>,
    ) -> Result<ListProxy<T>, Error> {
        self.create(What::List(blobs(values)?))
    }

    /// An empty dictionary: Python's `dict`.
    pub fn dict<K, V>(&self) -> Result<DictProxy<K, V>, Error> {
        self.create(What::Dict)
    }

    /// A queue for at most `maxsize` messages, or for any number if it is 0: Python's `Queue`.
    pub fn queue<T>(&self, maxsize: usize) -> Result<QueueProxy<T>, Error> {
        self.create(What::Queue { maxsize })
    }

    /// Named values of any types: Python's `Namespace`.
    pub fn namespace(&self) -> Result<NamespaceProxy, Error> {
        self.create(What::Namespace)
    }

    /// A value: Python's `Value`, without a type code.
    pub fn value<T: Serialize>(&self, value: T) -> Result<ValueProxy<T>, Error> {
        self.create(What::Value(Blob::new(&value)?))
    }

    /// A lock that nobody holds: Python's `Lock`.
    pub fn lock(&self) -> Result<LockProxy, Error> {
        self.create(What::Lock { recursive: false })
    }

    /// A lock that its holder can take again: Python's `RLock`.
    pub fn rlock(&self) -> Result<RLockProxy, Error> {
        self.create(What::Lock { recursive: true })
    }

    /// A semaphore with this many permits: Python's `Semaphore`.
    pub fn semaphore(&self, permits: u32) -> Result<SemaphoreProxy, Error> {
        self.create(What::Semaphore { permits, bounded: false })
    }

    /// A semaphore with this many permits that never has more: Python's `BoundedSemaphore`.
    pub fn bounded_semaphore(&self, permits: u32) -> Result<SemaphoreProxy, Error> {
        self.create(What::Semaphore { permits, bounded: true })
    }

    /// An event that is not set: Python's `Event`.
    pub fn event(&self) -> Result<EventProxy, Error> {
        self.create(What::Event)
    }

    /// A condition with a lock of its own: Python's `Condition`.
    pub fn condition(&self) -> Result<ConditionProxy, Error> {
        self.create(What::Lock { recursive: false })
    }

    /// A barrier for this many parties: Python's `Barrier`. With 0 or 1, nobody waits.
    pub fn barrier(&self, parties: u32) -> Result<BarrierProxy, Error> {
        self.create(What::Barrier { parties })
    }

    /// Sends a value of a type of your own to the server, which keeps it.
    ///
    /// # Errors
    ///
    /// [`Error::NotLocal`] if the manager was reached over a network; [`Error::Encode`] and
    /// [`Error::Decode`] for the value.
    pub fn share<T>(&self, value: T) -> Result<Shared<T>, Error>
    where
        T: Serialize + DeserializeOwned + Send + 'static,
    {
        self.create(shared::what(&value)?)
    }

    fn create<P: BaseProxy>(&self, what: What) -> Result<P, Error> {
        match &self.0 {
            Place::Here { proxy, .. } => make(proxy, |anchor| Request::Create { anchor, what }),
            Place::Network(remote) => Ok(visit(remote, remote.create(what)?)),
        }
    }

    /// Gives an object a name, under which others find it: those who [connect](Self::connect) over a
    /// network, and those who have a `Manager` in this machine. The object then lives as long as
    /// the server. A name that was given before means the new object.
    ///
    /// # Errors
    ///
    /// [`Error::Decode`] if the object is another manager's; [`Error::NotLocal`] if the manager was
    /// reached over a network.
    pub fn register(&self, name: &str, proxy: &impl BaseProxy) -> Result<(), Error> {
        let number = proxy.proxy().reference().number;
        self.control(Request::Register { name: name.into(), number })
    }

    /// The object that was registered under a name.
    ///
    /// # Errors
    ///
    /// [`Error::NotRegistered`]; [`Error::Decode`] if the object is of another kind. The types of
    /// what is in it are not checked here: a call tells of them.
    pub fn registered<P: BaseProxy>(&self, name: &str) -> Result<P, Error> {
        match &self.0 {
            Place::Here { proxy, .. } => {
                let (name, kind) = (name.into(), P::KIND);
                make(proxy, |anchor| Request::Find { anchor, name, kind })
            }
            Place::Network(remote) => Ok(visit(remote, remote.find(name, P::KIND)?)),
        }
    }

    /// Gives a function a name, by which [`Shared::call_named`] calls it, over a network, too.
    ///
    /// # Errors
    ///
    /// [`Error::NotInExecutable`] for a function of a shared library; [`Error::NotLocal`] if the
    /// manager was reached over a network.
    pub fn register_function<T, A, R>(&self, name: &str, f: fn(&mut T, A) -> R) -> Result<(), Error>
    where
        T: Send + 'static,
        A: DeserializeOwned + Send + 'static,
        R: ReturnValue + 'static,
    {
        let call = shared::Call::new(f)?;
        self.control(Request::RegisterFunction { name: name.into(), call })
    }

    fn control(&self, request: Request) -> Result<(), Error> {
        match &self.0 {
            Place::Here { proxy, .. } => proxy.call::<u64>(&Some(request)).map(drop),
            Place::Network(_) => Err(Error::NotLocal),
        }
    }

    fn owner(&self) -> Option<&Owner> {
        match &self.0 {
            Place::Here { owner, .. } => owner.as_deref(),
            Place::Network(_) => None,
        }
    }

    /// The server's process id, for the process that started it.
    pub fn pid(&self) -> Option<u32> {
        self.owner().map(|owner| owner.process.pid())
    }

    /// Where the server listens, for the process that started it: with the port that the system has
    /// chosen for port 0. Python's `address`.
    pub fn address(&self) -> Option<&Address> {
        self.owner()?.address.as_ref()
    }

    /// Ends the server, also if there are proxies: their next call is [`Error::ManagerGone`]. The
    /// objects' destructors do not run.
    ///
    /// # Errors
    ///
    /// [`Error::System`] in another process than the one that started the server.
    pub fn shutdown(self) -> Result<(), Error> {
        let what = "shut down a manager that another process has started";
        let owner = self.owner().ok_or_else(|| Error::refused(what, libc::EPERM))?;
        owner.order(&Order::Shutdown)?;
        owner.process.wait();
        Ok(())
    }
}

/// An object of a server in this machine.
fn make<P: BaseProxy>(
    manager: &Proxy,
    request: impl FnOnce(Channel) -> Request,
) -> Result<P, Error> {
    let (ours, anchor) = Anchor::pair()?;
    let number = manager.call(&Some(request(anchor)))?;
    Ok(P::new(Reference { number, way: Way::Anchor(ours) }))
}

/// An object of a session.
fn visit<P: BaseProxy>(remote: &Arc<Remote>, number: u64) -> P {
    P::new(Reference { number, way: Way::Network(Arc::clone(remote)) })
}

/// A manager travels, so that children can make objects, too. One that was reached over a network
/// does not: a child connects anew.
impl Serialize for Manager {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.0 {
            Place::Here { proxy, .. } => proxy.reference().serialize(serializer),
            Place::Network(_) => Err(serde::ser::Error::custom(keep_reason(
                "a manager that was reached over a network stays in its process: connect again"
                    .into(),
            ))),
        }
    }
}

impl<'de> Deserialize<'de> for Manager {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let proxy = Proxy::new(Reference::deserialize(deserializer)?, Kind::Manager);
        Ok(Self(Place::Here { proxy, owner: None }))
    }
}

impl Drop for Owner {
    /// Waits for the end of the server if no proxies are left, so that a program leaves nothing
    /// behind.
    fn drop(&mut self) {
        if self.pid == getpid() && self.order(&Order::Leave).is_ok() {
            let answers = wait_until(&self.orders, deadline(PATIENCE));
            if answers && matches!(self.orders.try_receive(), Err(Error::Closed)) {
                let _ = self.process.wait_timeout(PATIENCE);
            }
        }
    }
}

impl Owner {
    fn order(&self, order: &Order) -> Result<(), Error> {
        let mut message = Message::default();
        message.push(order)?;
        self.orders.post(message).map_err(proxy::gone)
    }
}
