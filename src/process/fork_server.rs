//! A process that forks on request.
//!
//! | program | server | child |
//! |---|---|---|
//! | makes two channels: answers, reports | | |
//! | sends a `Job`, behind it the request that a child of `spawn` reads | | |
//! | | `fork` | |
//! | | reports `Started` and keeps a pidfd | calls the function |
//! | has a handle | | sends the answer and exits |
//! | sees the end by its pidfd and reads the answer | reaps the child | |
//! | if there is no answer, reads how it ended | reports the `End` | |
//!
//! A kill between any two steps is harmless, because only the writer holds the other end of a
//! channel on which a message is awaited. If the server is killed, the program finds the reports
//! closed. The children go on: their answers do not come through the server. (But a child that
//! was forked and not yet reported then runs without a handle.) If the program is killed, the
//! server finds the requests closed, and ends after its last child. If a child is killed, its
//! answers are closed, and the server reports the end.
//!
//! If the server has no descriptors or no memory left to receive a request, the request is lost,
//! and its reports are closed with it. The server then says so through the channel of the
//! requests.

mod server;

use super::Process;
use super::child::Child;
use crate::descriptor::descriptor_of_field;
use crate::pipe::{Channel, Message};
use crate::spawn::{self, Arguments, Options, ReturnValue, Setup, push_request};
use crate::{Error, error::Trying};
use nix::sys::signal::Signal;
use nix::unistd::Pid;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::os::fd::OwnedFd;
use std::path::absolute;

/// A small process with one thread, which forks a child on request: Python's start method
/// forkserver.
///
/// The server itself is started by spawn, so it can be started at any time, and a program with
/// threads may use it. Its children start clean, as those of [`Process::spawn`] do, and faster,
/// because no program is loaded. Like those of [`Process::fork`], they end by `_exit`: no exit
/// handler (atexit(3)) runs in them.
///
/// The server is the parent of its children, and reports how they ended. After its handle is
/// dropped, it goes on until its last child has ended. If the server is killed, its children go
/// on, the next [`spawn`](ForkServer::spawn) returns an error, and results still arrive, but it is
/// not known how a child ended. While the server is stopped (`SIGSTOP`), it starts no children,
/// and [`Process::exit_code`] waits for it, as does [`Process::join`] for a child without a
/// result. Ctrl-C reaches the server's children, but not the server.
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

/// What precedes a request. The channels are the server's and the child's ends.
#[derive(Serialize, Deserialize)]
enum Job {
    /// Call the function in the server itself, and report the result.
    Prepare { reports: Channel },
    /// Call it in a new child. Report the child, and later how it ended.
    Start { reports: Channel, answers: Channel, setup: Setup },
}

/// A child of the server.
#[derive(Serialize, Deserialize)]
struct Started {
    pid: i32,
    #[serde(with = "crate::descriptor")]
    pidfd: OwnedFd,
}

impl ForkServer {
    /// Starts the server.
    ///
    /// # Errors
    ///
    /// Those of [`Process::spawn`].
    pub fn start() -> Result<Self, Error> {
        let (requests, theirs) = Channel::pair()?;
        // It is blocked from the first instruction on. Children unblock it.
        let blocked = &[Signal::SIGINT];
        let options = Options { name: "ForkServer".into(), blocked, ..Options::default() };
        let (pid, answers) = spawn::start(server::serve, &theirs, &options)?;
        Ok(Self { requests, process: Process::new(options, Child::new(pid)?, answers) })
    }

    /// Starts the server and waits until it has called `prepare(args)`, once, before there is a
    /// child. Every child then has what `prepare` has loaded or computed and left in a `static`.
    /// Python's `set_forkserver_preload`.
    ///
    /// # Errors
    ///
    /// Those of [`start`](ForkServer::start); [`Error::Panicked`] if `prepare` panicked;
    /// [`Error::Failed`] if it left threads running, which a fork would not copy;
    /// [`Error::Exited`] or [`Error::Killed`] if the server ended in it.
    ///
    /// # Example
    ///
    /// ```
    /// use multiprocessing::{Error, ForkServer};
    /// use std::sync::OnceLock;
    ///
    /// static WORDS: OnceLock<Vec<String>> = OnceLock::new();
    ///
    /// fn main() -> Result<(), Error> {
    ///     multiprocessing::init();
    ///     let server = ForkServer::start_with(load, "one two three")?;
    ///     let child = server.spawn(|n: usize| WORDS.get().map(|words| words[n].clone()), 2)?;
    ///     assert_eq!(child.join()?, Some("three".to_string()));
    ///     Ok(())
    /// }
    ///
    /// fn load(text: &str) {
    ///     WORDS.get_or_init(|| text.split(' ').map(str::to_string).collect());
    /// }
    /// ```
    pub fn start_with<A: Arguments>(prepare: fn(A), args: A) -> Result<Self, Error> {
        let server = Self::start()?;
        let (reports, theirs) = Channel::pair()?;
        let options = Options { name: "ForkServer".into(), ..Options::default() };
        let job = Job::Prepare { reports: theirs };
        let requested = server.request(&job, prepare, &args, &options);
        drop(job); // only the server has this end now, and its end closes it
        match requested.and_then(|()| server.report(&reports)) {
            // The server has ended; its own end says why.
            Err(gone @ Error::ForkServerGone) => Err(server.process.join().err().unwrap_or(gone)),
            prepared => prepared.map(|()| server),
        }
    }

    /// Starts a child that calls `f(args)`, as [`Process::spawn`] does. To give it a name, a folder
    /// and so on, use [`ProcessBuilder::spawn_on`](crate::ProcessBuilder::spawn_on).
    ///
    /// # Errors
    ///
    /// [`Error::NotInExecutable`] and [`Error::Encode`] as [`Process::spawn`] (but with at most 249
    /// descriptors); [`Error::ForkServerGone`] if the server was killed; [`Error::System`] or
    /// [`Error::Failed`] if the server or this process lacks the resources to start the child. If
    /// the server is killed between its fork and its report, or this process has no descriptor left
    /// for the report, the child runs without a handle.
    pub fn spawn<A: Arguments, R: ReturnValue>(
        &self,
        f: fn(A) -> R,
        args: A,
    ) -> Result<Process<R>, Error> {
        self.start_child(Options::default().checked()?, f, &args)
    }

    /// Starts a child with these options, which were checked.
    pub(super) fn start_child<A: Arguments, R: ReturnValue>(
        &self,
        mut options: Options,
        f: fn(A) -> R,
        args: &A,
    ) -> Result<Process<R>, Error> {
        let (answers, child_answers) = Channel::pair()?;
        let (reports, server_reports) = Channel::pair()?;
        let mut setup = std::mem::take(&mut options.setup);
        // The server may be in another folder than this process.
        let folder = setup.directory.map(absolute).transpose();
        setup.directory = folder.trying_to("find the child's folder")?.map(Into::into);
        let job = Job::Start { reports: server_reports, answers: child_answers, setup };
        self.request(&job, f, args, &options)?;
        drop(job); // only the server has these ends now, and its end closes them
        let Started { pid, pidfd } = self.report(&reports)?;
        let child = Child::from_server(Pid::from_raw(pid), pidfd, reports);
        Ok(Process::new(options, child, answers))
    }

    fn request<A: Arguments, R: ReturnValue>(
        &self,
        job: &Job,
        f: fn(A) -> R,
        args: &A,
        options: &Options,
    ) -> Result<(), Error> {
        let mut message = Message::default();
        message.push(job)?;
        push_request(&mut message, f, args, &options.identity()?)?;
        self.requests.post(message).map_err(gone)
    }

    /// The server's report on a request.
    fn report<T: DeserializeOwned>(&self, reports: &Channel) -> Result<T, Error> {
        match reports.receive() {
            Err(Error::Closed) => {
                let lost: Error = self.requests.receive().map_err(gone)?.take_last()?;
                Err(Error::Failed { reason: format!("the fork server lost the request: {lost}") })
            }
            report => report?.take_last::<Result<T, Error>>()?,
        }
    }

    /// The server's process id.
    pub fn pid(&self) -> u32 {
        self.process.pid()
    }
}

fn gone(error: Error) -> Error {
    match error {
        Error::Closed => Error::ForkServerGone,
        error => error,
    }
}

descriptor_of_field!([] ForkServer, process, /// Readable when the server has ended.
);
