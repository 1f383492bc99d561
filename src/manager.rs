//! A server process that owns objects, on which others work through proxies.
//!
//! | file | what is in it |
//! |---|---|
//! | `server` | the server process: anchors, connections, a thread for each |
//! | `object` | an object: its value, and the calls that wait for it |
//! | `control` | the manager as an object of its own server: it makes the others |
//! | `line` | a connection for calls, as both sides see it |
//! | `proxy` | the client's side: what all proxies have in common |
//! | `blob` | a value in bytes, as the built-in objects keep it |
//! | `list`, `dict`, `queue`, … | the built-in objects: their calls, their values, their proxies |
//! | `shared` | values of the program's own types, and functions that are called by their place |
//! | `remote`, `session` | a client over a network, and the server's side of it |
//!
//! Everything is promised by two mechanisms. The kernel counts references: a proxy is an open
//! socket, so the server is told when the last one is closed, whatever has closed it. And each call
//! has a connection of its own, which the client also keeps for as long as it holds something: when
//! it is closed, the object forgets what that client waited for or held.
//!
//! What a client sends over its connection to an object, the server believes, functions by their
//! places included. So nothing but a proxy may send there: an anchor is recognised by its name and
//! cannot be received as anything else ([`proxy::Anchor`]), and each call says what kind of proxy
//! makes it ([`line::Kind`]). Over a network, no function is called by its place.

mod barrier;
mod blob;
mod builder;
mod condition;
mod control;
mod dict;
mod event;
mod line;
mod list;
mod lock;
mod namespace;
mod object;
mod owner;
mod proxy;
mod queue;
mod remote;
mod semaphore;
mod server;
mod session;
mod shared;
mod value;

pub use barrier::BarrierProxy;
pub use builder::ManagerBuilder;
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

use crate::Error;
use crate::descriptor::keep_reason;
use crate::network::{Address, Key};
use crate::pipe::Channel;
use crate::spawn::ReturnValue;
use blob::{Blob, type_of};
use control::{Request, What};
use line::Kind;
use list::blobs;
use owner::Owner;
use proxy::{Anchor, Proxy, Reference, Way};
use remote::Remote;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

/// A process that keeps objects, on which others work through proxies: Python's `Manager()`.
///
/// `list`, `dict`, `queue` and the others make an object in the server, and return a proxy: a
/// [`ListProxy`], a [`DictProxy`], a [`QueueProxy`]. [`share`](Self::share) takes a value of a type
/// of your own. Proxies are `Clone`, and travel: in the arguments of a [`Process`](crate::Process), through a
/// [`Connection`](crate::Connection), to the tasks of a [`Pool`](crate::Pool), and into other objects
/// of the manager. So does the `Manager` itself. Each method of a proxy is a message to the server
/// and one back. Where several processes on one machine need the same numbers,
/// [`Value`](crate::Value) and [`Array`](crate::Array) are a hundred times faster.
///
/// An object lives as long as a proxy does, in whatever process, and the server as long as a
/// `Manager` or an object does; both also if processes are killed. When the last `Manager` in the
/// process that started the server is dropped and no proxy is left, the drop waits for the server's
/// end. If a process is killed while it holds a [`LockProxy`] or waits for something, the object
/// forgets it. If the server is killed, each call is [`Error::ManagerGone`], at once.
///
/// A proxy has a descriptor, and so has its object in the server, which raises its limit to what the
/// system allows. Each thread that calls while others do takes one more on both sides, which the
/// proxy keeps for later calls. In a child of `fork`, proxies work, and keep their objects alive.
///
/// ```
/// use multiprocessing::{DictProxy, Error, Manager, Process};
///
/// fn main() -> Result<(), Error> {
///     multiprocessing::init();
///     let manager = Manager::start()?;
///     let squares = manager.dict()?;
///     let children: Result<Vec<_>, _> =
///         (1..=3).map(|n| Process::spawn(square, (squares.clone(), n))).collect();
///     for child in children? {
///         child.join()??;
///     }
///     assert_eq!(squares.get(&3)?, Some(9));
///     Ok(())
/// }
///
/// fn square((squares, n): (DictProxy<u32, u32>, u32)) -> Result<(), Error> {
///     squares.insert(n, n * n)?;
///     Ok(())
/// }
/// ```
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

impl Manager {
    /// Starts a server process: Python's `Manager()`. It ends when nothing of it is left: no
    /// `Manager`, and no proxy in any process. Ctrl-C does not end it.
    ///
    /// # Errors
    ///
    /// Those of [`Process::spawn`](crate::Process::spawn).
    pub fn start() -> Result<Self, Error> {
        Self::builder().start()
    }

    /// Starts a server process that others can reach over a network, too, if they have the key.
    /// Python's `BaseManager(address, authkey)`.
    ///
    /// Who has the key can make objects, find those that were [registered](Self::register), and
    /// call what the built-in objects can do and what was
    /// [registered](Self::register_function), nothing else. Nothing is encrypted:
    /// [`Client`](crate::Client) says what the key protects.
    ///
    /// ```
    /// use multiprocessing::{Error, Key, Manager, Process, QueueProxy};
    ///
    /// fn main() -> Result<(), Error> {
    ///     multiprocessing::init();
    ///     let key = Key::random()?;
    ///     let manager = Manager::serve("127.0.0.1:0", key.clone())?;
    ///     let jobs = manager.queue::<String>(10)?;
    ///     manager.register("jobs", &jobs)?;
    ///     let address = manager.address().expect("it listens").to_string();
    ///     Process::spawn(work, (address, key))?.join()??;
    ///     assert_eq!(jobs.get()?, "done");
    ///     Ok(())
    /// }
    ///
    /// /// Another program would do the same.
    /// fn work((address, key): (String, Key)) -> Result<(), Error> {
    ///     let manager = Manager::connect(address, key)?;
    ///     let jobs: QueueProxy<String> = manager.registered("jobs")?;
    ///     Ok(jobs.put("done".into())?)
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`Listener::bind`](crate::Listener::bind) and [`Process::spawn`](crate::Process::spawn).
    pub fn serve(address: impl Into<Address>, key: impl Into<Key>) -> Result<Self, Error> {
        Self::builder().listen(address, key).start()
    }

    /// A manager with a name, or one that listens.
    pub fn builder() -> ManagerBuilder {
        ManagerBuilder::default()
    }

    fn start_with(builder: ManagerBuilder) -> Result<Self, Error> {
        let (anchor, servers_anchor) = Anchor::pair()?;
        let number = RandomState::new().hash_one(0) >> 8;
        let owner = Owner::start(servers_anchor, number, builder)?;
        let reference = Reference { number, way: Way::Anchor(anchor) };
        let proxy = Proxy::new(reference, Kind::Manager);
        Ok(Self(Place::Here { proxy, owner: Some(Arc::new(owner)) }))
    }

    /// Connects to a manager that [serves](Self::serve). Python's `connect()`.
    ///
    /// The objects that are made here live as long as this connection: until this `Manager` and all
    /// proxies that came from it are gone, in whatever process. A proxy travels to a child, which
    /// then connects on its own, and takes the key along in the message.
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
    pub fn register<P: BaseProxy>(&self, name: &str, proxy: &P) -> Result<(), Error> {
        let number = proxy.proxy().reference().number;
        self.control(Request::Register { name: name.into(), number, proxy: type_of::<P>() })
    }

    /// The object that was registered under a name.
    ///
    /// # Errors
    ///
    /// [`Error::NotRegistered`]; [`Error::Decode`] if it was registered as a proxy of another type.
    /// (Types are compared by their names without modules, as the other side may be another
    /// program.)
    pub fn registered<P: BaseProxy>(&self, name: &str) -> Result<P, Error> {
        match &self.0 {
            Place::Here { proxy, .. } => {
                let (name, of) = (name.into(), type_of::<P>());
                make(proxy, |anchor| Request::Find { anchor, name, proxy: of })
            }
            Place::Network(remote) => Ok(visit(remote, remote.find(name, type_of::<P>())?)),
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
        let types = (type_of::<A>(), type_of::<R>());
        self.control(Request::RegisterFunction { name: name.into(), call, types })
    }

    fn control(&self, request: Request) -> Result<(), Error> {
        match &self.0 {
            Place::Here { proxy, .. } => proxy.call::<u64>(&request).map(drop),
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
        self.owner().map(Owner::pid)
    }

    /// Where the server listens, for the process that started it: with the port that the system has
    /// chosen for port 0. Python's `address`.
    pub fn address(&self) -> Option<&Address> {
        self.owner()?.address()
    }

    /// Ends the server, also if there are proxies: their next call is [`Error::ManagerGone`]. The
    /// objects' destructors do not run.
    ///
    /// # Errors
    ///
    /// [`Error::System`] in another process than the one that started the server.
    pub fn shutdown(self) -> Result<(), Error> {
        let what = "shut down a manager that another process has started";
        self.owner().ok_or_else(|| Error::refused(what, libc::EPERM))?.shutdown()
    }
}

/// An object of a server in this machine.
fn make<P: BaseProxy>(
    manager: &Proxy,
    request: impl FnOnce(Channel) -> Request,
) -> Result<P, Error> {
    let (ours, anchor) = Anchor::pair()?;
    let number = manager.call(&request(anchor))?;
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
