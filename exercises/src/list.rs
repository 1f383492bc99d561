//! The list of all exercises on the screen.
//!
//! A terminal that has room for it sees each line change when its check ends: the list is drawn
//! again over itself. In a smaller one, only the last line changes, and the list comes once more in
//! the end. A pipe or a file gets the list in the end alone.

use crate::commands::{file, shown};
use crate::exercise::{EXERCISES, Exercise, all};
use crate::paint::{bold, dim, green, size, yellow};
use std::io::{IsTerminal, Write, stdout};

/// Where the goals begin.
const INDENT: usize = 29;

pub struct List {
    done: Vec<Option<bool>>,
    /// How many lines were drawn.
    lines: usize,
    /// Whether the lines that were drawn are no longer true.
    is_old: bool,
}

impl List {
    pub fn new(done: Vec<Option<bool>>) -> Self {
        Self { done, lines: 0, is_old: true }
    }

    pub fn begin(&mut self) {
        if stdout().is_terminal() {
            self.show();
        }
    }

    pub fn set(&mut self, exercise: &Exercise, done: bool) {
        let place = all().position(|other| other.name == exercise.name);
        place.into_iter().for_each(|place| self.done[place] = Some(done));
        self.is_old = true;
        if size().is_some_and(|(rows, _)| rows > self.lines) {
            print!("\x1b[{}A\x1b[J", self.lines);
            self.show();
        } else if stdout().is_terminal() {
            println!("\x1b[A\x1b[J{}", self.bar());
        }
    }

    pub fn end(&mut self) {
        if self.is_old {
            self.show();
        }
        match all().zip(&self.done).find(|(_, done)| **done == Some(false)) {
            Some((next, _)) => println!(
                "\nNext: {}, in {}. Edit it, then: cargo exercise {}",
                bold(next.name),
                shown(&file(next)),
                next.name
            ),
            None => println!("\n{}", green("All are done.")),
        }
    }

    fn show(&mut self) {
        let next = self.done.iter().position(|done| *done == Some(false));
        let mut text = String::new();
        let mut places = self.done.iter().enumerate();
        for chapter in EXERCISES {
            let key = chapter.first().map_or("", |exercise| exercise.chapter);
            text += &format!("{}\n", bold(key));
            for (exercise, (place, done)) in chapter.iter().zip(places.by_ref()) {
                text += &line(exercise, *done, next == Some(place));
            }
        }
        self.lines = text.lines().count() + 1;
        self.is_old = false;
        println!("{text}{}", self.bar());
        let _ = stdout().flush();
    }

    fn bar(&self) -> String {
        let all = self.done.len();
        let done = self.done.iter().filter(|done| **done == Some(true)).count();
        let filled = 30 * done / all.max(1);
        let bar = format!("{}{}", green(&"█".repeat(filled)), dim(&"░".repeat(30 - filled)));
        let open = self.done.iter().filter(|done| done.is_none()).count();
        let rest =
            if open > 0 { dim(&format!("  ({open} still to check)")) } else { String::new() };
        format!("{bar} {done} of {all}{rest}")
    }
}

/// It never takes two lines of a terminal.
fn line(exercise: &Exercise, done: Option<bool>, is_next: bool) -> String {
    let mark = match done {
        Some(true) => green("✓"),
        Some(false) if is_next => yellow("→"),
        Some(false) => "·".into(),
        None => dim("?"),
    };
    let room = size().map_or(usize::MAX, |(_, columns)| columns.saturating_sub(INDENT));
    let goal = match exercise.goal {
        goal if goal.chars().count() <= room => goal.to_string(),
        goal => goal.chars().take(room.saturating_sub(1)).chain(['…']).collect(),
    };
    format!("  {mark} {:<24} {}\n", exercise.name, dim(&goal))
}
