//! Shared memory with a name, for programs that know nothing of each other.

use super::copy;
use super::name::{self, Name};
use super::tracker::Place;
use crate::Error;
use crate::error::Trying;
use crate::sys::mapping::{Mapping, reserve};
use nix::errno::Errno;
use nix::sys::stat::fstat;
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
    _creator: Option<Creator>,
}

/// Who removes the name: this process, and if it is killed, the tracker.
#[derive(Debug)]
struct Creator {
    pid: Pid,
    name: Name,
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
        let place = place_for_name()?;
        let file = name::unnamed().trying_to_do(what)?;
        reserve(&file, size).trying_to_do(what)?;
        let mapping = map(&file).trying_to_do(what)?;
        let creator = Creator::of(Name::of(name, &file).trying_to_do(what)?, place);
        // The last step: nobody sees a block that is not finished, and if this process is
        // killed, the tracker knows the name already.
        name::link(&file, name).trying_to_do(what)?;
        Ok(Self { name: name.to_string(), file, mapping, _creator: Some(creator) })
    }

    /// A block that exists.
    ///
    /// # Errors
    ///
    /// [`Error::System`] if it does not exist, is not for this user, or is empty.
    pub fn attach(name: &str) -> Result<Self, Error> {
        let what = || format!("attach to shared memory named {name:?}");
        let file = name::open(name).trying_to_do(what)?;
        let mapping = map(&file).trying_to_do(what)?;
        Ok(Self { name: name.to_string(), file, mapping, _creator: None })
    }

    /// Removes a name. Those who are attached keep the memory.
    ///
    /// # Errors
    ///
    /// [`Error::System`] if it does not exist or is not this user's.
    pub fn unlink(name: &str) -> Result<(), Error> {
        let what = || format!("remove shared memory named {name:?}");
        name::unlink(name).trying_to_do(what)
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

impl Drop for Creator {
    fn drop(&mut self) {
        // A forked child has a copy of this, and is not the creator.
        if self.pid == getpid() {
            self.name.unlink();
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
    fn of(name: Name, mut place: Option<Place>) -> Self {
        if let Some(place) = &mut place {
            place.add(name.clone());
        }
        Self { pid: getpid(), name, _place: place }
    }
}

fn map(file: &OwnedFd) -> io::Result<Mapping> {
    let length = NonZeroUsize::new(size_of_file(file)?).ok_or(Errno::EINVAL)?;
    Mapping::new(file, length)
}

fn size_of_file(file: &OwnedFd) -> io::Result<usize> {
    Ok(usize::try_from(fstat(file)?.st_size).unwrap_or(0))
}
