use super::*;
use std::{mem, thread};

type Outcome = Result<(), Box<dyn std::error::Error>>;

/// A thread that ends with the lock is to the others what a killed process is.
fn die_with_lock(end: &End, before: impl FnOnce() + Send) {
    thread::scope(|scope| {
        scope.spawn(|| {
            mem::forget(end.lock(None));
            before();
        });
    });
}

#[test]
fn what_a_dead_producer_wrote_is_removed() -> Outcome {
    let ring = Ring::new(Kind::queue_of::<()>(), 10, 0)?;
    die_with_lock(&ring.head().put, || {
        assert!(ring.large.write(0, &[1; 5000]).is_ok() && ring.large.write(1, b"2").is_ok());
    });
    assert!(ring.large.blocks()? > 0);
    ring.put(&[b"a"], &mut 0, Patience::FOREVER)?;
    assert_eq!(ring.large.blocks()?, 0);
    assert_eq!(ring.take(9, Patience::FOREVER, vec![])?.next(), Some(&b"a"[..]));
    Ok(())
}

#[test]
fn what_a_dead_consumer_took_is_removed() -> Outcome {
    let ring = Ring::new(Kind::queue_of::<()>(), 10, 0)?;
    let message = [3; LEAST_BYTES];
    ring.put(&[&message, &message], &mut 0, Patience::FOREVER)?;
    let both = ring.large.blocks()?;
    let Head { get, .. } = ring.head();
    die_with_lock(get, || {
        let start = get.position();
        assert!(get.advance(start, start.after_message(1)).is_ok());
    });
    assert_eq!(ring.take(9, Patience::FOREVER, vec![])?.next(), Some(&message[..]));
    assert!(both > 0 && ring.large.blocks()? == 0);
    Ok(())
}
