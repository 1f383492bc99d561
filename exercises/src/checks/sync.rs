//! The exercises of the chapter `sync`.

use crate::exercise;
use crate::exercise::{Exercise, Verdict};
use crate::hang::{self, Doing};
use crate::rest::Rest;
use crate::see::{Program, expect};
use crate::seen::{End, Process, Seen};
use crate::watch::Act;
use std::time::Duration;

pub const EXERCISES: &[Exercise] = &[
    exercise!(
        "sync_office", "sync",
        look: "How many tickets are sold?",
        goal: "Sell no more tickets than there are.",
        hints: [
            "The lock is taken twice. What do the other buyers do in between?",
            "Nothing may come between the look and the change: both under one guard.",
            "`let mut left = tickets.lock()?;`, look, take one, and `drop(left)` before you pay.",
        ],
        office
    ),
    exercise!(
        "sync_turns", "sync",
        look: "Wait until a condition holds",
        goal: "Let the players take turns, and sleep until it is theirs.",
        hints: [
            "It is the turn of player `turns % players + 1`. That is a state to wait for, and the condition tells when it has changed.",
            "`changed.wait_while(guard, …)` is told how long to go on waiting, and returns the guard.",
            "After its turn, a player adds 1 to the turns, under the same guard, and calls `notify_all`.",
        ],
        turns
    ),
];

fn office(program: &Program) -> Verdict {
    for (tickets, buyers) in [(2_usize, 5_usize), (4, 3)] {
        let seen = program.meet(&[&tickets.to_string(), &buyers.to_string()])?;
        seen.succeeded()?;
        seen.has_children(buyers)?;
        seen.were_alive_at_once(3)?; // two pay at once; who finds none left may be gone by then
        let sold = seen.lines().iter().filter(|line| **line == "bought a ticket").count();
        expect(sold <= tickets, || {
            format!("With {tickets} tickets and {buyers} buyers, {sold} tickets were sold.")
        })?;
        let left = format!("{} tickets are left", tickets.saturating_sub(buyers));
        let mut expected = vec!["bought a ticket"; tickets.min(buyers)];
        expected.extend(vec!["sold out"; buyers.saturating_sub(tickets)]);
        expected.push(&left);
        seen.printed_in_any_order(&expected)?;
        seen.worked_in_children("look", buyers)?;
        seen.waited_for_all()?;
    }
    Ok(())
}

fn turns(program: &Program) -> Verdict {
    for (players, rounds) in [(3, 4), (5, 2)] {
        let (seen, rest, sleepers) = played(program, players, rounds)?;
        seen.succeeded()?;
        seen.has_children(players)?;
        let turns = (0..rounds).flat_map(|_| 1..=players);
        let expected: Vec<_> = turns.map(|number| format!("player {number}")).collect();
        let expected: Vec<_> = expected.iter().map(String::as_str).collect();
        seen.printed(&expected)?;
        seen.each_printed_by_a_child(&expected[..players])?;
        expect(seen.time >= Duration::from_secs(1), || {
            "Player 1 should think for a second before the first turn.".into()
        })?;
        rest.was_quiet()?;
        expect(sleepers <= 1, || {
            format!(
                "While player 1 was thinking, {} others slept for some time, too. Let them wait for \
                 their turn, and not for the time.",
                sleepers - 1
            )
        })?;
        seen.children_ended_with(End::Exited(0))?;
        seen.waited_for_all()?;
    }
    Ok(())
}

/// A game, and what was seen while player 1 was thinking: also how many slept for some time. On a busy machine that may be missed.
fn played(program: &Program, players: usize, rounds: usize) -> Result<(Seen, Rest, usize), String> {
    let mut tries = 3;
    loop {
        let (mut rest, mut sleepers) = (Rest::default(), 0);
        let seen = program.watch(&[&players.to_string(), &rounds.to_string()], |live| {
            let started = live.processes.iter().skip(1).filter(|child| child.execs > 0).count();
            if started >= players && live.stdout.is_empty() {
                rest.is_over(live);
                let is_asleep = |process: &&Process| hang::doing(process.pid) == Doing::Sleeping;
                sleepers = sleepers.max(live.processes.iter().filter(is_asleep).count());
            }
            Act::Nothing
        })?;
        tries -= 1;
        if rest.was_seen() || tries == 0 {
            return Ok((seen, rest, sleepers));
        }
    }
}
