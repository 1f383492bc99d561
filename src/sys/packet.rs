//! Sockets that keep packets apart, and receiving a packet with the descriptors beside it
//! (recvmsg(2), cmsg(3)).
//!
//! Receiving uses libc, not nix. So a packet goes into memory that is not zeroed first, and the
//! descriptors that arrive have an owner at once, even if others had no room.

use libc::{CMSG_DATA, CMSG_FIRSTHDR, CMSG_NXTHDR, c_int, cmsghdr, iovec, msghdr};
use nix::errno::Errno;
use nix::sys::socket::{
    AddressFamily, SockFlag, SockType, UnixAddr, bind, getsockname, getsockopt, socketpair, sockopt,
};
use std::cell::{Cell, RefCell};
use std::hash::{BuildHasher, RandomState};
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};

/// This crate's packets are shorter than this. At least two fit into a socket's buffer (212,992
/// bytes by default, socket(7)), so one is written while another is read.
pub const MAX_PACKET: usize = 96 * 1024;

/// The most descriptors in one packet: a limit of the kernel (SCM_RIGHTS in unix(7)).
pub const MAX_DESCRIPTORS: usize = 253;

/// How the names of anchors begin.
const ANCHOR_NAME: &str = "multiprocessing-anchor-";

/// Room for the header and the descriptors, aligned as a `cmsghdr` must be.
type Control = [usize; 4 + MAX_DESCRIPTORS / 2];

pub struct Packet {
    pub kind: u8,
    pub bytes: Vec<u8>,
    pub descriptors: Vec<OwnedFd>,
}

thread_local! {
    /// The length of the last packet. A next packet that is no longer than this is received
    /// straight into its vector and never copied.
    static EXPECTED: Cell<usize> = const { Cell::new(0) };
    /// Receives what is beyond that length, to be copied.
    static REST: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// The two ends of a pair of sockets that keep packets apart (unix(7)).
pub fn pair() -> io::Result<(OwnedFd, OwnedFd)> {
    let (family, flags) = (AddressFamily::Unix, SockFlag::SOCK_CLOEXEC);
    Ok(socketpair(family, SockType::SeqPacket, None, flags)?)
}

/// The same, but the first end has a name (an abstract one, unix(7)), by which it is known wherever
/// it travels. Nobody can connect to it.
pub fn anchored_pair() -> io::Result<(OwnedFd, OwnedFd)> {
    let (named, other) = pair()?;
    let name = format!("{ANCHOR_NAME}{:016x}", RandomState::new().hash_one(named.as_raw_fd()));
    bind(named.as_raw_fd(), &UnixAddr::new_abstract(name.as_bytes())?)?;
    Ok((named, other))
}

/// Whether a descriptor is the first end of an [`anchored_pair`].
pub fn is_anchor(descriptor: &OwnedFd) -> bool {
    let name = getsockname::<UnixAddr>(descriptor.as_raw_fd());
    name.is_ok_and(|name| {
        name.as_abstract().is_some_and(|name| name.starts_with(ANCHOR_NAME.as_bytes()))
    })
}

/// Whether a descriptor is a socket that keeps packets apart.
pub fn is_socket(descriptor: &OwnedFd) -> bool {
    let is_unix = getsockname::<UnixAddr>(descriptor.as_raw_fd()).is_ok();
    is_unix && getsockopt(descriptor, sockopt::SockType) == Ok(SockType::SeqPacket)
}

/// Whether the other end is closed and nothing is left to be received. A receive then returns
/// 0 bytes, as it also does for an empty packet.
pub fn is_at_end(socket: BorrowedFd) -> bool {
    let mut bytes = 0 as c_int;
    // SAFETY: FIONREAD writes an int, the number of bytes to receive, and `bytes` is a local one.
    unsafe { libc::ioctl(socket.as_raw_fd(), libc::FIONREAD, &mut bytes) };
    is_hung_up(socket) && bytes == 0
}

/// Whether the other end is closed.
pub fn is_hung_up(socket: BorrowedFd) -> bool {
    let closed = libc::POLLRDHUP | libc::POLLHUP;
    let mut polled = libc::pollfd { fd: socket.as_raw_fd(), events: closed, revents: 0 };
    // SAFETY: it is told of one `pollfd`, and `polled` is one, a local variable.
    unsafe { libc::poll(&mut polled, 1, 0) };
    polled.revents & closed != 0
}

/// The next packet: its first byte, and the rest. `None` if it has no first byte.
pub fn receive(socket: BorrowedFd, flags: c_int) -> io::Result<Option<Packet>> {
    let received = REST.try_with(|rest| receive_with(socket, flags, &mut rest.borrow_mut()));
    // In a destructor at the end of the thread, `REST` may be gone already.
    received.unwrap_or_else(|_| receive_with(socket, flags, &mut Vec::new()))
}

/// `rest` takes what is longer than expected.
fn receive_with(
    socket: BorrowedFd,
    flags: c_int,
    rest: &mut Vec<u8>,
) -> io::Result<Option<Packet>> {
    let (mut kind, mut bytes) = (0u8, Vec::<u8>::new());
    bytes.try_reserve_exact(EXPECTED.get())?;
    rest.clear();
    rest.try_reserve(MAX_PACKET)?;
    let mut slices = [
        iovec { iov_base: (&raw mut kind).cast(), iov_len: 1 },
        iovec { iov_base: bytes.as_mut_ptr().cast(), iov_len: bytes.capacity() },
        iovec { iov_base: rest.as_mut_ptr().cast(), iov_len: MAX_PACKET },
    ];
    // SAFETY: each slice is writable memory of its length, of a local variable or of `rest`, which
    // is borrowed mutably. Nothing else uses it during the call.
    let (length, descriptors) = unsafe { receive_into(socket, &mut slices, flags) }?;
    let here = length.saturating_sub(1).min(bytes.capacity());
    // SAFETY: the kernel fills one slice after the other, so after the kind, it has written the
    // first `here` bytes of `bytes`, whose capacity is at least `here`.
    unsafe { bytes.set_len(here) };
    // SAFETY: it has written the remaining bytes to `rest`, whose capacity was its slice's length.
    unsafe { rest.set_len(length.saturating_sub(1) - here) };
    bytes.try_reserve(rest.len())?;
    bytes.extend_from_slice(rest);
    EXPECTED.set(bytes.len());
    if bytes.capacity() / 2 > bytes.len() {
        bytes.shrink_to_fit();
    }
    Ok((length > 0).then_some(Packet { kind, bytes, descriptors }))
}

/// Appends the next packet of a socket whose packets carry no descriptors. Returns its length, 0
/// if the other end is closed. `bytes` must have room for the longest packet.
pub fn append(socket: BorrowedFd, bytes: &mut Vec<u8>) -> io::Result<usize> {
    let room = bytes.spare_capacity_mut();
    let mut slices = [iovec { iov_base: room.as_mut_ptr().cast(), iov_len: room.len() }];
    // SAFETY: the slice is the unused capacity of `bytes`, which is borrowed mutably.
    let (length, _) = unsafe { receive_into(socket, &mut slices, 0) }?;
    // SAFETY: the kernel has written `length` bytes into the unused capacity, so all are
    // initialised.
    unsafe { bytes.set_len(bytes.len() + length) };
    Ok(length)
}

/// Receives a packet into `slices`. Returns its length and its descriptors.
///
/// # Safety
///
/// Each of `slices` is writable memory of its length that nothing else uses during the call.
unsafe fn receive_into(
    socket: BorrowedFd,
    slices: &mut [iovec],
    flags: c_int,
) -> io::Result<(usize, Vec<OwnedFd>)> {
    let mut control = MaybeUninit::<Control>::uninit();
    // SAFETY: its fields are numbers and raw pointers, for which zeroes are valid.
    let mut header: msghdr = unsafe { MaybeUninit::zeroed().assume_init() };
    header.msg_iov = slices.as_mut_ptr();
    header.msg_iovlen = slices.len() as _;
    header.msg_control = control.as_mut_ptr().cast();
    header.msg_controllen = size_of::<Control>() as _;
    let flags = flags | libc::MSG_CMSG_CLOEXEC;
    let length = loop {
        // SAFETY: `header` points to `slices`, which the caller answers for, and to `control`,
        // a local variable, with their lengths.
        let length = unsafe { libc::recvmsg(socket.as_raw_fd(), &mut header, flags) };
        match usize::try_from(length).map_err(|_| Errno::last()) {
            // ECONNRESET is returned once, if the other end was closed with unread packets. What
            // it had sent can still be received.
            Err(Errno::EINTR | Errno::ECONNRESET) => continue,
            length => break length?,
        }
    };
    // SAFETY: recvmsg has succeeded, so it has filled in `header`, and this is the only call for
    // it.
    let descriptors = unsafe { take_descriptors(&header) };
    if header.msg_flags & libc::MSG_CTRUNC != 0 {
        // There were too few numbers left. The descriptors that got one are closed here.
        return Err(io::Error::from_raw_os_error(libc::EMFILE));
    }
    if header.msg_flags & libc::MSG_TRUNC != 0 {
        return Err(io::Error::from_raw_os_error(libc::EMSGSIZE));
    }
    Ok((length, descriptors))
}

/// # Safety
///
/// recvmsg has filled in `header`, its buffers are still there, and its descriptors have not been
/// taken.
unsafe fn take_descriptors(header: &msghdr) -> Vec<OwnedFd> {
    let mut descriptors = Vec::new();
    // SAFETY: recvmsg has set the control buffer's length to what it has written.
    let mut next: *const cmsghdr = unsafe { CMSG_FIRSTHDR(header) };
    // SAFETY: it is null, or points to a whole header in the buffer, which is aligned for headers.
    while let Some(part) = unsafe { next.as_ref() } {
        if (part.cmsg_level, part.cmsg_type) == (libc::SOL_SOCKET, libc::SCM_RIGHTS) {
            // SAFETY: `part` is a header in the buffer, with its data behind it.
            let data: *const RawFd = unsafe { CMSG_DATA(part) }.cast();
            let size = part.cmsg_len - (data as usize - next as usize);
            for n in 0..size / size_of::<RawFd>() {
                // SAFETY: by `cmsg_len`, this many numbers follow the header in the buffer.
                let number = unsafe { data.wrapping_add(n).read_unaligned() };
                // SAFETY: the kernel has made the descriptor for this packet, and as the caller
                // promises, nothing else has taken it.
                descriptors.push(unsafe { OwnedFd::from_raw_fd(number) });
            }
        }
        // SAFETY: `part` is a header in the buffer of `header`.
        next = unsafe { CMSG_NXTHDR(header, part) };
    }
    descriptors
}
