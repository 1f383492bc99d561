//! The map of the book: that chapters, programs, figures and README belong
//! together as the key rule says. What is not as it should be is a fault, one
//! line each, with file and line.

use crate::program::{FOLDERS, Program, is_a_readers, programs};
use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::Path;

/// The pages that are no chapters, and so have no programs.
const NO_CHAPTER: &[&str] = &["index", "glossary"];

/// The chapter whose programs are a project of their own.
const PROJECT: &str = "project";

/// The folders whose files a chapter shows parts of.
const SHOWN: &[&str] = &["examples", "src", "benches", "project", "exercises/solutions"];

/// What `cargo exercise` does beside checking the exercise of a name.
const COMMANDS: &[&str] = &["hint", "list", "help", "next", "reset", "solution", "watch"];

/// The folder of the exercises as they are given to the reader.
const GIVEN: &str = "exercises/given";

const MAX_WIDTH: usize = 64;
const MAX_LINES: usize = 50;
/// An exercise also says what it asks.
const MAX_LINES_EXERCISE: usize = 75;
/// For each file of a program that is a folder.
const MAX_LINES_IN_FOLDER: usize = 100;

struct Book {
    chapters: Vec<Text>,
    programs: Vec<Program>,
    /// Files of `SHOWN`, by their path from the root.
    shown: Vec<Text>,
    /// The files as they are given to the reader: `exercises/given/fork_three.rs`.
    exercises: Vec<Text>,
    figures: Vec<Text>,
    /// `examples/fork.out`
    outputs: Vec<String>,
    readme: Text,
}

/// A text file: `book/fork.md`.
struct Text {
    path: String,
    text: String,
}

/// Everything on the map that is wrong.
pub fn faults(root: &Path) -> io::Result<Vec<String>> {
    let book = Book::read(root)?;
    let mut faults = Vec::new();
    for chapter in &book.chapters {
        book.check_key(chapter, &mut faults);
        book.check_commands(chapter, &mut faults);
        check_blocks(chapter, &mut faults);
    }
    book.check_programs(&mut faults)?;
    book.check_anchors(&mut faults);
    book.check_exercises(&mut faults);
    book.check_figures(&mut faults);
    book.check_commands(&book.readme, &mut faults);
    book.check_road(&mut faults);
    Ok(faults)
}

impl Book {
    fn read(root: &Path) -> io::Result<Self> {
        let read = |path: String| -> io::Result<Text> {
            let name_it = |e| io::Error::other(format!("{path}: {e}"));
            let text = fs::read_to_string(root.join(&path)).map_err(name_it)?;
            Ok(Text { path, text })
        };
        let summary = read("book/SUMMARY.md".to_string())?;
        let chapters = links(&summary.text).map(|file| read(format!("book/{file}")));
        let mut shown = Vec::new();
        for folder in SHOWN {
            let files = names(&root.join(folder))?.into_iter();
            let files = files.filter(|f| f.ends_with(".rs") || f.ends_with(".py"));
            let files = files.filter(|f| !is_a_readers(f.rsplit('/').next().unwrap_or(f)));
            let files: io::Result<Vec<_>> = files.map(|f| read(format!("{folder}/{f}"))).collect();
            shown.extend(files?);
        }
        let figures = names(&root.join("book/figures"))?.into_iter();
        let exercises = names(&root.join(GIVEN))?.into_iter();
        let mut outputs = Vec::new();
        for folder in FOLDERS {
            let files = names(&root.join(folder))?.into_iter();
            let files = files.filter(|f| f.ends_with(".out") && !is_a_readers(f));
            outputs.extend(files.map(|f| format!("{folder}/{f}")));
        }
        Ok(Self {
            chapters: chapters.collect::<io::Result<_>>()?,
            programs: programs(root)?,
            shown,
            exercises: exercises
                .map(|f| read(format!("{GIVEN}/{f}")))
                .collect::<io::Result<_>>()?,
            figures: figures
                .map(|f| read(format!("book/figures/{f}")))
                .collect::<io::Result<_>>()?,
            outputs,
            readme: read("README.md".to_string())?,
        })
    }

    /// The chapter that a program or a figure belongs to: the longest key that
    /// its name begins with.
    fn chapter_of(&self, name: &str) -> Option<&Text> {
        let belongs = |chapter: &&Text| {
            name.strip_prefix(chapter.key())
                .is_some_and(|rest| matches!(rest.chars().next(), None | Some('_')))
        };
        self.chapters.iter().filter(belongs).max_by_key(|chapter| chapter.key().len())
    }

    fn check_key(&self, chapter: &Text, faults: &mut Vec<String>) {
        let key = chapter.key();
        if !key.bytes().all(|b| b.is_ascii_lowercase() || b == b'_') {
            faults.push(format!("{}: `{key}` is no key: lower-case letters and _", chapter.path));
        }
        let has_programs = self.programs.iter().any(|program| program.name == key);
        if !has_programs && !NO_CHAPTER.contains(&key) {
            faults.push(format!("{}: its program {key}.rs is missing", chapter.path));
        }
    }

    /// What `cargo run --example NAME`, `python3 examples/NAME.py` and `cargo exercise NAME` name
    /// must exist, unless it is one of the reader's.
    fn check_commands(&self, page: &Text, faults: &mut Vec<String>) {
        for (n, line) in page.lines() {
            for name in words_after(line, "--example ").filter(|name| *name != "NAME") {
                if is_a_readers(name) {
                    continue;
                }
                if !self.programs.iter().any(|p| p.name == name && p.rust.is_some()) {
                    faults.push(format!("{}:{n}: there is no examples/{name}.rs", page.path));
                }
            }
            for file in words_after(line, "python3 examples/") {
                let name = file.trim_end_matches(".py");
                if !self.programs.iter().any(|p| p.name == name && p.python.is_some()) {
                    faults.push(format!("{}:{n}: there is no examples/{name}.py", page.path));
                }
            }
            for name in words_after(line, "cargo exercise ") {
                let is_one = self.exercises.iter().any(|exercise| exercise.key() == name);
                if !is_one && !COMMANDS.contains(&name) && !["", "NAME"].contains(&name) {
                    faults.push(format!("{}:{n}: there is no exercise {name}", page.path));
                }
            }
        }
    }

    fn check_programs(&self, faults: &mut Vec<String>) -> io::Result<()> {
        for program in &self.programs {
            let (name, path) = (&program.name, program.path());
            match self.chapter_of(name) {
                None => faults.push(format!("{path}: no chapter in SUMMARY.md has its key")),
                Some(chapter) if program.folder != FOLDERS[1] && chapter.key() == PROJECT => {
                    faults.push(format!("{path}: programs of {PROJECT} are in {}/", FOLDERS[1]));
                }
                Some(chapter) if !chapter.names(name) => {
                    faults.push(format!("{}: does not show the program {name}", chapter.path));
                }
                Some(_) => (),
            }
            let expect = program.expect();
            let has_output = !expect.as_ref().is_ok_and(|expect| expect.for_people);
            if has_output && !self.outputs.contains(&format!("{path}.out")) {
                faults.push(format!("{path}.out is missing: RECORD=1 cargo test --test programs"));
            }
            faults.extend(expect.err().map(|e| format!("{path}: {e}")));
        }
        for output in &self.outputs {
            let path = output.trim_end_matches(".out").trim_end_matches(".py");
            if !self.programs.iter().any(|program| program.path() == path) {
                faults.push(format!("{output}: there is no such program"));
            }
        }
        for file in self.shown.iter().filter(|file| file.is_in_examples()) {
            check_program_text(file, faults);
        }
        self.check_twins(faults);
        Ok(())
    }

    fn check_twins(&self, faults: &mut Vec<String>) {
        for program in &self.programs {
            let functions = |extension: &str| {
                let path = program.path();
                let paths = [format!("{path}.{extension}"), format!("{path}/main.{extension}")];
                self.shown.iter().find(|file| paths.contains(&file.path)).map(functions)
            };
            if let (Some(rust), Some(python)) = (functions("rs"), functions("py"))
                && !is_subsequence(&python, &rust)
            {
                let path = program.path();
                faults.push(format!("{path}: the twins differ: {rust:?}, {python:?}"));
            }
        }
    }

    /// Every anchor is closed, has a name that says something, and is used.
    fn check_anchors(&self, faults: &mut Vec<String>) {
        for file in &self.shown {
            let marked = |mark: &'static str| {
                let marks = move |(n, line): (usize, &str)| {
                    Some((n, line.split_once(mark)?.1.trim().to_string()))
                };
                file.lines().filter_map(marks)
            };
            let closed: BTreeSet<_> = marked("ANCHOR_END: ").map(|(_, name)| name).collect();
            for (n, name) in marked("ANCHOR: ") {
                let include = format!("{}:{name}}}}}", file.path);
                let fault = match () {
                    () if name == "here" => "says nothing",
                    () if !closed.contains(&name) => "is not closed",
                    () if !self.chapters.iter().any(|c| c.text.contains(&include)) => "is not used",
                    () => continue,
                };
                faults.push(format!("{}:{n}: the anchor `{name}` {fault}", file.path));
            }
        }
    }

    /// Its chapter gives each exercise, with its command and its solution.
    fn check_exercises(&self, faults: &mut Vec<String>) {
        for exercise in &self.exercises {
            let name = exercise.key();
            let command = format!("cargo exercise {name}");
            let solution = format!("#include ../exercises/solutions/{name}.rs");
            match self.chapter_of(name) {
                None => faults.push(format!("{}: no chapter has its key", exercise.path)),
                Some(chapter) => {
                    for part in [&command, &solution] {
                        if !chapter.text.contains(part) {
                            faults.push(format!("{}: does not show `{part}`", chapter.path));
                        }
                    }
                }
            }
            check_text(exercise, Some(&command), MAX_LINES_EXERCISE, faults);
        }
    }

    fn check_figures(&self, faults: &mut Vec<String>) {
        for figure in &self.figures {
            let file = figure.path.trim_start_matches("book/");
            let used = self
                .chapter_of(figure.key())
                .is_some_and(|c| c.text.contains(&format!("#include {file}}}")));
            for (sound, fault) in [
                (used, "the chapter of its key does not show it"),
                (figure.text.contains("<title "), "has no title"),
                (figure.text.contains("<desc "), "has no description"),
                (!figure.text.contains("\n\n"), "has a blank line, which ends the HTML block"),
                (
                    !figure.text.contains("=\"#"),
                    "has a colour of its own: use the classes of book.css",
                ),
            ] {
                if !sound {
                    faults.push(format!("{}: {fault}", figure.path));
                }
            }
        }
    }

    /// README links every chapter that stands, in the book's order; the road on
    /// the front page links it too.
    fn check_road(&self, faults: &mut Vec<String>) {
        let road = self.figures.iter().find(|figure| figure.key() == "index_road");
        let road = road.map_or("", |figure| figure.text.as_str());
        let mut rest = self.readme.text.as_str();
        for chapter in &self.chapters {
            match rest.split_once(&format!("({})", chapter.path)) {
                Some((_, after)) => rest = after,
                None => faults.push(format!(
                    "README.md: does not link {}, or not in the book's order",
                    chapter.path
                )),
            }
            let key = chapter.key();
            if !NO_CHAPTER.contains(&key) && !road.contains(&format!("href=\"{key}.html\"")) {
                faults.push(format!("book/figures/index_road.svg: does not link {key}.html"));
            }
        }
    }
}

impl Text {
    /// `fork` for book/fork.md
    fn key(&self) -> &str {
        let name = self.path.rsplit('/').next().unwrap_or(&self.path);
        name.split('.').next().unwrap_or(name)
    }

    /// `examples` for examples/fork.rs
    fn folder(&self) -> &str {
        self.path.rsplit_once('/').map_or("", |(folder, _)| folder)
    }

    /// Whether it is a program, or a file of one.
    fn is_in_examples(&self) -> bool {
        FOLDERS.iter().any(|folder| self.path.starts_with(&format!("{folder}/")))
    }

    /// The name of the program whose folder this file is in: `chat` for examples/chat/main.rs
    fn program_folder(&self) -> Option<&str> {
        let folder = self.folder();
        let is_top = FOLDERS.contains(&folder);
        folder.rsplit('/').next().filter(|_| !is_top)
    }

    fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        self.text.lines().enumerate().map(|(n, line)| (n + 1, line))
    }

    /// Whether `name` stands here as a word of its own.
    fn names(&self, name: &str) -> bool {
        let is_part = |c: char| c.is_alphanumeric() || c == '_';
        self.text.split(|c| !is_part(c)).any(|word| word == name)
    }
}

/// Every block is an include; a console block may hold commands too. Code is
/// preceded by the name of its file.
fn check_blocks(chapter: &Text, faults: &mut Vec<String>) {
    let mut language = None;
    let mut before = Vec::new();
    for (n, line) in chapter.lines() {
        let mut fault = |what: &str| faults.push(format!("{}:{n}: {what}", chapter.path));
        match (language, line.strip_prefix("```")) {
            (None, Some(info)) => {
                if !["rust", "python", "text", "console"].contains(&info) {
                    fault("a block is rust, python, text or console");
                }
                language = Some(info);
            }
            (None, None) => before.push(line),
            (Some(_), Some(_)) => {
                language = None;
                before.retain(|line| line.contains("<label"));
            }
            (Some("console"), None) if line.starts_with("$ ") => (),
            (Some(language), None) => match included(line) {
                None => fault("a block holds an include, and nothing by hand"),
                Some(file) if language == "rust" || language == "python" => {
                    let caption = format!(">{file}</");
                    if !before.iter().rev().take(5).any(|line| line.contains(&caption)) {
                        fault(&format!("the block does not say that it shows {file}"));
                    }
                }
                Some(_) => (),
            },
        }
    }
}

/// `examples/fork.rs` of `{{#include ../examples/fork.rs:wait}}`
fn included(line: &str) -> Option<&str> {
    let include = line.strip_prefix("{{#include ../")?.strip_suffix("}}")?;
    Some(include.split(':').next().unwrap_or(include))
}

/// The header with its command, and lines that fit beside the twin.
fn check_program_text(file: &Text, faults: &mut Vec<String>) {
    let python = file.path.ends_with(".py");
    let command = match python {
        true => format!("python3 {}", file.path),
        false => format!("cargo run --example {}", file.program_folder().unwrap_or(file.key())),
    };
    let is_in_folder = file.program_folder().is_some();
    let command = (!is_in_folder || file.key() == "main").then_some(command.as_str());
    check_text(file, command, if is_in_folder { MAX_LINES_IN_FOLDER } else { MAX_LINES }, faults);
}

/// The command stands in one file of a program.
fn check_text(file: &Text, command: Option<&str>, most: usize, faults: &mut Vec<String>) {
    let tells = |command: &str| file.text.lines().take(20).any(|line| line.contains(command));
    if let Some(command) = command.filter(|command| !tells(command)) {
        faults.push(format!("{}:1: its first lines do not tell `{command}`", file.path));
    }
    let lines = file.text.lines().count();
    if lines > most {
        faults.push(format!("{}: {lines} lines; it may have {most}", file.path));
    }
    for (n, line) in file.lines().filter(|(_, line)| line.chars().count() > MAX_WIDTH) {
        let width = line.chars().count();
        faults.push(format!("{}:{n}: {width} letters wide; {MAX_WIDTH} fit", file.path));
    }
}

/// Rust may need a function more, but none in another order.
fn is_subsequence(part: &[String], whole: &[String]) -> bool {
    let mut whole = whole.iter();
    part.iter().all(|name| whole.any(|other| other == name))
}

/// The names of a program's functions, in their order.
fn functions(file: &Text) -> Vec<String> {
    let name = |line: &str| {
        let line = line.strip_prefix("fn ").or_else(|| line.strip_prefix("def "))?;
        Some(line.split(['(', '<']).next()?.to_string())
    };
    file.text.lines().filter_map(name).collect()
}

/// The files that SUMMARY.md links.
fn links(summary: &str) -> impl Iterator<Item = &str> {
    summary.split("](").skip(1).filter_map(|rest| rest.split(')').next()).filter(|f| !f.is_empty())
}

fn words_after<'a>(line: &'a str, before: &'a str) -> impl Iterator<Item = &'a str> {
    let is_end = |c: char| !(c.is_alphanumeric() || c == '_' || c == '.');
    let word = move |rest: &'a str| rest.split(is_end).next();
    line.split(before).skip(1).filter_map(word).map(|word| word.trim_end_matches('.'))
}

/// The files of a folder and of those in it, by their path from it.
fn names(folder: &Path) -> io::Result<Vec<String>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        match entry.file_type()?.is_dir() {
            true => found.extend(names(&entry.path())?.iter().map(|file| format!("{name}/{file}"))),
            false => found.push(name),
        }
    }
    found.sort();
    Ok(found)
}
