//! The commands of `cargo exercise`.

use crate::build::{Built, build, build_all};
use crate::exercise::{Exercise, Verdict, all};
use crate::files::guarded;
use crate::list::List;
use crate::paint::{bold, dim, green, yellow};
use crate::see::Program;
use crate::store::Store;
use notify::{RecursiveMode, Watcher};
use std::fs;
use std::io::{IsTerminal, stdout};
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
fn results() -> PathBuf {
    folder().join("../target/exercise/results")
}

fn store() -> Store {
    Store::new(results())
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

pub fn shown(path: &Path) -> String {
    format!("exercises/{}", path.file_name().unwrap_or_default().to_string_lossy())
}

/// Lists all. Those that are not known are checked while the list stands there.
pub fn list() -> Result<bool, String> {
    let store = store();
    let known: Vec<_> = all().map(|exercise| known(&store, exercise)).collect();
    let unknown: Vec<_> = all().zip(&known).filter(|(_, k)| k.is_none()).map(|(e, _)| e).collect();
    let (mut list, mut errors) = (List::new(known), Vec::new());
    list.begin();
    if !unknown.is_empty() {
        let sources: Vec<_> = unknown.iter().map(|exercise| source(exercise).ok()).collect();
        let built = build_all(&unknown)?;
        for (exercise, source) in unknown.into_iter().zip(sources) {
            let found = built.get(exercise.name).map(|path| examine(exercise, path)).transpose();
            list.set(exercise, matches!(found, Ok(Some(Ok(())))));
            match found {
                Ok(verdict) => {
                    verdict.iter().for_each(|v| keep(&store, exercise, source.as_deref(), v));
                }
                Err(error) => errors.push(format!("{}: {error}", exercise.name)),
            }
        }
    }
    list.end();
    errors.iter().for_each(|error| println!("\n{error}"));
    Ok(true)
}

fn known(store: &Store, exercise: &Exercise) -> Option<bool> {
    let verdict = store.load(exercise.name, &source(exercise).ok()?)?;
    Some(verdict.is_ok())
}

/// Keeps what was found of a file. If it was saved meanwhile, nobody knows which text was built.
fn keep(store: &Store, exercise: &Exercise, before: Option<&str>, verdict: &Verdict) {
    if let (Some(before), Ok(now)) = (before, source(exercise))
        && before == now
    {
        store.save(exercise.name, &now, verdict);
    }
}

/// An error if files were changed meanwhile.
fn examine(exercise: &Exercise, path: &Path) -> Result<Verdict, String> {
    let program = Program { path: path.to_path_buf(), variable: None };
    guarded(folder(), &results(), || (exercise.check)(&program))
}

/// Checks one, and says what was found.
pub fn check(exercise: &'static Exercise) -> Result<bool, String> {
    let source = source(exercise)?;
    let Built::Program(path) = build(exercise)? else { return Ok(false) };
    let verdict = examine(exercise, &path)?;
    keep(&store(), exercise, Some(&source), &verdict);
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
    open().map_or_else(
        || {
            println!("{}", green("All are done."));
            Ok(true)
        },
        check,
    )
}

/// The first that is not done.
pub fn open() -> Option<&'static Exercise> {
    let store = store();
    all().find(|exercise| known(&store, exercise) != Some(true))
}

/// Gives one hint more each time.
pub fn hint(exercise: &Exercise) -> Result<bool, String> {
    let path = results().join(format!("{}.hints", exercise.name));
    let given = fs::read_to_string(&path).ok().and_then(|n| n.parse().ok()).unwrap_or(0usize);
    let count = exercise.hints.len();
    let shown = (given + 1).min(count);
    for (number, hint) in exercise.hints[..shown].iter().enumerate() {
        println!("{} {hint}", bold(&format!("{}/{count}", number + 1)));
    }
    println!(
        "{}",
        dim(match shown < count {
            true => "The same command gives the next hint.",
            false => "These are all hints.",
        })
    );
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
        let kept = unused(&format!("my_{}", exercise.name));
        fs::rename(&path, &kept).map_err(|error| format!("{}: {error}", shown(&path)))?;
        println!("Your file is now {}.", shown(&kept));
    }
    fs::write(&path, exercise.given).map_err(|error| format!("{}: {error}", shown(&path)))?;
    let _ = fs::remove_file(results().join(format!("{}.hints", exercise.name)));
    println!("{} is as it was given.", shown(&path));
    Ok(())
}

/// A file that does not exist: `NAME.rs`, `NAME_2.rs`, and so on.
fn unused(name: &str) -> PathBuf {
    let numbered = (2..).map(|number| format!("{name}_{number}.rs"));
    let mut names = std::iter::once(format!("{name}.rs")).chain(numbered);
    names
        .find_map(|name| Some(folder().join(name)).filter(|path| !path.exists()))
        .unwrap_or_default()
}

/// Checks at each save, until Ctrl-C.
pub fn watch(only: Option<&'static Exercise>) -> Result<bool, String> {
    let (saved, saves) = channel();
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        // Others only read the files, as the compiler does.
        let change = event.ok().filter(|event| event.kind.is_create() || event.kind.is_modify());
        let _ = saved.send(change.map(|event| event.paths).unwrap_or_default());
    })
    .map_err(|error| format!("cannot watch files: {error}"))?;
    watcher
        .watch(folder(), RecursiveMode::NonRecursive)
        .map_err(|error| format!("cannot watch files: {error}"))?;
    let Some(mut current) = only.or_else(open) else { return next() };
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
        if let Some(exercise) = all().filter(is_saved).find(is_wanted) {
            return Ok(exercise);
        }
    }
}
