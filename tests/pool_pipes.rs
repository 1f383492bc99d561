//! Pools: the end of a pipe belongs to its task alone.

use multiprocessing::{Descriptor, Error, Event, Pool, Receiver, Sender, Value, pipe_one_way};
use std::fs::File;
use std::io::{self, Read, Write};
use std::process::ExitCode;
use tests::helper::{self, LONG};
use tests::tasks::Go;
use tests::{Outcome, trials};

fn main() -> ExitCode {
    let trials = trials![
        a_worker_reads_to_the_end_what_it_has_sent,
        the_end_does_not_wait_for_another_worker,
        a_task_has_an_end_twice,
        the_initializer_has_the_end_of_a_pipe,
        a_pool_that_has_ended_keeps_no_end,
    ];
    helper::main(trials, &[], &[])
}

fn produce(sender: Sender<u32>) -> Result<(), Error> {
    (1..=3).try_for_each(|number| Ok(sender.send(number)?))
}

/// Adds up all that comes, to the end.
fn consume(receiver: Receiver<u32>) -> u32 {
    receiver.iter().map_while(Result::ok).sum()
}

fn a_worker_reads_to_the_end_what_it_has_sent() -> Outcome {
    let pool = Pool::new(1)?;
    for _ in 0..20 {
        let (receiver, sender) = pipe_one_way()?;
        let tasks = [(); 2].map(|()| pool.apply_async(produce, sender.clone()));
        drop(sender);
        let sum = pool.apply_async(consume, receiver);
        assert_eq!(sum.get_timeout(LONG)?, 12);
        for task in tasks {
            task.get()??;
        }
    }
    Ok(())
}

/// The one that has sent goes on with a long task, and is not told anything.
fn the_end_does_not_wait_for_another_worker() -> Outcome {
    let (pool, go) = (Pool::new(2)?, Go::new()?);
    let (receiver, sender) = pipe_one_way()?;
    let sum = pool.apply_async(consume, receiver);
    let sent = [(); 2].map(|()| pool.apply_async(produce, sender.clone()));
    drop(sender);
    let hold = pool.apply_async(|go: Event| go.wait(), go.clone());
    for task in sent {
        task.get()??;
    }
    assert_eq!(sum.get_timeout(LONG)?, 12);
    assert!(!hold.is_done());
    Ok(())
}

fn a_task_has_an_end_twice() -> Outcome {
    let pool = Pool::new(1)?;
    let (receiver, sender) = pipe_one_way()?;
    let both = |(one, two): (Sender<u32>, Sender<u32>)| produce(one).and_then(|()| produce(two));
    pool.apply(both, (sender.clone(), sender))??;
    assert_eq!(consume(receiver), 12);
    let (mut reader, writer) = io::pipe()?;
    let files = [writer.try_clone()?, writer].map(Descriptor::from);
    let write = |files: [Descriptor; 2]| {
        files.into_iter().all(|file| File::from(file.into_fd()).write(b"done").is_ok())
    };
    assert!(pool.apply(write, files)?);
    let mut text = String::new();
    assert_eq!((reader.read_to_string(&mut text)?, text.as_str()), (8, "donedone"));
    Ok(())
}

fn the_initializer_has_the_end_of_a_pipe() -> Outcome {
    let (receiver, sender) = pipe_one_way()?;
    let (count, limits) = (Value::new(0)?, (2, 1));
    let builder = Pool::builder().workers(limits.0).tasks_per_worker(limits.1);
    let note = |(sender, count): (Sender<u32>, Value<u32>)| {
        let mut count = count.lock().expect("no holder dies");
        *count += 1;
        sender.send(*count).expect("the parent reads");
    };
    let pool = builder.initializer(note, (sender, count)).build()?;
    pool.map(|_| (), 0..5)?; // five lives have ended
    pool.join();
    let numbers: Vec<_> = receiver.iter().map_while(Result::ok).collect();
    assert!(numbers.len() >= 5, "{numbers:?}");
    assert_eq!(numbers, (1..=numbers.len() as u32).collect::<Vec<_>>());
    Ok(())
}

/// A task that was not asked for its result keeps something of its pool.
fn a_pool_that_has_ended_keeps_no_end() -> Outcome {
    let (receiver, sender) = pipe_one_way::<u32>()?;
    let pool = Pool::builder().workers(1).initializer(|_: Sender<u32>| (), sender).build()?;
    let task = pool.apply_async(|()| 5, ());
    task.wait();
    pool.join();
    assert!(matches!(receiver.recv_timeout(LONG), Err(Error::Closed)));
    assert_eq!(task.get()?, 5);
    Ok(())
}
