//! What the server's process does.

use super::super::child::{End, reap};
use super::{Job, Started};
use crate::error::Trying;
use crate::pipe::{Channel, Message};
use crate::spawn::{Answer, Setup, exit_now, run_request, take_socket_over, wait_for_threads};
use crate::sync::holds_locks;
use crate::{Error, sys, wait};
use nix::sys::signal::{SigSet, Signal};
use nix::unistd::{ForkResult, Pid, fork};
use serde::Serialize;
use std::os::fd::{AsFd, OwnedFd};

/// Runs until no request can come and no child is left.
pub fn serve(requests: Channel) {
    let mut server = Server { requests: Some(requests), children: Vec::new() };
    while server.requests.is_some() || !server.children.is_empty() {
        server.turn();
    }
}

struct Server {
    /// `None` once no request can come.
    requests: Option<Channel>,
    children: Vec<Served>,
}

/// A child that has not been reaped.
struct Served {
    pidfd: OwnedFd,
    reports: Channel,
}

impl Server {
    /// Waits for a request or the end of a child, and handles it.
    fn turn(&mut self) {
        let pidfds = self.children.iter().map(|child| child.pidfd.as_fd());
        let objects: Vec<_> = pidfds.chain(self.requests.iter().map(Channel::as_fd)).collect();
        let ready = wait(&objects, None).unwrap_or_default(); // without memory for poll(2): none
        let count = self.children.len();
        // In reverse, because removing a child moves only those after it.
        for index in ready.into_iter().rev() {
            match index < count {
                true => self.report_end(index),
                false => self.next_request(),
            }
        }
    }

    fn report_end(&mut self, index: usize) {
        let Served { pidfd, reports } = self.children.remove(index);
        let end: End = reap(&pidfd);
        let _ = report(&reports, &end); // fails if the program has dropped its handle
    }

    fn next_request(&mut self) {
        let Some(requests) = &self.requests else { return };
        let request = requests.receive().and_then(|mut request| Ok((request.take()?, request)));
        let done = match request {
            Ok((Job::Start { reports, answers, setup }, request)) => {
                self.start(reports, answers, setup, request)
            }
            Ok((Job::Prepare { reports }, request)) => prepare(request, &reports),
            Err(Error::Closed) => return self.requests = None,
            Err(error) => Err(error),
        };
        if let (Err(error), Some(requests)) = (done, &self.requests) {
            let _ = report(requests, &error); // fails if the program has ended
        }
    }

    // ANCHOR: start
    /// Starts a child, and reports it or why there is none. Returns an error only if it cannot
    /// report.
    fn start(
        &mut self,
        reports: Channel,
        answers: Channel,
        setup: Setup,
        request: Message,
    ) -> Result<(), Error> {
        let started = match fork_with_room(&reports) {
            Ok(ForkResult::Child) => {
                // This child must not keep what belongs to the server and to other children.
                self.requests = None;
                self.children.clear();
                drop(reports);
                run_child(request, answers, setup)
            }
            Ok(ForkResult::Parent { child }) => started(child),
            Err(error) => Err(error),
        };
        match (report(&reports, &started), started) {
            // If the program has ended, the child goes on.
            (Ok(()) | Err(Error::Closed), Ok(Started { pidfd, .. })) => {
                self.children.push(Served { pidfd, reports });
                Ok(())
            }
            (Err(error), Ok(Started { pid, .. })) => {
                sys::kill_and_reap(Pid::from_raw(pid));
                Err(error)
            }
            (reported, Err(_)) => reported,
        }
    }
    // ANCHOR_END: start
}

/// Forks, if as many descriptors are left as the server and the child need. Otherwise the child
/// would run before the lack of them shows.
fn fork_with_room(reports: &Channel) -> Result<ForkResult, Error> {
    let _room = [reports.try_clone()?, reports.try_clone()?, reports.try_clone()?];
    // SAFETY: the server has one thread, so the child may do what this process may. It is a child
    // of spawn and not a daemon, which would have a second thread. It runs only this module and the
    // function that prepares it, and after that, `prepare` checked that no thread and no lock is left.
    unsafe { fork() }.trying_to("fork")
}

/// Calls the function in this process. What it leaves must be safe to fork.
fn prepare(request: Message, reports: &Channel) -> Result<(), Error> {
    let answer = run_request(Ok(request));
    let threads = wait_for_threads().trying_to("count the threads")?;
    let answer = if threads > 1 {
        refusal(format!("has left {} threads running, which a fork does not copy", threads - 1))
    } else if holds_locks() {
        refusal("holds a lock, and each child would have a copy of the guard".to_string())
    } else {
        answer
    };
    answer.post(reports);
    Ok(())
}

fn refusal(what: String) -> Answer {
    let reason = format!("the function that prepares the fork server {what}");
    Answer::from_error(&Error::Failed { reason })
}

/// Opens a child that was forked. Without a pidfd nothing could control it, so it is killed.
fn started(pid: Pid) -> Result<Started, Error> {
    match sys::pidfd_open(pid) {
        Ok(pidfd) => Ok(Started { pid: pid.as_raw(), pidfd }),
        Err(error) => {
            sys::kill_and_reap(pid);
            Err(error).trying_to("open the child that was started")
        }
    }
}

/// What the forked child does. Its socket takes the place of the server's, where every child has
/// its socket.
fn run_child(request: Message, answers: Channel, setup: Setup) -> ! {
    let _ = SigSet::from(Signal::SIGINT).thread_unblock();
    // SAFETY: the owner of that descriptor is in a frame of the server, and this function never
    // returns to it.
    let Ok(channel) = (unsafe { take_socket_over(answers) }) else { exit_now(1) };
    // SAFETY: this process was just forked, so it has one thread.
    let request = unsafe { setup.apply() }.map(|()| request);
    exit_now(run_request(request).post(&channel))
}

fn report<T: Serialize>(channel: &Channel, what: &T) -> Result<(), Error> {
    let mut message = Message::default();
    message.push(what)?;
    channel.post(message)
}
