//! Receiving a packet with the descriptors beside it (recvmsg(2), cmsg(3)).
//!
//! Written on libc: a packet goes into memory that need not be zeroed first, and
//! descriptors that arrive are owned at once, also when some found no room.

use libc::{CMSG_DATA, CMSG_FIRSTHDR, CMSG_NXTHDR, c_int, cmsghdr, iovec, msghdr};
use nix::sys::socket::{AddressFamily, SockFlag, SockType, socketpair};
use std::cell::{Cell, RefCell};
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};

/// The longest packet of ours. Two fit into a socket's buffer (212,992 bytes by
/// default, socket(7)), so that the sender fills one while the reader empties one.
pub const MAX_PACKET: usize = 96 * 1024;

/// The most descriptors in one packet: a limit of the kernel (SCM_RIGHTS in unix(7)).
pub const MAX_DESCRIPTORS: usize = 253;

/// Room for the header and the descriptors, aligned as a `cmsghdr` must be.
type Control = [usize; 4 + MAX_DESCRIPTORS / 2];

pub struct Packet {
    pub kind: u8,
    pub bytes: Vec<u8>,
    pub descriptors: Vec<OwnedFd>,
}

thread_local! {
    /// How long the last packet was: the next may be as long, and then it is
    /// received into a vector of its own and never copied.
    static EXPECTED: Cell<usize> = const { Cell::new(0) };
    /// What is longer than expected comes to lie here first.
    static REST: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// The two ends of a pair of sockets that keep packets apart (unix(7)).
pub fn pair() -> io::Result<(OwnedFd, OwnedFd)> {
    let (family, flags) = (AddressFamily::Unix, SockFlag::SOCK_CLOEXEC);
    Ok(socketpair(family, SockType::SeqPacket, None, flags)?)
}

/// The next packet: its first byte, and the rest. `None` if the other end is closed.
pub fn receive(socket: BorrowedFd, flags: c_int) -> io::Result<Option<Packet>> {
    let there = REST.try_with(|rest| receive_with(socket, flags, &mut rest.borrow_mut()));
    // In a destructor at the end of the thread, it may not be there any more.
    there.unwrap_or_else(|_| receive_with(socket, flags, &mut Vec::new()))
}

/// The same. `rest` has been or becomes memory for what is longer than expected.
fn receive_with(
    socket: BorrowedFd,
    flags: c_int,
    rest: &mut Vec<u8>,
) -> io::Result<Option<Packet>> {
    let mut kind = 0u8;
    let mut bytes = Vec::<u8>::with_capacity(EXPECTED.get());
    rest.clear();
    rest.reserve(MAX_PACKET);
    let mut slices = [
        iovec { iov_base: (&raw mut kind).cast(), iov_len: 1 },
        iovec { iov_base: bytes.as_mut_ptr().cast(), iov_len: bytes.capacity() },
        iovec { iov_base: rest.as_mut_ptr().cast(), iov_len: MAX_PACKET },
    ];
    // SAFETY: each slice is memory of ours of that length.
    let (length, descriptors) = unsafe { receive_into(socket, &mut slices, flags) }?;
    let here = length.saturating_sub(1).min(bytes.capacity());
    // SAFETY: the kernel wrote `length` bytes, one slice after the other.
    unsafe { bytes.set_len(here) };
    // SAFETY: the same.
    unsafe { rest.set_len(length.saturating_sub(1) - here) };
    bytes.extend_from_slice(rest);
    EXPECTED.set(bytes.len());
    if bytes.capacity() / 2 > bytes.len() {
        bytes.shrink_to_fit();
    }
    Ok((length > 0).then_some(Packet { kind, bytes, descriptors }))
}

/// Appends the next packet of a socket that carries no descriptors: how many bytes it
/// had, 0 if the other end is closed. There must be room for the longest.
pub fn append(socket: BorrowedFd, bytes: &mut Vec<u8>) -> io::Result<usize> {
    let room = bytes.spare_capacity_mut();
    let mut slices = [iovec { iov_base: room.as_mut_ptr().cast(), iov_len: room.len() }];
    // SAFETY: the slice is memory of ours of that length.
    let (length, _) = unsafe { receive_into(socket, &mut slices, 0) }?;
    // SAFETY: the kernel wrote so many bytes behind those that were there.
    unsafe { bytes.set_len(bytes.len() + length) };
    Ok(length)
}

/// # Safety
///
/// Each of `slices` is memory that may be written to.
unsafe fn receive_into(
    socket: BorrowedFd,
    slices: &mut [iovec],
    flags: c_int,
) -> io::Result<(usize, Vec<OwnedFd>)> {
    let mut control = MaybeUninit::<Control>::uninit();
    // SAFETY: a header of zeroes is valid.
    let mut header: msghdr = unsafe { MaybeUninit::zeroed().assume_init() };
    header.msg_iov = slices.as_mut_ptr();
    header.msg_iovlen = slices.len() as _;
    header.msg_control = control.as_mut_ptr().cast();
    header.msg_controllen = size_of::<Control>() as _;
    let flags = flags | libc::MSG_CMSG_CLOEXEC;
    let length = loop {
        // SAFETY: the caller says so of `slices`; `control` is ours.
        let length = unsafe { libc::recvmsg(socket.as_raw_fd(), &mut header, flags) };
        match usize::try_from(length).map_err(|_| io::Error::last_os_error()) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            length => break length?,
        }
    };
    // SAFETY: the kernel has filled it in.
    let descriptors = unsafe { take_descriptors(&header) };
    if header.msg_flags & libc::MSG_CTRUNC != 0 {
        // Those that found a number are closed again here.
        return Err(io::Error::from_raw_os_error(libc::EMFILE));
    }
    if header.msg_flags & libc::MSG_TRUNC != 0 {
        return Err(io::Error::from_raw_os_error(libc::EMSGSIZE));
    }
    Ok((length, descriptors))
}

/// # Safety
///
/// `header` was filled in by recvmsg, and its descriptors were not taken yet.
unsafe fn take_descriptors(header: &msghdr) -> Vec<OwnedFd> {
    let mut descriptors = Vec::new();
    // SAFETY: the header's control buffer is as long as it says.
    let mut next: *const cmsghdr = unsafe { CMSG_FIRSTHDR(header) };
    // SAFETY: it is null, or points to a header in the buffer.
    while let Some(part) = unsafe { next.as_ref() } {
        if (part.cmsg_level, part.cmsg_type) == (libc::SOL_SOCKET, libc::SCM_RIGHTS) {
            // SAFETY: `part` is in the buffer.
            let data: *const RawFd = unsafe { CMSG_DATA(part) }.cast();
            let size = part.cmsg_len - (data as usize - next as usize);
            for n in 0..size / size_of::<RawFd>() {
                // SAFETY: so many numbers follow the header.
                let number = unsafe { data.wrapping_add(n).read_unaligned() };
                // SAFETY: the kernel made it for this packet; nobody else has it.
                descriptors.push(unsafe { OwnedFd::from_raw_fd(number) });
            }
        }
        // SAFETY: `part` is in the buffer.
        next = unsafe { CMSG_NXTHDR(header, part) };
    }
    descriptors
}
