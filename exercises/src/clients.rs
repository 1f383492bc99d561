//! Clients of a program that is a server: the check connects to the Unix socket whose path is the
//! program's first argument, says lines, and reads.
//!
//! A client waits until the program has answered, or until all its processes have slept for a while
//! and nothing more can come. A program that a busy machine holds up does not sleep.

use crate::exercise::Verdict;
use crate::hang;
use crate::see::{Program, expect, said};
use crate::watch::{Act, Live, Process, Seen};
use nix::sys::signal::{self, SigSet, Signal};
use nix::unistd::Pid;
use std::io::{ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use std::{env, fs, process, thread};

/// All processes have to sleep for this long, ...
const REST: Duration = Duration::from_millis(400);
/// ... whenever they are looked at, and that has to be often.
const LOOKS: u32 = 10;
/// Nobody waits for longer than this.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long a client sleeps before it looks whether the program does.
const MOMENT: Duration = Duration::from_millis(20);
/// The whole play.
const LONGEST: Duration = Duration::from_secs(30);

impl Program {
    /// Runs it with the path of a Unix socket and these arguments, and plays its clients. It has to
    /// end when they have left.
    pub fn serve(
        &self,
        arguments: &[&str],
        play: impl FnOnce(&Server) -> Verdict + Send,
    ) -> Result<Seen, String> {
        let folder = Folder::new()?;
        let path = folder.0.join("socket");
        let path_text = path.to_string_lossy().into_owned();
        let arguments = [&[path_text.as_str()], arguments].concat();
        let server = Server { path, state: Mutex::default() };
        let (seen, verdict) = thread::scope(|scope| {
            let playing = scope.spawn(|| server.play(play));
            let seen = self.watch_within(LONGEST, &arguments, |live| server.look(live));
            server.state().is_over = true;
            (seen, playing.join())
        });
        let verdict = verdict.map_err(|_| "The check itself has failed.")?;
        verdict.map_err(|why| {
            let stderr = seen.as_ref().map_or("", |seen| seen.stderr.as_str());
            format!("{why}{}", said(stderr))
        })?;
        seen
    }
}

/// The program, as its clients see it.
pub struct Server {
    path: PathBuf,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    processes: Vec<Process>,
    /// How often in turn, and since when, all of them were seen asleep.
    looks: u32,
    asleep: Option<Instant>,
    /// What each of them did when somebody waited in vain.
    doing: Vec<String>,
    /// The clients are not content: it is ended.
    has_failed: bool,
    /// It has ended.
    is_over: bool,
}

impl Server {
    pub fn connect(&self, name: &'static str) -> Result<Client<'_>, String> {
        let begun = self.begin_to_wait();
        loop {
            if let Ok(socket) = UnixStream::connect(&self.path) {
                let timeouts = (socket.set_read_timeout(Some(MOMENT)))
                    .and_then(|()| socket.set_write_timeout(Some(PATIENCE)));
                timeouts.map_err(|error| error.to_string())?;
                return Ok(Client { name, server: self, socket, unread: Vec::new() });
            }
            expect(!self.is_in_vain(begun), || {
                format!(
                    "{name} could not connect to the Unix socket that the first argument names."
                )
            })?;
            thread::sleep(MOMENT);
        }
    }

    /// Kills the process with this id, if it is one of the program's.
    pub fn kill(&self, pid: i32) -> Verdict {
        let state = self.state();
        let is_child = state.processes[1..].iter().any(|p| p.pid == pid && p.end.is_none());
        expect(is_child, || format!("No child of your program is process {pid}."))?;
        let killed = signal::kill(Pid::from_raw(pid), Signal::SIGKILL);
        killed.map_err(|error| format!("Process {pid} cannot be killed: {error}."))
    }

    /// Nobody says anything, and so all its processes wait.
    pub fn rests(&self) -> Verdict {
        let begun = self.begin_to_wait();
        while !self.is_at_rest() {
            expect(begun.elapsed() < PATIENCE, || {
                "No client said anything, but your program did not wait: it looked again and again. \
                 Wait for an event."
                    .into()
            })?;
            thread::sleep(MOMENT);
        }
        Ok(())
    }

    fn play(&self, play: impl FnOnce(&Server) -> Verdict) -> Verdict {
        // The news of the program's processes is for the thread that watches them.
        let news: SigSet = [Signal::SIGCHLD].into_iter().collect();
        news.thread_block().map_err(|error| error.to_string())?;
        play(self).and_then(|()| self.ends()).map_err(|why| {
            let mut state = self.state();
            state.has_failed = true;
            match state.doing.is_empty() {
                true => why,
                false => format!("{why} At that moment:\n  {}", state.doing.join("\n  ")),
            }
        })
    }

    fn ends(&self) -> Verdict {
        let begun = self.begin_to_wait();
        while !self.state().is_over {
            expect(!self.is_in_vain(begun), || {
                "All clients have left, but your program has not ended.".into()
            })?;
            thread::sleep(MOMENT);
        }
        Ok(())
    }

    fn begin_to_wait(&self) -> Instant {
        self.state().asleep = None;
        Instant::now()
    }

    /// Nothing more is to come from the program.
    fn is_in_vain(&self, begun: Instant) -> bool {
        let is_in_vain = self.state().is_over || self.is_at_rest() || begun.elapsed() > PATIENCE;
        if is_in_vain {
            let mut state = self.state();
            state.doing = hang::describe(&state.processes);
        }
        is_in_vain
    }

    fn is_at_rest(&self) -> bool {
        let state = self.state();
        state.asleep.is_some_and(|since| since.elapsed() > REST) && state.looks > LOOKS
    }

    fn look(&self, live: &Live) -> Act {
        let mut state = self.state();
        state.processes.clone_from(&live.processes);
        let mut living = live.processes.iter().filter(|process| process.end.is_none());
        if state.has_failed {
            let living = live.processes.iter().position(|process| process.end.is_none());
            return living.map_or(Act::Nothing, Act::Kill);
        }
        if !living.all(|process| hang::all_wait(process.pid)) {
            state.asleep = None;
        } else if state.asleep.is_some() {
            state.looks += 1;
        } else {
            (state.asleep, state.looks) = (Some(Instant::now()), 1);
        }
        Act::Nothing
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Somebody who is connected. To drop it is to hang up.
pub struct Client<'a> {
    name: &'static str,
    server: &'a Server,
    socket: UnixStream,
    unread: Vec<u8>,
}

/// What came next.
enum Heard {
    Line(String),
    End,
    Nothing,
}

impl Client<'_> {
    /// Sends these bytes, which need be no whole line.
    pub fn say(&mut self, bytes: impl AsRef<[u8]>) -> Verdict {
        let sent = self.socket.write_all(bytes.as_ref());
        sent.map_err(|error| format!("{} could send no more: {error}.", self.name))
    }

    /// The next line.
    pub fn line(&mut self) -> Result<String, String> {
        match self.hear()? {
            Heard::Line(line) => Ok(line),
            other => Err(format!("{} should read a line, but {other}.", self.name)),
        }
    }

    /// The next line is this one.
    pub fn reads(&mut self, expected: &str) -> Verdict {
        match self.hear()? {
            Heard::Line(line) if line == expected => Ok(()),
            other => Err(format!("{} should read “{}”, but {other}.", self.name, short(expected))),
        }
    }

    /// The connection is at its end, behind any lines that were still on their way.
    pub fn reads_the_end(&mut self) -> Verdict {
        loop {
            match self.hear()? {
                Heard::End => return Ok(()),
                Heard::Line(_) => (),
                Heard::Nothing => {
                    return Err(format!(
                        "{} should read the end of the connection, but it is still open.",
                        self.name
                    ));
                }
            }
        }
    }

    fn hear(&mut self) -> Result<Heard, String> {
        let begun = self.server.begin_to_wait();
        let mut bytes = [0; 65_536];
        loop {
            if let Some(end) = self.unread.iter().position(|byte| *byte == b'\n') {
                let line: Vec<_> = self.unread.drain(..=end).collect();
                return Ok(Heard::Line(String::from_utf8_lossy(&line[..end]).into_owned()));
            }
            match self.socket.read(&mut bytes) {
                Ok(0) => return Ok(Heard::End),
                Ok(count) => self.unread.extend(&bytes[..count]),
                Err(error) => match error.kind() {
                    ErrorKind::ConnectionReset => return Ok(Heard::End),
                    ErrorKind::Interrupted => (),
                    ErrorKind::WouldBlock if !self.server.is_in_vain(begun) => (),
                    ErrorKind::WouldBlock => return Ok(Heard::Nothing),
                    _ => return Err(format!("{} cannot read: {error}.", self.name)),
                },
            }
        }
    }
}

impl std::fmt::Display for Heard {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Line(line) => write!(to, "read “{}”", short(line)),
            Self::End => to.write_str("the connection was ended"),
            Self::Nothing => to.write_str("nothing came"),
        }
    }
}

fn short(line: &str) -> String {
    match line.char_indices().nth(60) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line.to_string(),
    }
}

/// What a fault is told with: what had happened before.
pub trait After {
    fn after(self, what: &str) -> Self;
}

impl<T> After for Result<T, String> {
    fn after(self, what: &str) -> Self {
        self.map_err(|why| format!("{what} {why}"))
    }
}

/// A folder of its own, removed in the end.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Result<Self, String> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("exercise-{}-{}", process::id(), COUNT.fetch_add(1, Relaxed));
        let path: &Path = &env::temp_dir().join(name);
        let _ = fs::remove_dir_all(path); // of one who was killed
        let made = fs::create_dir(path);
        made.map_err(|error| format!("{} cannot be made: {error}", path.display()))?;
        Ok(Self(path.to_path_buf()))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
