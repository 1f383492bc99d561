//! The commands of `cargo exercise`.

use crate::build::{Built, build, build_all};
use crate::exercise::{EXERCISES, Exercise, Verdict, all};
use crate::paint::{bold, dim, green, yellow};
use crate::see::Program;
use crate::store::Store;
use notify::{RecursiveMode, Watcher};
use std::fs;
use std::io::{IsTerminal, Write, stdout};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

/// This package's folder.
pub fn folder() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

pub fn file(exercise: &Exercise) -> PathBuf {
    folder().join(exercise.name).with_extension("rs")
}

/// Where results and hints are kept.
fn store() -> Store {
    Store::new(folder().join("../target/exercise/results"))
}

fn source(exercise: &Exercise) -> Result<String, String> {
    let path = file(exercise);
    fs::read_to_string(&path).map_err(|error| {
        format!(
            "{} cannot be read ({error}). `cargo exercise reset {}` puts it back.",
            shown(&path),
            exercise.name
        )
    })
}

fn shown(path: &Path) -> String {
    format!("exercises/{}", path.file_name().unwrap_or_default().to_string_lossy())
}

/// Lists all. Those that are not known are checked while the list stands there.
pub fn list() -> Result<bool, String> {
    let store = store();
    let known: Vec<_> = all().map(|exercise| known(&store, exercise)).collect();
    let unknown: Vec<_> = all().zip(&known).filter(|(_, k)| k.is_none()).map(|(e, _)| e).collect();
    let mut list = List::new(known);
    list.show();
    if !unknown.is_empty() {
        let built = build_all(&unknown)?;
        for (place, exercise) in
            all().enumerate().filter(|(_, e)| unknown.iter().any(|u| u.name == e.name))
        {
            let verdict = judge(&store, exercise, built.get(exercise.name))?;
            list.set(place, verdict);
        }
    }
    list.end();
    Ok(true)
}

fn known(store: &Store, exercise: &Exercise) -> Option<bool> {
    let verdict = store.load(exercise.name, &source(exercise).ok()?)?;
    Some(verdict.is_ok())
}

/// The list on the screen.
struct List {
    done: Vec<Option<bool>>,
    lines: usize,
}

impl List {
    fn new(done: Vec<Option<bool>>) -> Self {
        Self { done, lines: 0 }
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
            if open > 0 { dim(&format!("  ({open} to be looked at)")) } else { String::new() };
        format!("{bar} {done} of {all}{rest}")
    }

    fn set(&mut self, place: usize, done: bool) {
        self.done[place] = Some(done);
        if stdout().is_terminal() {
            print!("\x1b[{}A\x1b[J", self.lines);
            self.show();
        }
    }

    fn end(&mut self) {
        if !stdout().is_terminal() {
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
}

fn line(exercise: &Exercise, done: Option<bool>, is_next: bool) -> String {
    let mark = match done {
        Some(true) => green("✓"),
        Some(false) if is_next => yellow("→"),
        Some(false) => "·".into(),
        None => dim("?"),
    };
    format!("  {mark} {:<24} {}\n", exercise.name, dim(exercise.goal))
}

/// Judges a file that was built. Returns whether it passes.
fn judge(store: &Store, exercise: &Exercise, built: Option<&PathBuf>) -> Result<bool, String> {
    let Some(path) = built else { return Ok(false) };
    let verdict = examine(exercise, path);
    store.save(exercise.name, &source(exercise)?, &verdict);
    Ok(verdict.is_ok())
}

fn examine(exercise: &Exercise, path: &Path) -> Verdict {
    (exercise.check)(&Program { path: path.to_path_buf(), variable: None })
}

/// Checks one, and says what was found.
pub fn check(exercise: &'static Exercise) -> Result<bool, String> {
    let source = source(exercise)?;
    let Built::Program(path) = build(exercise)? else { return Ok(false) };
    let verdict = examine(exercise, &path);
    store().save(exercise.name, &source, &verdict);
    match &verdict {
        Ok(()) => passed(exercise),
        Err(why) => refused(exercise, why, source == exercise.given),
    }
    Ok(verdict.is_ok())
}

fn passed(exercise: &Exercise) {
    println!("{} {} passes.", green("✓"), bold(exercise.name));
    println!("Compare it with another solution: cargo exercise solution {}", exercise.name);
    let next = all().skip_while(|other| other.name != exercise.name).nth(1);
    if let Some(next) = next {
        println!("Next: {} – {}", bold(next.name), next.goal);
    }
}

fn refused(exercise: &Exercise, why: &str, is_given: bool) {
    println!("{} {}: {}", yellow("✗"), bold(exercise.name), exercise.goal);
    if is_given {
        println!("{}", dim("The file is as it was given: it is expected to fail."));
    }
    println!("\n{}\n", why.trim_end());
    println!("Look at “{}” in book/{}.md.", exercise.look, exercise.chapter);
    println!("{}", dim(&format!("A hint: cargo exercise hint {}", exercise.name)));
}

/// Checks the first that is not done.
pub fn next() -> Result<bool, String> {
    let store = store();
    let next = all().find(|exercise| known(&store, exercise) != Some(true));
    next.map_or_else(
        || {
            println!("{}", green("All are done."));
            Ok(true)
        },
        check,
    )
}

/// Gives one hint more each time.
pub fn hint(exercise: &Exercise) -> Result<bool, String> {
    let path = folder().join("../target/exercise/results").join(format!("{}.hints", exercise.name));
    let given = fs::read_to_string(&path).ok().and_then(|n| n.parse().ok()).unwrap_or(0usize);
    let count = exercise.hints.len();
    let shown = (given + 1).min(count);
    for (number, hint) in exercise.hints[..shown].iter().enumerate() {
        println!("{} {hint}", bold(&format!("{}/{count}", number + 1)));
    }
    if shown < count {
        println!("{}", dim("The same command gives the next hint."));
    }
    let _ = path.parent().map(fs::create_dir_all);
    let _ = fs::write(&path, shown.to_string());
    Ok(true)
}

pub fn solution(exercise: &Exercise, show: bool) -> Result<bool, String> {
    if show || known(&store(), exercise) == Some(true) {
        print!("{}", exercise.solution);
        return Ok(true);
    }
    println!(
        "The solution is shown when your file passes. To see it now: cargo exercise solution {} --show",
        exercise.name
    );
    Ok(false)
}

/// Puts the file as it was given, and keeps the reader's beside it.
pub fn reset(exercise: &Exercise) -> Result<(), String> {
    let path = file(exercise);
    let is_changed = fs::read_to_string(&path).is_ok_and(|source| source != exercise.given);
    if is_changed {
        let kept = folder().join(format!("my_{}.rs", exercise.name));
        fs::rename(&path, &kept).map_err(|error| format!("{}: {error}", shown(&path)))?;
        println!("Your file is now {}.", shown(&kept));
    }
    fs::write(&path, exercise.given).map_err(|error| format!("{}: {error}", shown(&path)))?;
    let hints =
        folder().join("../target/exercise/results").join(format!("{}.hints", exercise.name));
    let _ = fs::remove_file(hints);
    println!("{} is as it was given.", shown(&path));
    Ok(())
}

/// Checks at each save, until Ctrl-C.
pub fn watch(only: Option<&'static Exercise>) -> Result<bool, String> {
    let (saved, saves) = channel();
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        let paths = event.map(|event| event.paths).unwrap_or_default();
        let _ = saved.send(paths);
    })
    .map_err(|error| format!("cannot watch files: {error}"))?;
    watcher
        .watch(folder(), RecursiveMode::NonRecursive)
        .map_err(|error| format!("cannot watch files: {error}"))?;
    let first = only.or_else(|| all().find(|exercise| known(&store(), exercise) != Some(true)));
    let Some(mut current) = first else { return next() };
    loop {
        show_check(current);
        current = next_save(&saves, only)?;
    }
}

fn show_check(exercise: &'static Exercise) {
    if stdout().is_terminal() {
        print!("\x1b[2J\x1b[H");
    }
    if let Err(error) = check(exercise) {
        println!("{error}");
    }
    println!(
        "{}",
        dim(&format!("\nWaiting for {} to be saved. Ctrl-C ends this.", shown(&file(exercise))))
    );
}

/// Waits until an exercise's file has changed.
fn next_save(
    saves: &Receiver<Vec<PathBuf>>,
    only: Option<&'static Exercise>,
) -> Result<&'static Exercise, String> {
    let store = store();
    loop {
        let mut paths = saves.recv().map_err(|_| "files can no longer be watched".to_string())?;
        // An editor makes several changes at a save.
        while let Ok(more) = saves.recv_timeout(Duration::from_millis(100)) {
            paths.extend(more);
        }
        let is_saved = |exercise: &&Exercise| {
            paths.iter().any(|path| path.file_name() == file(exercise).file_name())
        };
        let is_wanted = |exercise: &&Exercise| only.is_none_or(|only| only.name == exercise.name);
        let saved = all().filter(is_saved).find(is_wanted);
        if let Some(exercise) = saved.filter(|exercise| known(&store, exercise).is_none()) {
            return Ok(exercise);
        }
    }
}
