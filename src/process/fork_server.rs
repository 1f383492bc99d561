//! A process that forks on request.
//!
//! The program sends it a `Job`, followed by the request that a child of `spawn`
//! reads, and two ends of channels: one for the child's answer, one for what the
//! server has to tell: the child's id and, later, how it ended.

use super::Process;
use super::builder::next_name;
use super::child::{Child, kill_and_reap, reap};
use crate::pipe::{Channel, Message};
use crate::spawn::{Options, answer_to, exit_now, push_request, take_socket_over};
use crate::{Error, sys, wait};
use nix::unistd::{ForkResult, Pid, fork};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// A small process with one thread, which forks a child on request: Python's
/// start method forkserver.
///
/// It is itself started by spawn, so it may be started at any time, and a program
/// with threads may use it. Its children start clean, as those of
/// [`Process::spawn`], and faster, as no program is loaded.
///
/// The server is the parent of its children, and their ends come through it. When
/// it is dropped, it goes on until its last child has ended. When it is killed, its
/// children go on, the next [`spawn`](ForkServer::spawn) is an error, and how a
/// child ended is not known, though its result still comes. While it is stopped
/// (`SIGSTOP`), all who start its children or wait for their ends wait for it.
///
/// ```
/// use multiprocessing::{Error, ForkServer};
///
/// fn main() -> Result<(), Error> {
///     multiprocessing::init();
///     let server = ForkServer::start()?;
///     let children = [1, 2, 3].map(|n| server.spawn(|n: u64| n * n, n));
///     let squares: Result<Vec<_>, _> = children.into_iter().map(|child| child?.join()).collect();
///     assert_eq!(squares?, [1, 4, 9]);
///     Ok(())
/// }
/// ```
#[derive(Debug)]
pub struct ForkServer {
    requests: Channel,
    process: Process<()>,
}

/// What stands before a request.
#[derive(Serialize, Deserialize)]
struct Job {
    answers: Channel,
    news: Channel,
}

/// The first news of a child; the second is its [`End`](super::child::End).
#[derive(Serialize, Deserialize)]
enum Started {
    Child {
        pid: i32,
        #[serde(with = "crate::descriptor")]
        pidfd: OwnedFd,
    },
    Failed {
        reason: String,
    },
}

impl Started {
    fn failed(reason: &str) -> Self {
        Self::Failed { reason: reason.to_string() }
    }
}

impl ForkServer {
    /// Starts the server.
    ///
    /// # Errors
    ///
    /// Those of [`Process::spawn`].
    pub fn start() -> Result<Self, Error> {
        let (requests, theirs) = Channel::pair()?;
        let builder = Process::builder().name("ForkServer");
        let process = builder.spawn(serve, theirs)?;
        Ok(Self { requests, process })
    }

    /// Starts a child that calls `f(args)`, as [`Process::spawn`].
    ///
    /// # Errors
    ///
    /// Those of [`Process::spawn`]; [`Error::ForkServerGone`] if the server was
    /// killed; [`Error::Failed`] if it could not start the child. If the server is killed
    /// in the moment between its fork and its answer, the child runs all the same, and
    /// nobody has a handle of it.
    pub fn spawn<A, R>(&self, f: fn(A) -> R, args: A) -> Result<Process<R>, Error>
    where
        A: Serialize + DeserializeOwned,
        R: Serialize + DeserializeOwned,
    {
        let options = Options { name: next_name(), ..Options::default() };
        let (answers, theirs) = Channel::pair()?;
        let (news, to_tell) = Channel::pair()?;
        let mut message = Message::default();
        message.push(&Job { answers: theirs, news: to_tell })?;
        push_request(&mut message, f, &args, &options)?;
        self.requests.leave(message).map_err(gone)?;
        match news.receive().map_err(gone)?.take_last()? {
            Started::Failed { reason } => Err(Error::Failed { reason }),
            Started::Child { pid, pidfd } => {
                let child = Child::of_fork_server(Pid::from_raw(pid), pidfd, news);
                Ok(Process::new(options.name, child, answers))
            }
        }
    }

    /// The server's process id.
    pub fn pid(&self) -> u32 {
        self.process.pid()
    }
}

impl AsFd for ForkServer {
    /// Readable when the server has ended.
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.process.as_fd()
    }
}

fn gone(error: Error) -> Error {
    match error {
        Error::Closed => Error::ForkServerGone,
        error => error,
    }
}

/// A child of the server.
struct Served {
    pidfd: OwnedFd,
    news: Channel,
}

/// The server: runs until there will be no request and there is no child.
fn serve(requests: Channel) {
    let mut server = Server { requests: Some(requests), children: Vec::new() };
    while server.requests.is_some() || !server.children.is_empty() {
        server.turn();
    }
}

struct Server {
    /// `None` when the program will send no more.
    requests: Option<Channel>,
    children: Vec<Served>,
}

impl Server {
    /// Waits for a request or the end of a child, and sees to it.
    fn turn(&mut self) {
        let pidfds = self.children.iter().map(|child| child.pidfd.as_fd());
        let objects: Vec<_> = pidfds.chain(self.requests.iter().map(Channel::as_fd)).collect();
        let ready = wait(&objects, None).expect("there are no more objects than descriptors");
        let count = self.children.len();
        // From the last on, so that the places before it stay.
        for place in ready.into_iter().rev() {
            match place < count {
                true => self.bury(place),
                false => self.answer(),
            }
        }
    }

    fn bury(&mut self, place: usize) {
        let Served { pidfd, news } = self.children.remove(place);
        let end = reap(&pidfd);
        let _ = tell(&news, &end); // the program may have dropped its handle
    }

    fn answer(&mut self) {
        match self.requests.as_ref().map(Channel::receive) {
            Some(Ok(request)) => {
                // A request that makes no sense is not from our program.
                let _ = self.start(request);
            }
            // It holds more descriptors than there is room for here: it alone is lost.
            Some(Err(Error::System { source, .. }))
                if source.raw_os_error() == Some(libc::EMFILE) => {}
            _ => self.requests = None,
        }
    }

    // ANCHOR: start
    fn start(&mut self, mut request: Message) -> Result<(), Error> {
        let Job { answers, news } = request.take()?;
        let Ok(room) = room_for_child(&news) else {
            return tell(&news, &Started::failed("the fork server has no descriptor left"));
        };
        // SAFETY: the server has one thread: it is a child of spawn, runs nothing but
        // this module, and a daemon, which has a second one, it is not.
        match unsafe { fork() } {
            Ok(ForkResult::Child) => {
                // What is the server's, and other children's, is not this child's.
                self.requests = None;
                self.children.clear();
                drop((news, room));
                work(request, answers)
            }
            Ok(ForkResult::Parent { child }) => {
                drop(room);
                self.keep(child, news)
            }
            Err(error) => tell(&news, &Started::failed(&format!("cannot fork: {error}"))),
        }
    }
    // ANCHOR_END: start

    /// Keeps the child, and tells the program of it, which may have gone meanwhile.
    fn keep(&mut self, pid: Pid, news: Channel) -> Result<(), Error> {
        let (pidfd, copy) = match two_pidfds(pid) {
            Ok(pidfds) => pidfds,
            Err(error) => return tell(&news, &Started::failed(&error.to_string())),
        };
        let told = tell(&news, &Started::Child { pid: pid.as_raw(), pidfd: copy });
        if let Err(Error::Encode { reason, .. }) = told {
            kill_and_reap(pid); // no descriptor was left for the news of it
            return tell(&news, &Started::failed(&reason));
        }
        self.children.push(Served { pidfd, news });
        told
    }
}

/// So many descriptors as a child takes: a lack of them shows before there is one.
fn room_for_child(news: &Channel) -> Result<[Channel; 3], Error> {
    Ok([news.try_clone()?, news.try_clone()?, news.try_clone()?])
}

/// For the server and for the program. Without them the child is ended: it would be
/// out of control.
fn two_pidfds(pid: Pid) -> Result<(OwnedFd, OwnedFd), Error> {
    let opened = sys::pidfd_open(pid).and_then(|pidfd| Ok((pidfd.try_clone()?, pidfd)));
    opened.map_err(|source| {
        kill_and_reap(pid);
        Error::System { what: "open the child that was started".into(), source }
    })
}

/// The forked child: its socket goes where that of every child is, in the place of
/// the server's own.
fn work(request: Message, answers: Channel) -> ! {
    // SAFETY: the server's frames, which own that descriptor, are never returned to.
    let channel = unsafe { take_socket_over(answers) };
    match channel {
        Ok(channel) => exit_now(answer_to(Ok(request), &channel)),
        Err(_) => exit_now(1),
    }
}

fn tell<T: Serialize>(news: &Channel, what: &T) -> Result<(), Error> {
    let mut message = Message::default();
    message.push(what)?;
    news.leave(message)
}
