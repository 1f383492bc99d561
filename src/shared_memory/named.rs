//! Shared memory with a name, for unrelated programs.

use super::copy;
use super::name;
use crate::Error;
use crate::descriptor::{self, Descriptor, keep_reason};
use crate::error::Trying;
use crate::sys::mapping::{Mapping, reserve};
use crate::tracker::Registration;
use nix::errno::Errno;
use nix::sys::stat::fstat;
use nix::unistd::getpid;
use serde::{Deserialize, Serialize, Serializer};
use std::io::{self, ErrorKind::AlreadyExists};
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// A block of bytes with a name: Python's `multiprocessing.shared_memory.SharedMemory`.
///
/// One program calls [`create`](SharedMemory::create), and others
/// [`attach`](SharedMemory::attach) to the block by its name, which is a file in `/dev/shm`
/// (shm_overview(7)). Rust can attach to a block of Python's, and Python to one of Rust's.
///
/// **The creator removes the name** when it drops the last clone of the handle that created the
/// block. Programs that are attached keep the memory, but none can attach any more. If the
/// creator is killed, a small process, like Python's resource tracker, removes the name. It runs
/// while there are such names, and only in a program that has called [`init`](crate::init). In
/// any other program, name and memory stay until [`unlink`](SharedMemory::unlink), or until the
/// machine restarts. Between processes of one program, use an [`Array`](crate::Array), which has
/// no name to leave behind. (In Python, a program that only attached also removes the name when
/// it ends, unless it passes `track=False`, which exists since 3.13.)
///
/// A handle can be sent to other processes of the program. There, dropping it never removes the
/// name.
///
/// The block has no lock and no type. Bytes are copied in and out, and while another process
/// writes, a reader may see some old and some new bytes. In a [`RawArray`](crate::RawArray),
/// numbers are never torn.
///
/// Any program that may open the block may also shrink it: a file with a name cannot be sealed.
/// Touching memory that is no longer there raises SIGBUS, which kills the process.
/// [`read`](SharedMemory::read) and [`write`](SharedMemory::write) check the length first and
/// return an error; but if the block shrinks between the check and the copy, the process is
/// killed.
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

/// What all clones of a handle share.
#[derive(Debug, Serialize)]
struct Shared {
    name: String,
    #[serde(with = "descriptor")]
    file: OwnedFd,
    #[serde(skip)]
    mapping: Mapping,
    #[serde(skip)]
    _registration: Option<Registration>,
}

/// What arrives. A [`Descriptor`] is never this crate's anonymous memory.
#[derive(Deserialize)]
struct Received {
    name: String,
    file: Descriptor,
}

impl SharedMemory {
    /// A new block of `size` bytes under an unused name, such as `multiprocessing-1234-0`. In all
    /// else it is [`create`](SharedMemory::create).
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

    /// A new block of `size` bytes, all 0. All of it is reserved. Only this user may open it.
    ///
    /// # Errors
    ///
    /// [`Error::System`] if the name exists or is not valid (it is empty, contains a `/` or a
    /// NUL, or has more than 255 bytes), if the size is 0, or if there is not enough memory.
    pub fn create(name: &str, size: usize) -> Result<Self, Error> {
        let what = || format!("create shared memory of {size} bytes named {name:?}");
        let file = name::unnamed().trying_to_do(what)?;
        reserve(&file, size).trying_to_do(what)?;
        let registration = Registration::new(name::of_file(name, &file).trying_to_do(what)?)?;
        // By now the block is complete, and if this process is killed, the tracker knows the name.
        name::link(&file, name).trying_to_do(what)?;
        Self::map(name, file, Some(registration)).trying_to_do(what)
    }

    /// The block with this name.
    ///
    /// # Errors
    ///
    /// [`Error::System`] if it does not exist, is empty, or may not be opened by this user.
    pub fn attach(name: &str) -> Result<Self, Error> {
        let what = || format!("attach to shared memory named {name:?}");
        let file = name::open(name).trying_to_do(what)?;
        Self::map(name, file, None).trying_to_do(what)
    }

    fn map(name: &str, file: OwnedFd, _registration: Option<Registration>) -> io::Result<Self> {
        let mapping = Mapping::new(&file, size_of_file(&file)?)?;
        Ok(Self(Arc::new(Shared { name: name.to_string(), file, mapping, _registration })))
    }

    /// Removes the name now, even if another program created the block. Programs that are attached
    /// keep the memory.
    ///
    /// # Errors
    ///
    /// [`Error::System`] if the name is gone or now means another block.
    pub fn unlink(&self) -> Result<(), Error> {
        let what = || format!("remove shared memory named {:?}", self.name());
        let name = name::of_file(self.name(), &self.0.file).trying_to_do(what)?;
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
    /// [`Error::OutOfRange`] if there are fewer, or another program has shrunk the block.
    pub fn read(&self, start: usize, bytes: &mut [u8]) -> Result<(), Error> {
        let from = self.address_of(start, bytes.len())?;
        // SAFETY: `address_of` has checked that they are mapped and in the file. If the file has
        // shrunk since, the system kills the process. Bytes are always aligned, and in this crate
        // only this module accesses them.
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

    /// The address of the first byte, for unsafe code of your own.
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
        let mapped = Self::map(&name, file.into_fd(), None);
        mapped.map_err(|error| keep_reason(format!("cannot map it: {error}")))
    }
}

fn size_of_file(file: &OwnedFd) -> nix::Result<usize> {
    usize::try_from(fstat(file)?.st_size).map_err(|_| Errno::EINVAL)
}
