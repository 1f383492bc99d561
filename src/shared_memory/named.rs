//! Shared memory with a name, for programs that know nothing of each other.

use super::copy;
use super::tracker::Place;
use crate::Error;
use crate::error::Trying;
use crate::sys::mapping::{Mapping, reserve};
use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::sys::mman::{shm_open, shm_unlink};
use nix::sys::stat::{Mode, fstat};
use nix::unistd::{Pid, getpid};
use std::io;
use std::num::NonZeroUsize;
use std::os::fd::OwnedFd;

/// A block of bytes with a name: Python's `multiprocessing.shared_memory.SharedMemory`.
///
/// One program [`create`](SharedMemory::create)s it, others
/// [`attach`](SharedMemory::attach) to it by its name, which is a file in `/dev/shm`
/// (shm_overview(7)). A block of Python's can be attached to, and the other way round.
///
/// **Who creates it removes the name**, when the creator's handle is dropped. Those who
/// are attached then keep the memory, and nobody can attach any more. If the creator is
/// killed, a small process removes the name, which runs while there are such names, as
/// Python's resource tracker does. It is started only in a program that has called
/// [`init`](crate::init); in any other, name and memory stay until
/// [`unlink`](SharedMemory::unlink), or until the machine is started again. Between
/// processes of one program, take an [`Array`](crate::Array), which has no name to be
/// left behind. (In Python, a program that is only attached removes the name as well
/// when it ends, unless it says `track=False`, which exists since 3.13.)
///
/// It does not travel in messages: its name does.
///
/// There is no lock in it, and no type. Bytes are copied in and out; a number of up to
/// 8 bytes at a place that its size divides is never torn.
///
/// Whoever may open it may also shrink it, as it cannot be sealed. To touch memory that
/// is no longer there is SIGBUS, which kills the process. [`read`](SharedMemory::read)
/// and [`write`](SharedMemory::write) look first, so that it is an error; but if it is
/// shrunk between that look and the copy, the process is killed.
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
#[derive(Debug)]
pub struct SharedMemory {
    name: String,
    file: OwnedFd,
    mapping: Mapping,
    creator: Option<Creator>,
}

/// Who removes the name: this process, and if it is killed, the tracker.
#[derive(Debug)]
struct Creator {
    pid: Pid,
    _place: Option<Place>,
}

impl SharedMemory {
    /// A new block of so many bytes, all 0, that only this user may open. All of it is
    /// reserved.
    ///
    /// # Errors
    ///
    /// [`Error::System`] if the name exists, or is none (it is empty, has a `/` or a NUL
    /// in it, or more than 255 bytes), if the size is 0 or there is not so much memory.
    pub fn create(name: &str, size: usize) -> Result<Self, Error> {
        let what = || format!("create shared memory of {size} bytes named {name:?}");
        let flags = OFlag::O_CREAT | OFlag::O_EXCL | OFlag::O_RDWR | OFlag::O_CLOEXEC;
        let place = place_for_name()?;
        let file = open(name, flags).trying_to_do(what)?;
        let creator = Creator::of(name, place);
        let sized = reserve(&file, size).and_then(|()| map(&file));
        match sized {
            Ok(mapping) => {
                Ok(Self { name: name.to_string(), file, mapping, creator: Some(creator) })
            }
            Err(error) => {
                let _ = Self::unlink(name); // it is ours, and of no use
                Err(error).trying_to_do(what)
            }
        }
    }

    /// A block that exists.
    ///
    /// # Errors
    ///
    /// [`Error::System`] if it does not exist, is not for this user, or is empty.
    pub fn attach(name: &str) -> Result<Self, Error> {
        let what = || format!("attach to shared memory named {name:?}");
        let file = open(name, OFlag::O_RDWR | OFlag::O_CLOEXEC).trying_to_do(what)?;
        let mapping = map(&file).trying_to_do(what)?;
        Ok(Self { name: name.to_string(), file, mapping, creator: None })
    }

    /// Removes a name. Those who are attached keep the memory.
    ///
    /// # Errors
    ///
    /// [`Error::System`] if it does not exist or is not this user's.
    pub fn unlink(name: &str) -> Result<(), Error> {
        let what = || format!("remove shared memory named {name:?}");
        let path = path(name).trying_to_do(what)?;
        shm_unlink(path.as_str()).trying_to_do(what)
    }

    /// The name by which others attach.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How many bytes. Python rounds this up to pages on some systems.
    pub fn len(&self) -> usize {
        self.mapping.len()
    }

    /// Never: no block is empty.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Copies bytes out, from `start` on.
    ///
    /// # Errors
    ///
    /// [`Error::OutOfRange`] if there are not so many, also if another process shrank
    /// the block.
    pub fn read(&self, start: usize, bytes: &mut [u8]) -> Result<(), Error> {
        let place = self.place(start, bytes.len())?;
        // SAFETY: so many were there a moment ago; if not, the system kills the process.
        unsafe { copy::load(place, bytes) };
        Ok(())
    }

    /// Copies bytes in, from `start` on.
    ///
    /// # Errors
    ///
    /// Those of [`read`](SharedMemory::read).
    pub fn write(&self, start: usize, bytes: &[u8]) -> Result<(), Error> {
        let place = self.place(start, bytes.len())?;
        // SAFETY: as in `read`.
        unsafe { copy::store(place, bytes) };
        Ok(())
    }

    fn place(&self, start: usize, count: usize) -> Result<*mut u8, Error> {
        let now = size_of_file(&self.file).trying_to("measure shared memory")?;
        copy::check_range(start, count, self.len().min(now))?;
        Ok(self.as_mut_ptr().wrapping_add(start))
    }

    /// The first byte, for code that does what it wants with it.
    pub fn as_mut_ptr(&self) -> *mut u8 {
        self.mapping.start().as_ptr()
    }
}

impl SharedMemory {
    /// Whether the name is still that of this block, and not of one made since.
    fn has_name(&self) -> bool {
        let of = |file: &OwnedFd| fstat(file).map(|status| (status.st_dev, status.st_ino)).ok();
        let named = open(&self.name, OFlag::O_RDWR | OFlag::O_CLOEXEC).ok();
        named.is_some_and(|named| of(&named) == of(&self.file))
    }
}

impl Drop for SharedMemory {
    fn drop(&mut self) {
        // A forked child has a copy of this handle, and is not the creator.
        let is_creator = self.creator.as_ref().is_some_and(|creator| creator.pid == getpid());
        if is_creator && self.has_name() {
            let _ = Self::unlink(&self.name); // somebody may have removed it before
        }
    }
}

/// `None` in a program that cannot start processes.
fn place_for_name() -> Result<Option<Place>, Error> {
    match Place::new() {
        Err(Error::NotInitialised | Error::SetUserId) => Ok(None),
        place => place.map(Some),
    }
}

impl Creator {
    fn of(name: &str, mut place: Option<Place>) -> Self {
        if let Some(place) = &mut place {
            place.add(name);
        }
        Self { pid: getpid(), _place: place }
    }
}

/// Names begin with a slash for the system, and without for people.
fn path(name: &str) -> nix::Result<String> {
    match name.is_empty() || name.contains(['/', '\0']) {
        true => Err(Errno::EINVAL),
        false => Ok(format!("/{name}")),
    }
}

fn open(name: &str, flags: OFlag) -> nix::Result<OwnedFd> {
    shm_open(path(name)?.as_str(), flags, Mode::S_IRUSR | Mode::S_IWUSR)
}

fn map(file: &OwnedFd) -> io::Result<Mapping> {
    let length = NonZeroUsize::new(size_of_file(file)?).ok_or(Errno::EINVAL)?;
    Mapping::new(file, length)
}

fn size_of_file(file: &OwnedFd) -> io::Result<usize> {
    Ok(usize::try_from(fstat(file)?.st_size).unwrap_or(0))
}
