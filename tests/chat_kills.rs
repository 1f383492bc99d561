//! The chat server: its processes panic, leak, are stopped and killed, and the others talk on.

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::net::TcpStream;
use std::process::ExitCode;
use std::time::{Duration, Instant};
use tests::chat::{self, Client, Server, all_end, stop, until};
use tests::helper::LONG;
use tests::{Outcome, trials};

fn main() -> ExitCode {
    chat::main(trials![
        a_handler_that_panics_is_one_client_less,
        a_handler_that_leaks_is_one_client_less,
        a_handler_that_is_killed_is_one_client_less,
        a_stopped_handler_drops_out_once_it_is_far_behind,
        a_handler_that_is_continued_has_missed_nothing,
        a_stopped_router_goes_on_where_it_was,
        a_killed_router_leaves_no_process,
        a_killed_fork_server_is_replaced,
        ctrl_c_tells_everybody_and_leaves_no_process,
        ctrl_c_does_not_wait_for_those_who_hang,
    ])
}

/// A fault of Eve's ends her talk and no other.
fn one_less(plant: impl FnOnce(&mut Client, Pid) -> Outcome) -> Outcome {
    let server = Server::start()?;
    let mut ann = server.join("Ann")?;
    let mut bob = server.join("Bob")?;
    let (mut eve, handler) = server.join_with_handler("Eve")?;
    bob.reads("Eve joined")?;
    plant(&mut eve, handler)?;
    bob.reads("Eve left")?;
    all_end(&[handler].into());
    assert_eq!(eve.line()?, None, "her connection is closed");
    ann.say("who was that?")?;
    bob.reads("Ann: who was that?")?;
    assert_eq!(server.handlers().len(), 2);
    server.join("Eve")?;
    bob.reads("Eve joined")?;
    server.end()
}

fn a_handler_that_panics_is_one_client_less() -> Outcome {
    one_less(|eve, _| Ok(eve.say("/panic")?))
}

fn a_handler_that_leaks_is_one_client_less() -> Outcome {
    one_less(|eve, _| Ok(eve.say("/leak")?))
}

fn a_handler_that_is_killed_is_one_client_less() -> Outcome {
    one_less(|eve, _| Ok(eve.say("/kill")?))?;
    one_less(|_, handler| Ok(kill(handler, Signal::SIGKILL)?))?;
    one_less(|_, handler| {
        stop(handler)?;
        Ok(kill(handler, Signal::SIGKILL)?)
    })
}

fn a_stopped_handler_drops_out_once_it_is_far_behind() -> Outcome {
    let server = Server::start()?;
    let (_eve, handler) = server.join_with_handler("Eve")?;
    let mut ann = server.join("Ann")?;
    let mut bob = server.join("Bob")?;
    ann.reads("Bob joined")?;
    stop(handler)?;
    for n in 0.. {
        assert!(n < 5_000, "Eve still has her seat");
        ann.say(&n.to_string())?;
        if ann.line()?.is_some_and(|line| line == "Eve left") {
            assert!(n > 1_000, "she had a backlog of {n} only");
            break;
        }
        bob.reads(&format!("Ann: {n}"))?;
    }
    all_end(&[handler].into());
    bob.read_to("Eve left")?;
    server.end()
}

fn a_handler_that_is_continued_has_missed_nothing() -> Outcome {
    let server = Server::start()?;
    let (mut eve, handler) = server.join_with_handler("Eve")?;
    let mut ann = server.join("Ann")?;
    eve.reads("Ann joined")?;
    stop(handler)?;
    for n in 0..1_000 {
        ann.say(&n.to_string())?;
        ann.reads(&format!("Ann: {n}"))?;
    }
    kill(handler, Signal::SIGCONT)?;
    for n in 0..1_000 {
        eve.reads(&format!("Ann: {n}"))?;
    }
    ann.say("welcome back")?;
    eve.reads("Ann: welcome back")?;
    server.end()
}

fn a_stopped_router_goes_on_where_it_was() -> Outcome {
    let server = Server::start()?;
    let mut ann = server.join("Ann")?;
    let mut bob = server.join("Bob")?;
    ann.reads("Bob joined")?;
    stop(server.pid())?;
    for n in 0..1_000 {
        ann.say(&n.to_string())?;
    }
    let mut cid = Client::connect(server.address)?; // the kernel has let him in
    cid.say("Cid")?;
    bob.socket.set_read_timeout(Some(Duration::from_millis(50)))?;
    assert!(bob.line().is_err(), "nobody passes anything on");
    bob.socket.set_read_timeout(Some(LONG))?;
    server.signal(Signal::SIGCONT)?;
    let mut said = vec![];
    while said.len() < 1_000 {
        said.extend(bob.line()?.filter(|line| line.starts_with("Ann: ")));
    }
    assert_eq!(said, (0..1_000).map(|n| format!("Ann: {n}")).collect::<Vec<_>>());
    cid.read_to("Cid joined")?;
    server.end()
}

fn a_killed_router_leaves_no_process() -> Outcome {
    let mut server = Server::start()?;
    let mut ann = server.join("Ann")?;
    let (never_reads, _) = server.join_with_handler("Bob")?;
    ann.reads("Bob joined")?;
    let processes = server.processes();
    assert_eq!(processes.len(), 3);
    server.signal(Signal::SIGKILL)?;
    server.wait()?;
    all_end(&processes);
    assert_eq!(ann.line()?, None);
    drop(never_reads);
    Ok(())
}

fn a_killed_fork_server_is_replaced() -> Outcome {
    let server = Server::start()?;
    let mut ann = server.join("Ann")?;
    let mut bob = server.join("Bob")?;
    ann.reads("Bob joined")?;
    let old = server.processes();
    let killed = server.fork_server().ok_or("there is none")?;
    kill(killed, Signal::SIGKILL)?;
    all_end(&[killed].into());
    ann.say("still here")?;
    bob.reads("Ann: still here")?;
    let mut cid = server.join("Cid")?;
    bob.reads("Cid joined")?;
    drop(ann);
    cid.reads("Ann left")?;
    server.end()?;
    all_end(&old);
    Ok(())
}

fn ctrl_c_tells_everybody_and_leaves_no_process() -> Outcome {
    for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP] {
        let mut server = Server::start()?;
        let mut all = vec![];
        for name in ["Ann", "Bob", "Cid"] {
            all.push(server.join(name)?);
        }
        let _nameless = Client::connect(server.address)?;
        until("four handlers", || Ok(server.handlers().len() == 4))?;
        let processes = server.processes();
        // As the terminal does, which signals all of them at once.
        for pid in processes.iter().filter(|_| signal == Signal::SIGINT) {
            kill(*pid, signal)?;
        }
        server.signal(signal)?;
        for client in &mut all {
            client.read_to("The chat is over.")?;
            assert_eq!(client.line()?, None);
        }
        let status = server.wait()?;
        assert!(status.success(), "{status}");
        all_end(&processes);
        assert!(TcpStream::connect(server.address).is_err(), "nobody listens");
    }
    Ok(())
}

fn ctrl_c_does_not_wait_for_those_who_hang() -> Outcome {
    let server = Server::start()?;
    let (_eve, handler) = server.join_with_handler("Eve")?;
    let mut ann = server.join("Ann")?;
    stop(handler)?;
    let start = Instant::now();
    server.end()?;
    assert!(start.elapsed() < LONG / 4, "{:?}", start.elapsed());
    ann.read_to("The chat is over.")?;
    Ok(())
}
