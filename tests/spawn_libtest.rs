//! A user's own tests: plain `#[test]` under libtest, whose `main` is not ours.
//! One line lets them start processes.

use multiprocessing::{Error, Process};
use std::process::id;

multiprocessing::init_before_main!();

fn double(number: i32) -> (i32, u32) {
    (2 * number, id())
}

#[test]
fn a_test_starts_a_process() -> Result<(), Error> {
    let child = Process::spawn(double, 21)?;
    let pid = child.pid();
    assert_ne!(pid, id());
    assert_eq!(child.join()?, (42, pid));
    Ok(())
}

#[test]
fn a_panic_of_the_child_does_not_abort_it() -> Result<(), Error> {
    let child = Process::spawn(|()| -> () { panic!("before main") }, ())?;
    let end = child.join();
    assert!(
        matches!(&end, Err(Error::Panicked { message, .. }) if message == "before main"),
        "{end:?}"
    );
    Ok(())
}

#[test]
fn tests_run_in_threads_and_start_processes_at_once() {
    let threads: Vec<_> =
        (0..4).map(|n| std::thread::spawn(move || Process::spawn(double, n)?.join())).collect();
    for (n, thread) in (0..).zip(threads) {
        let result = thread.join().expect("no panic");
        assert!(result.is_ok_and(|(double, pid)| double == 2 * n && pid != id()));
    }
}
