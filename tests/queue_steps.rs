//! A process is killed after each instruction of a call on a queue. The others go on, and every
//! value is whole.

use multiprocessing::{Process, Queue};
use nix::sys::ptrace;
use nix::sys::signal::{Signal::SIGSTOP, Signal::SIGTRAP, raise};
use nix::sys::wait::{WaitStatus::Stopped, waitpid};
use nix::unistd::Pid;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::{env, error, thread};
use tests::helper::{self, SHORT, is_asleep, join, large_blocks};
use tests::helpers;

type Outcome<T = ()> = Result<T, Box<dyn error::Error>>;

fn main() -> ExitCode {
    let alone = helpers![puts_are_whole, gets_are_whole, closes_are_whole];
    helper::main(Vec::new(), alone, &[])
}

/// A process that is stepped through stops when the last text (`c…`) has been encoded, and before
/// one is decoded: what comes before or after that is not the queue's.
#[derive(Clone, Debug, PartialEq)]
struct Text(String);

static STEPPED: AtomicBool = AtomicBool::new(false);

/// The steps of a child begin when it stops, and end when it stops again.
fn stop() {
    raise(SIGSTOP).expect("a process can stop itself");
}

impl Serialize for Text {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let is_last = STEPPED.load(Relaxed) && self.0.starts_with('c');
        self.0.serialize(serializer).inspect(|_| {
            if is_last {
                stop()
            }
        })
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if STEPPED.load(Relaxed) {
            stop();
        }
        String::deserialize(deserializer).map(Self)
    }
}

fn texts(texts: &[&str]) -> Vec<Text> {
    texts.iter().map(|text| Text(text.to_string())).collect()
}

/// Kills a child after so many steps of `f`. Returns how many it made: fewer, if `f` has fewer.
fn kill_after(steps: u64, puts: bool, f: impl FnOnce()) -> Outcome<u64> {
    let stepped = || {
        ptrace::traceme().expect("a parent may trace its child");
        STEPPED.store(true, Relaxed);
        (!puts).then(stop); // a put stops by itself
        f();
        stop();
    };
    // SAFETY: this program has one thread.
    let child = unsafe { Process::fork(stepped) }?;
    let pid = Pid::from_raw(child.pid() as i32);
    assert_eq!(waitpid(pid, None)?, Stopped(pid, SIGSTOP));
    let (mut made, mut stopped) = (0, SIGTRAP);
    while made < steps && stopped == SIGTRAP {
        ptrace::step(pid, None)?;
        let Stopped(_, signal) = waitpid(pid, None)? else { return Err("it has ended".into()) };
        (made, stopped) = (made + 1, signal);
    }
    child.kill()?;
    assert!(child.join().is_err());
    Ok(made)
}

/// Kills a process in `f`, while another one waits: in `get`, if the queue is empty, or else in
/// `put`. `f` gets at most so many of the texts `before`, and puts the texts `new`. `STEPS` says how
/// many kills there are, from the first step to the last.
fn kill_in(before: &[&str], gets: usize, new: &[&str], f: fn(&Queue<Text>)) -> Outcome {
    let kill = |steps| -> Outcome<u64> {
        let queue = Queue::with_bytes(if before.is_empty() { 3 } else { before.len() }, 1)?;
        queue.put_many(texts(before))?;
        let wait = || match before {
            [] => queue.get().ok(),
            _ => queue.put(Text("other".into())).err().map(|failed| failed.value),
        };
        // SAFETY: this program has one thread.
        let other = unsafe { Process::fork(wait) }?;
        while !is_asleep(other.pid())? {
            thread::yield_now();
        }
        let made = kill_after(steps, !new.is_empty(), || f(&queue))?;
        let mut got = Vec::new();
        if !before.is_empty() {
            got.extend(queue.get()); // room for the other one
        } else if queue.is_empty() && !other.wait_timeout(SHORT) {
            let _ = queue.put(Text("after".into())); // it may be closed
        }
        got.extend(join(other)?);
        got.extend(queue.try_get()); // room for one more
        let _ = queue.put(Text("after".into()));
        queue.close();
        got.extend(queue.iter().collect::<Result<Vec<_>, _>>()?);
        got.retain(|text| text.0 != "after" && text.0 != "other");
        let whole = |first, end| got == [texts(&before[first..]), texts(&new[..end])].concat();
        assert!((0..=gets).any(|first| (0..=new.len()).any(|end| whole(first, end))), "{got:?}");
        assert!(queue.try_get().is_err() && queue.put(Text("late".into())).is_err());
        assert_eq!(large_blocks()?, 0);
        Ok(made)
    };
    let all = kill(u64::MAX)?;
    let count = env::var("STEPS").ok().and_then(|steps| steps.parse().ok()).unwrap_or(10).min(all);
    for steps in (0..count).map(|n| n * all / count) {
        kill(steps).map_err(|error| format!("after {steps} of {all} steps: {error}"))?;
    }
    Ok(())
}

/// Too long for a ring of 64 KiB.
fn large() -> String {
    "c".repeat(17_000)
}

fn puts_are_whole() -> Outcome {
    kill_in(&[], 0, &["c"], |queue| drop(queue.put(Text("c".into()))))?;
    kill_in(&[], 0, &["a", "b", "c"], |queue| drop(queue.put_many(texts(&["a", "b", "c"]))))?;
    kill_in(&[], 0, &[&large()], |queue| drop(queue.put(Text(large()))))
}

fn gets_are_whole() -> Outcome {
    kill_in(&["a", "b"], 1, &[], |queue| drop(queue.get()))?;
    kill_in(&["a", "b", "c"], 3, &[], |queue| drop(queue.get_many(3).map(Iterator::count)))?;
    if cfg!(debug_assertions) {
        return Ok(()); // millions of steps
    }
    kill_in(&[&large(), "b"], 1, &[], |queue| drop(queue.get()))
}

fn closes_are_whole() -> Outcome {
    kill_in(&[], 0, &[], Queue::close)?;
    kill_in(&["a", "b"], 2, &[], Queue::close_now)
}
