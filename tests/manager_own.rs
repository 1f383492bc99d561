//! Values of the program's own types in a manager's server: calls, waits, panics.

use multiprocessing::{
    Connection, Error, ListProxy, Manager, Process, Receiver, Sender, Shared, pipe, pipe_one_way,
};
use serde::{Deserialize, Serialize};
use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant};
use tests::even::Even;
use tests::helper::{self, LONG, SHORT, elsewhere, join};
use tests::server::{Tells, Watch};
use tests::{Outcome, trials};

fn main() -> ExitCode {
    let trials = trials![
        calls_change_the_value,
        a_child_calls_too,
        calls_of_many_are_one_at_a_time,
        what_a_function_returns_may_hold_a_descriptor,
        a_panic_poisons_until_it_is_repaired,
        a_panic_wakes_those_who_wait,
        a_repair_that_panics_repairs_nothing,
        what_cannot_be_sent_is_an_error_and_poisons_nothing,
        call_when_waits_for_a_change,
        those_who_wait_for_the_same_are_served_in_order,
        call_when_timeout_gives_up,
        a_killed_waiter_takes_nothing,
        nothing_is_given_to_one_that_was_killed_meanwhile,
        another_object_is_called_in_a_call,
        a_function_may_not_call_its_own_object,
        a_value_of_another_type_is_refused,
        named_functions_are_called_here_too,
    ];
    helper::main(trials, &[], &[])
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct Account {
    balance: i64,
    log: Vec<String>,
}

impl Account {
    fn deposit(&mut self, amount: i64) -> i64 {
        self.balance += amount;
        self.balance
    }

    fn withdraw(&mut self, (amount, reason): (i64, String)) -> Result<i64, String> {
        if self.balance < amount {
            return Err(format!("no {amount} for {reason}"));
        }
        self.balance -= amount;
        self.log.push(reason);
        Ok(self.balance)
    }

    fn break_down(&mut self, _: ()) {
        self.balance = -1;
        panic!("half changed");
    }

    /// Takes the amount as soon as it is there.
    fn withdraw_when(&mut self, amount: &mut i64) -> Option<i64> {
        (self.balance >= *amount).then(|| {
            self.balance -= *amount;
            self.balance
        })
    }
}

fn calls_change_the_value() -> Outcome {
    let manager = Manager::start()?;
    let account = manager.share(Account::default())?;
    assert_eq!(account.call(Account::deposit, 100)?, 100);
    assert_eq!(account.call(Account::withdraw, (30, "food".into()))?, Ok(70));
    assert_eq!(account.call(Account::withdraw, (90, "car".into()))?, Err("no 90 for car".into()));
    assert_eq!(account.call(|account, ()| account.log.clone(), ())?, ["food"]);
    let clone = account.clone();
    drop(account);
    assert_eq!(clone.call(|account, ()| account.balance, ())?, 70);
    Ok(())
}

fn a_child_calls_too() -> Outcome {
    let manager = Manager::start()?;
    let account = manager.share(Account::default())?;
    let deposit = |account: Shared<Account>| account.call(Account::deposit, 5);
    assert_eq!(elsewhere(deposit, account.clone())??, 5);
    assert_eq!(elsewhere(deposit, account.clone())??, 10);
    // A child makes an object, and sends its proxy back.
    let open = |manager: Manager| manager.share(Account { balance: 7, log: vec![] });
    let other = elsewhere(open, manager.clone())??;
    assert_eq!(other.call(Account::deposit, 1)?, 8);
    Ok(())
}

fn calls_of_many_are_one_at_a_time() -> Outcome {
    let manager = Manager::start()?;
    let account = manager.share(Account::default())?;
    let work = |account: Shared<Account>| -> Result<(), Error> {
        thread::scope(|scope| {
            let deposit = || (0..100).try_for_each(|_| account.call(Account::deposit, 1).map(drop));
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(deposit)).collect();
            threads.into_iter().try_for_each(|thread| thread.join().expect("no panic"))
        })
    };
    let children = [Process::spawn(work, account.clone())?, Process::spawn(work, account.clone())?];
    work(account.clone())?;
    children.into_iter().try_for_each(|child| join(child)?)?;
    assert_eq!(account.call(|account, ()| account.balance, ())?, 1200);
    Ok(())
}

fn what_a_function_returns_may_hold_a_descriptor() -> Outcome {
    let manager = Manager::start()?;
    let (ours, theirs) = pipe::<u32, u32>()?;
    let kept: Shared<Option<Connection<u32, u32>>> = manager.share(Some(theirs))?;
    let taken = kept.call(|kept, ()| kept.take(), ())?.ok_or("it was there")?;
    ours.send(1)?;
    assert_eq!(taken.recv()?, 1);
    assert!(kept.call(|kept, ()| kept.take(), ())?.is_none());
    kept.call(|kept, back| *kept = Some(back), taken)?;
    drop(kept); // the only other end is in the server
    assert!(matches!(ours.recv(), Err(Error::Closed)));
    Ok(())
}

fn a_panic_poisons_until_it_is_repaired() -> Outcome {
    let manager = Manager::start()?;
    let (account, other) = (manager.share(Account::default())?, manager.share(1u8)?);
    match account.call(Account::break_down, ()) {
        Err(Error::Panicked { message, location }) => {
            assert_eq!(message, "half changed");
            assert!(location.contains("manager_own.rs"), "{location}");
        }
        other => panic!("{other:?}"),
    }
    let refused = || account.call(Account::deposit, 1);
    assert!(matches!(refused(), Err(Error::Poisoned)));
    assert!(matches!(account.call_when(Account::withdraw_when, 0), Err(Error::Poisoned)));
    assert!(matches!(
        elsewhere(|a: Shared<Account>| a.call(Account::deposit, 1), account.clone())?,
        Err(Error::Poisoned)
    ));
    assert_eq!(other.call(|other, ()| *other, ())?, 1);
    assert_eq!(account.repair(|account, ()| std::mem::take(&mut account.balance), ())?, -1);
    assert_eq!(refused()?, 1);
    Ok(())
}

fn a_panic_wakes_those_who_wait() -> Outcome {
    let manager = Manager::start()?;
    let account = manager.share(Account::default())?;
    let wait = |account: Shared<Account>| account.call_when(Account::withdraw_when, 10);
    let child = Process::spawn(wait, account.clone())?;
    assert!(!child.wait_timeout(10 * SHORT));
    assert!(account.call(Account::break_down, ()).is_err());
    assert!(matches!(join(child)?, Err(Error::Poisoned)));
    Ok(())
}

fn a_repair_that_panics_repairs_nothing() -> Outcome {
    let manager = Manager::start()?;
    let account = manager.share(Account::default())?;
    assert!(account.call(Account::break_down, ()).is_err());
    assert!(matches!(account.repair(Account::break_down, ()), Err(Error::Panicked { .. })));
    assert!(matches!(account.call(Account::deposit, 1), Err(Error::Poisoned)));
    account.repair(|account, ()| account.balance = 0, ())?;
    assert_eq!(account.call(Account::deposit, 1)?, 1);
    Ok(())
}

fn what_cannot_be_sent_is_an_error_and_poisons_nothing() -> Outcome {
    let manager = Manager::start()?;
    let number = manager.share(1u32)?;
    assert!(matches!(number.call(|_, even: Even| even.0, Even(13)), Err(Error::Encode { .. })));
    assert!(matches!(number.call(|_, even: Even| even.0, Even(3)), Err(Error::Decode { .. })));
    assert!(matches!(number.call(|_, ()| Even(13), ()), Err(Error::Encode { .. })));
    assert!(matches!(number.call(|_, ()| Even(3), ()), Err(Error::Decode { .. })));
    assert!(matches!(manager.share(Even(13)), Err(Error::Encode { .. })));
    assert!(matches!(manager.share(Even(3)), Err(Error::Decode { .. })));
    assert_eq!(number.call(|number, ()| *number, ())?, 1);
    Ok(())
}

fn call_when_waits_for_a_change() -> Outcome {
    let manager = Manager::start()?;
    let account = manager.share(Account::default())?;
    let wait = |account: Shared<Account>| account.call_when(Account::withdraw_when, 10);
    let child = Process::spawn(wait, account.clone())?;
    assert!(!child.wait_timeout(10 * SHORT));
    assert_eq!(account.call(Account::deposit, 9)?, 9);
    assert!(!child.wait_timeout(10 * SHORT));
    assert_eq!(account.call(Account::deposit, 4)?, 13);
    assert_eq!(join(child)??, 3);
    Ok(())
}

/// The nth to wait gets the nth number.
fn those_who_wait_for_the_same_are_served_in_order() -> Outcome {
    let manager = Manager::start()?;
    let (numbers, server) = (manager.share(Vec::<u32>::new())?, Watch::of_server(&manager)?);
    let take = |(numbers, tells): (Shared<Vec<u32>>, Sender<()>)| {
        tells.send(())?;
        numbers.call_when(|numbers, ()| numbers.pop(), ())
    };
    let mut children = Vec::new();
    for _ in 1..=4 {
        let (told, tells) = pipe_one_way()?;
        let child = Process::spawn(take, (numbers.clone(), tells))?;
        told.recv()?;
        server.expect_waiter(child.pid())?;
        children.push(child);
    }
    numbers.call(|numbers, more: Vec<u32>| numbers.extend(more), vec![4, 3, 2, 1])?;
    let taken: Result<Vec<_>, Error> = children.into_iter().map(|child| join(child)?).collect();
    assert_eq!(taken?, [1, 2, 3, 4]);
    Ok(())
}

fn call_when_timeout_gives_up() -> Outcome {
    let manager = Manager::start()?;
    let account = manager.share(Account::default())?;
    let start = Instant::now();
    let waited = account.call_when_timeout(Account::withdraw_when, 10, SHORT);
    assert!(matches!(waited, Err(Error::TimedOut)) && start.elapsed() >= SHORT);
    assert_eq!(account.call(Account::deposit, 10)?, 10, "nobody waits for it any more");
    let enough = account.call_when_timeout(Account::withdraw_when, 10, Duration::ZERO);
    assert!(matches!(enough, Ok(0) | Err(Error::TimedOut)));
    account.call(Account::deposit, 10)?;
    assert!(account.call_when_timeout(Account::withdraw_when, 10, Duration::MAX).is_ok());
    Ok(())
}

fn a_killed_waiter_takes_nothing() -> Outcome {
    let manager = Manager::start()?;
    let account = manager.share(Account::default())?;
    let wait = |account: Shared<Account>| account.call_when(Account::withdraw_when, 10);
    let (first, second) =
        (Process::spawn(wait, account.clone())?, Process::spawn(wait, account.clone())?);
    assert!(!first.wait_timeout(10 * SHORT) && !second.wait_timeout(SHORT));
    first.kill()?;
    assert!(first.join().is_err());
    account.call(Account::deposit, 10)?;
    assert_eq!(join(second)??, 0);
    Ok(())
}

/// It is killed while the value changes: when the change is done, it is dead, and still waits.
fn nothing_is_given_to_one_that_was_killed_meanwhile() -> Outcome {
    let manager = Manager::start()?;
    let numbers = manager.share(Vec::<u32>::new())?;
    let ((waits, tells), (begun, begins)) = (pipe_one_way()?, pipe_one_way()?);
    let (goes_on, go) = pipe_one_way::<()>()?;
    let wait = |(numbers, tells): (Shared<Vec<u32>>, Sender<()>)| {
        let pop = |numbers: &mut Vec<u32>, tells: &mut Option<Sender<()>>| {
            tells.take().map(|tells| tells.send(()));
            numbers.pop()
        };
        numbers.call_when(pop, Some(tells))
    };
    let child = Process::spawn(wait, (numbers.clone(), tells))?;
    waits.recv_timeout(LONG)?;
    let push = |numbers: &mut Vec<u32>, (begins, goes_on): (Sender<()>, Receiver<()>)| {
        begins.send(()).expect("the test receives");
        goes_on.recv().expect("the test sends");
        numbers.push(1);
    };
    thread::scope(|scope| -> Outcome {
        let change = scope.spawn(|| numbers.call(push, (begins, goes_on)));
        begun.recv_timeout(LONG)?;
        child.kill()?;
        assert!(child.join().is_err());
        go.send(())?;
        Ok(change.join().expect("no panic")?)
    })?;
    assert_eq!(numbers.call(|numbers, ()| numbers.pop(), ())?, Some(1));
    Ok(())
}

fn a_function_may_not_call_its_own_object() -> Outcome {
    let manager = Manager::start()?;
    let number = manager.share(1u32)?;
    let call_itself = |_: &mut u32, itself: Shared<u32>| {
        itself.call(|number, ()| *number, ()).map_err(|error| error.to_string())
    };
    let said = number.call(call_itself, number.clone())?.err().ok_or("it was called")?;
    assert!(said.contains("from its own function"), "{said}");
    assert_eq!(number.call(|number, ()| *number, ())?, 1);
    Ok(())
}

fn another_object_is_called_in_a_call() -> Outcome {
    let manager = Manager::start()?;
    let (list, sum) = (manager.list(1..=10u32)?, manager.share(0u32)?);
    let add = |sum: &mut u32, list: ListProxy<u32>| {
        *sum = list.to_vec().map_or(0, |list| list.iter().sum());
        *sum
    };
    assert_eq!(sum.call(add, list)?, 55);
    // And an object is made in a call.
    let made = sum.call(|sum, manager: Manager| manager.share(*sum + 1), manager.clone())??;
    assert_eq!(made.call(|made, ()| *made, ())?, 56);
    Ok(())
}

fn a_value_of_another_type_is_refused() -> Outcome {
    let manager = Manager::start()?;
    let (number, text) = (manager.share(1u32)?, manager.share("a".to_string())?);
    manager.register("number", &number)?;
    let wrong = manager.registered::<Shared<String>>("number");
    assert!(matches!(wrong, Err(Error::Decode { .. })), "{wrong:?}");
    assert!(matches!(manager.registered::<ListProxy<u32>>("number"), Err(Error::Decode { .. })));
    assert_eq!(number.call(|number, ()| *number, ())?, 1);
    let failed = tests::cast::refusal::<_, Shared<u32>>(text)?;
    assert!(failed.contains("String"), "{failed}");
    Ok(())
}

fn named_functions_are_called_here_too() -> Outcome {
    let manager = Manager::start()?;
    let account = manager.share(Account::default())?;
    manager.register_function("deposit", Account::deposit)?;
    manager.register_function("withdraw", Account::withdraw)?;
    assert_eq!(account.call_named::<_, i64>("deposit", 10i64)?, 10);
    let left: Result<i64, String> = account.call_named("withdraw", (3i64, "tea"))?;
    assert_eq!(left, Ok(7));
    assert!(matches!(account.call_named::<_, ()>("steal", ()), Err(Error::NotRegistered { .. })));
    let other = manager.share(1u32)?;
    let failed = other.call_named::<_, i64>("deposit", 10i64);
    assert!(matches!(failed, Err(Error::Decode { .. })), "{failed:?}");
    let failed = account.call_named::<_, i64>("withdraw", 1u8);
    assert!(matches!(failed, Err(Error::Decode { .. })), "{failed:?}");
    Ok(())
}

#[expect(dead_code, reason = "it is checked that it compiles")]
fn proxies_are_for_all_threads(proxy: &Shared<Tells>) -> &(dyn Send + Sync) {
    proxy
}
