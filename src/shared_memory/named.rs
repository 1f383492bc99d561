//! Shared memory with a name, for programs that know nothing of each other.

use super::copy;
use super::name::{self, Name};
use super::tracker::Registration;
use crate::Error;
use crate::descriptor::{self, Descriptor, keep_reason};
use crate::error::Trying;
use crate::sys::mapping::{Mapping, reserve};
use nix::errno::Errno;
use nix::sys::stat::fstat;
use nix::unistd::{Pid, getpid};
use serde::{Deserialize, Serialize, Serializer};
use std::io::{self, ErrorKind::AlreadyExists};
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// A block of bytes with a name: Python's `multiprocessing.shared_memory.SharedMemory`.
///
/// One program [`create`](SharedMemory::create)s it, others
/// [`attach`](SharedMemory::attach) to it by its name, which is a file in `/dev/shm`
/// (shm_overview(7)). A block of Python's can be attached to, and the other way round.
///
/// **The creator removes the name**, when the last clone of the handle that created it is
/// dropped. Whoever is attached then keeps the memory, but nobody can attach any more. If
/// the creator is killed, a small process removes the name, which runs while there are such
/// names, as Python's resource tracker does. It is started only in a program that has called
/// [`init`](crate::init); in any other, name and memory stay until
/// [`unlink`](SharedMemory::unlink), or until the machine restarts. Between processes of one
/// program, use an [`Array`](crate::Array), which has no name that could stay behind. (In
/// Python, a program that is only attached removes the name as well when it ends, unless it
/// says `track=False`, which exists since 3.13.)
///
/// A handle travels to other processes of the program, with name and memory; there, dropping
/// it never removes the name.
///
/// The block has no lock and no type. Bytes are copied in and out, and while another process
/// writes, a reader may see some old and some new bytes. Numbers that are never torn are in
/// [`RawArray`](crate::RawArray).
///
/// Whoever may open it may also shrink it, as it cannot be sealed. Touching memory that is
/// no longer there raises SIGBUS, which kills the process. [`read`](SharedMemory::read) and
/// [`write`](SharedMemory::write) check the length first and return an error; but if the
/// block is shrunk between that check and the copy, the process is killed.
///
/// # Example
///
/// ```
/// use multiprocessing::SharedMemory;
///
/// let name = format!("example-{}", std::process::id());
/// let created = SharedMemory::create(&name, 100)?;
/// created.write(10, b"hello")?;
///
/// let attached = SharedMemory::attach(&name)?; // in any other program
/// let mut bytes = [0; 5];
/// attached.read(10, &mut bytes)?;
/// assert_eq!(&bytes, b"hello");
/// drop(created);
/// assert!(SharedMemory::attach(&name).is_err());
/// # Ok::<(), multiprocessing::Error>(())
/// ```
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "Received")]
pub struct SharedMemory(Arc<Shared>);

/// What all clones of a handle have together.
#[derive(Debug, Serialize)]
struct Shared {
    name: String,
    #[serde(with = "descriptor")]
    file: OwnedFd,
    #[serde(skip)]
    mapping: Mapping,
    #[serde(skip)]
    _creator: Option<Creator>,
}

/// What arrives. A [`Descriptor`] is never the memory of a lock.
#[derive(Deserialize)]
struct Received {
    name: String,
    file: Descriptor,
}

/// Who removes the name: this process, and if it is killed, the tracker.
#[derive(Debug)]
struct Creator {
    pid: Pid,
    name: Name,
    _registration: Option<Registration>,
}

impl SharedMemory {
    /// A new block of `size` bytes under a name that nobody else has, such as
    /// `multiprocessing-1234-0`. As [`create`](SharedMemory::create) for the rest.
    ///
    /// # Errors
    ///
    /// Those of [`create`](SharedMemory::create), except that the name exists.
    pub fn new(size: usize) -> Result<Self, Error> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        loop {
            let name = format!("multiprocessing-{}-{}", getpid(), COUNT.fetch_add(1, Relaxed));
            match Self::create(&name, size) {
                Err(Error::System { source, .. }) if source.kind() == AlreadyExists => continue,
                created => return created,
            }
        }
    }

    /// A new block of `size` bytes, all 0, that only this user may open. All of it is
    /// reserved.
    ///
    /// # Errors
    ///
    /// [`Error::System`] if the name exists or is not valid (it is empty, contains a `/` or
    /// a NUL, or has more than 255 bytes), if the size is 0, or if there is not enough
    /// memory.
    pub fn create(name: &str, size: usize) -> Result<Self, Error> {
        let what = || format!("create shared memory of {size} bytes named {name:?}");
        let registration = reserve_registration()?;
        let file = name::unnamed().trying_to_do(what)?;
        reserve(&file, size).trying_to_do(what)?;
        let mapping = map(&file).trying_to_do(what)?;
        let creator = Creator::new(Name::of_file(name, &file).trying_to_do(what)?, registration);
        // The last step: nobody sees an unfinished block, and if this process is killed, the
        // tracker already knows the name.
        name::link(&file, name).trying_to_do(what)?;
        Ok(Self::from_parts(name.to_string(), file, mapping, Some(creator)))
    }

    /// The block that has this name.
    ///
    /// # Errors
    ///
    /// [`Error::System`] if it does not exist, is not for this user, or is empty.
    pub fn attach(name: &str) -> Result<Self, Error> {
        let what = || format!("attach to shared memory named {name:?}");
        let file = name::open(name).trying_to_do(what)?;
        let mapping = map(&file).trying_to_do(what)?;
        Ok(Self::from_parts(name.to_string(), file, mapping, None))
    }

    fn from_parts(name: String, file: OwnedFd, mapping: Mapping, creator: Option<Creator>) -> Self {
        Self(Arc::new(Shared { name, file, mapping, _creator: creator }))
    }

    /// Removes the name now, whoever created the block. Whoever is attached keeps the memory.
    ///
    /// # Errors
    ///
    /// [`Error::System`] if the name is gone, or means another block by now.
    pub fn unlink(&self) -> Result<(), Error> {
        let what = || format!("remove shared memory named {:?}", self.name());
        let name = Name::of_file(self.name(), &self.0.file).trying_to_do(what)?;
        name.unlink().trying_to_do(what)
    }

    /// The name by which others attach.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// How many bytes. (Python rounds this up to pages on some systems.)
    pub fn len(&self) -> usize {
        self.0.mapping.area().length
    }

    /// Always `false`: a block cannot be empty.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Copies bytes out, from `start` on.
    ///
    /// # Errors
    ///
    /// [`Error::OutOfRange`] if there are fewer, also because another process shrank the
    /// block.
    pub fn read(&self, start: usize, bytes: &mut [u8]) -> Result<(), Error> {
        let from = self.address_of(start, bytes.len())?;
        // SAFETY: they existed a moment ago; if not any more, the system kills the process.
        // Single bytes are always aligned, and this type accesses nothing else.
        unsafe { copy::load(from, bytes) };
        Ok(())
    }

    /// Copies bytes in, from `start` on.
    ///
    /// # Errors
    ///
    /// Those of [`read`](SharedMemory::read).
    pub fn write(&self, start: usize, bytes: &[u8]) -> Result<(), Error> {
        let to = self.address_of(start, bytes.len())?;
        // SAFETY: as in `read`.
        unsafe { copy::store(to, bytes) };
        Ok(())
    }

    fn address_of(&self, start: usize, count: usize) -> Result<*mut u8, Error> {
        let now = size_of_file(&self.0.file).trying_to("measure shared memory")?;
        copy::check_range(start, count, self.len().min(now))?;
        Ok(self.as_mut_ptr().wrapping_add(start))
    }

    /// The address of the first byte, for code that takes care of itself.
    pub fn as_mut_ptr(&self) -> *mut u8 {
        self.0.mapping.area().start.as_ptr()
    }
}

impl Serialize for SharedMemory {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl TryFrom<Received> for SharedMemory {
    type Error = String;

    fn try_from(Received { name, file }: Received) -> Result<Self, String> {
        let file = file.into_fd();
        let mapping = map(&file).map_err(|error| keep_reason(format!("cannot map it: {error}")))?;
        Ok(Self::from_parts(name, file, mapping, None))
    }
}

impl Creator {
    fn new(name: Name, mut registration: Option<Registration>) -> Self {
        if let Some(registration) = &mut registration {
            registration.register(name.clone());
        }
        Self { pid: getpid(), name, _registration: registration }
    }
}

impl Drop for Creator {
    fn drop(&mut self) {
        // A forked child has a copy of this, and is not the creator.
        if self.pid == getpid() {
            let _ = self.name.unlink(); // it may be gone already
        }
    }
}

/// `None` in a program that cannot start processes.
fn reserve_registration() -> Result<Option<Registration>, Error> {
    match Registration::reserve() {
        Err(Error::NotInitialised | Error::Unsupported { .. }) => Ok(None),
        reserved => reserved.map(Some),
    }
}

fn map(file: &OwnedFd) -> io::Result<Mapping> {
    Mapping::new(file, size_of_file(file)?)
}

fn size_of_file(file: &OwnedFd) -> nix::Result<usize> {
    usize::try_from(fstat(file)?.st_size).map_err(|_| Errno::EINVAL)
}
