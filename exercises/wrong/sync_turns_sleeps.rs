//! Refused: slept for some time, too
//! Refused: It should print
// Each player sleeps for as long as the others need, perhaps.
use multiprocessing::{Condition, Error, Process, Value};
use std::time::Duration;
use std::{env, thread};

/// How many turns were taken, and a condition to tell of it.
type Table = (Value<u32>, Condition);
/// A player's number, all players, and the rounds.
type Game = (u32, u32, u32);

fn main() -> Result<(), Box<dyn std::error::Error>> {
    multiprocessing::init();
    let mut numbers = env::args().skip(1);
    let players = numbers.next().ok_or("how many players?")?;
    let players = players.parse()?;
    let rounds = numbers.next().ok_or("how many rounds?")?;
    let rounds = rounds.parse()?;

    let table = (Value::new(0)?, Condition::new()?);
    let mut children = vec![];
    for number in 1..=players {
        let game = (number, players, rounds);
        let args = (game, table.clone());
        children.push(Process::spawn(play, args)?);
    }
    for child in children {
        child.join()??;
    }
    Ok(())
}

fn play((game, table): (Game, Table)) -> Result<(), Error> {
    let (number, players, rounds) = game;
    let (_turns, _changed) = table;
    if number > 1 {
        thread::sleep(Duration::from_secs(1));
    }
    thread::sleep(Duration::from_millis(20 * number as u64));
    if number == 1 {
        thread::sleep(Duration::from_secs(1));
    }
    for _ in 0..rounds {
        // Something is missing before its turn, and after it.
        println!("player {number}");
        thread::sleep(Duration::from_millis(
            20 * players as u64,
        ));
    }
    Ok(())
}
