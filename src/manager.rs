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
mod semaphore;
mod server;
mod shared;
mod value;

pub use barrier::BarrierProxy;
pub use condition::ConditionProxy;
pub use dict::DictProxy;
pub use event::EventProxy;
pub use list::ListProxy;
pub use lock::{LockProxy, LockProxyGuard, RLockProxy};
pub use namespace::NamespaceProxy;
pub use queue::QueueProxy;
pub use semaphore::{PermitProxy, SemaphoreProxy};
pub use shared::Shared;
pub use value::ValueProxy;

use crate::pipe::Channel;
use crate::spawn::ReturnValue;
use crate::sys::deadline::deadline;
use crate::wait::wait_until;
use crate::{Error, Process};
use blob::Blob;
use control::{Request, What};
use line::Kind;
use list::blobs;
use nix::unistd::{Pid, getpid};
use proxy::{Anchor, Proxy};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use server::{Order, Start};
use std::sync::Arc;
use std::time::Duration;

/// A process that keeps objects, on which others work through proxies: Python's `Manager()`.
#[derive(Clone, Debug)]
pub struct Manager {
    proxy: Proxy,
    /// Only in the process that started it.
    owner: Option<Arc<Owner>>,
}

/// The server, for the process that started it.
#[derive(Debug)]
struct Owner {
    process: Process<Result<(), Error>>,
    orders: Channel,
    /// A forked child has a copy of this.
    pid: Pid,
}

/// How long dropping a manager waits for an answer of its server, which could be stopped.
const PATIENCE: Duration = Duration::from_secs(1);

impl Manager {
    pub fn start() -> Result<Self, Error> {
        let (anchor, servers_anchor) = Anchor::pair()?;
        let (orders, owner) = Channel::pair()?;
        let start = Start { owner, anchor: servers_anchor };
        let process = Process::builder().name("Manager").spawn(server::serve, start)?;
        let owner = Owner { process, orders, pid: getpid() };
        Ok(Self { owner: Some(Arc::new(owner)), ..Self::from_anchor(anchor) })
    }

    fn from_anchor(anchor: Anchor) -> Self {
        Self { proxy: Proxy::new(anchor, Kind::Manager), owner: None }
    }

    /// A list with these elements: Python's `list`.
    pub fn list<T: Serialize>(
        &self,
        values: impl IntoIterator<Item = T>,
    ) -> Result<ListProxy<T>, Error> {
        self.create(What::List(blobs(values)?)).map(ListProxy::new)
    }

    pub fn dict<K, V>(&self) -> Result<DictProxy<K, V>, Error> {
        self.create(What::Dict).map(DictProxy::new)
    }

    pub fn queue<T>(&self, maxsize: usize) -> Result<QueueProxy<T>, Error> {
        self.create(What::Queue { maxsize }).map(QueueProxy::new)
    }

    pub fn namespace(&self) -> Result<NamespaceProxy, Error> {
        self.create(What::Namespace).map(NamespaceProxy::new)
    }

    pub fn value<T: Serialize>(&self, value: T) -> Result<ValueProxy<T>, Error> {
        self.create(What::Value(Blob::new(&value)?)).map(ValueProxy::new)
    }

    pub fn lock(&self) -> Result<LockProxy, Error> {
        self.create(What::Lock { recursive: false }).map(LockProxy::new)
    }

    pub fn rlock(&self) -> Result<RLockProxy, Error> {
        self.create(What::Lock { recursive: true }).map(RLockProxy::new)
    }

    pub fn semaphore(&self, permits: u32) -> Result<SemaphoreProxy, Error> {
        self.create(What::Semaphore { permits, bounded: false }).map(SemaphoreProxy::new)
    }

    pub fn bounded_semaphore(&self, permits: u32) -> Result<SemaphoreProxy, Error> {
        self.create(What::Semaphore { permits, bounded: true }).map(SemaphoreProxy::new)
    }

    pub fn event(&self) -> Result<EventProxy, Error> {
        self.create(What::Event).map(EventProxy::new)
    }

    pub fn condition(&self) -> Result<ConditionProxy, Error> {
        self.create(What::Lock { recursive: false }).map(ConditionProxy::new)
    }

    pub fn barrier(&self, parties: u32) -> Result<BarrierProxy, Error> {
        self.create(What::Barrier { parties }).map(BarrierProxy::new)
    }

    /// A value of a type of your own.
    pub fn share<T>(&self, value: T) -> Result<Shared<T>, Error>
    where
        T: Serialize + DeserializeOwned + Send + 'static,
    {
        self.create(shared::what(&value)?).map(Shared::new)
    }

    pub fn register_function<T, A, R>(&self, name: &str, f: fn(&mut T, A) -> R) -> Result<(), Error>
    where
        T: Send + 'static,
        A: DeserializeOwned + Send + 'static,
        R: ReturnValue + 'static,
    {
        let call = shared::Call::new(f)?;
        self.proxy.call(&Some(Request::RegisterFunction { name: name.into(), call }))
    }

    fn create(&self, what: What) -> Result<Anchor, Error> {
        let (ours, anchor) = Anchor::pair()?;
        self.proxy.call::<()>(&Some(Request::Create { anchor, what }))?;
        Ok(ours)
    }

    /// The server's process id, for the process that started it.
    pub fn pid(&self) -> Option<u32> {
        self.owner.as_ref().map(|owner| owner.process.pid())
    }

    /// Ends the server, whoever has proxies.
    pub fn shutdown(self) -> Result<(), Error> {
        let owner = self.owner.ok_or(Error::ManagerGone)?;
        owner.order(&Order::Shutdown)?;
        owner.process.wait();
        Ok(())
    }
}

impl Serialize for Manager {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.proxy.anchor().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Manager {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Anchor::deserialize(deserializer).map(Self::from_anchor)
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
        let mut message = crate::pipe::Message::default();
        message.push(order)?;
        self.orders.post(message)
    }
}
