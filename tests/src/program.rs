//! The programs of the book: `NAME.rs`, its Python twin `NAME.py`, what both
//! print in `NAME.out`, and what the line `Expect:` declares.

use crate::run::End;
use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::io;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Where the programs are, from the root: those of the chapters, and those of the
/// project that uses the crate.
pub const FOLDERS: [&str; 2] = ["examples", "project/examples"];

/// One program, in one language or two: `NAME.rs` and `NAME.py`, or the files `main.rs` and `main.py`
/// of a folder `NAME`.
#[derive(Debug, Default)]
pub struct Program {
    /// One of `FOLDERS`.
    pub folder: &'static str,
    /// The name that `cargo run --example` takes.
    pub name: String,
    /// Its file in Rust.
    pub rust: Option<PathBuf>,
    /// Its file in Python.
    pub python: Option<PathBuf>,
}

/// What a program's `Expect:` declares. Without that line: on a terminal, its
/// lines in order, exit status 0.
#[derive(Debug, PartialEq)]
pub struct Expect {
    /// The output is a pipe, no terminal.
    pub on_a_pipe: bool,
    /// The Rust program starts Python.
    pub needs_python: bool,
    /// The groups of lines, counted from 1, that come in any order.
    pub any_order: Vec<RangeInclusive<usize>>,
    /// A number before `s`, `ms` or `µs` may be another.
    pub durations: bool,
    /// How the program may end.
    pub ends: Vec<End>,
    /// Somebody sits at it: it does not end by itself, and has a test of its own.
    pub for_people: bool,
}

impl Default for Expect {
    fn default() -> Self {
        Self {
            on_a_pipe: false,
            needs_python: false,
            any_order: vec![],
            durations: false,
            ends: vec![End::Exited(0)],
            for_people: false,
        }
    }
}

/// All programs of the book, by name, without a reader's own.
pub fn programs(root: &Path) -> io::Result<Vec<Program>> {
    let mut programs = BTreeMap::<String, Program>::new();
    for folder in FOLDERS {
        for entry in fs::read_dir(root.join(folder))? {
            let path = entry?.path();
            let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            let mains = ["main.rs", "main.py"].map(|main| path.join(main));
            for file in [path].into_iter().chain(mains).filter(|file| file.is_file()) {
                let extension = file.extension().unwrap_or_default();
                if (extension == "rs" || extension == "py") && !is_a_readers(&name) {
                    let program = programs.entry(name.clone()).or_default();
                    program.folder = folder;
                    program.name = name.clone();
                    let is_rust = extension == "rs";
                    *(if is_rust { &mut program.rust } else { &mut program.python }) = Some(file);
                }
            }
        }
    }
    Ok(programs.into_values().collect())
}

/// Builds programs as this test was built, so that none is an old one; returns their folder. A
/// reader's own, which may not compile, are not built.
pub fn build(names: &[&str]) -> io::Result<PathBuf> {
    let this = env::current_exe()?; // target/debug/deps/programs-0123
    let profile = this.ancestors().nth(2).unwrap_or(Path::new("."));
    if names.is_empty() {
        return Ok(profile.join("examples")); // without a name, cargo would build all
    }
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or("cargo".into()));
    cargo.args(["build", "--quiet"]).current_dir(crate::root());
    cargo.args(names.iter().flat_map(|name| ["--example", name]));
    cargo.arg("--target-dir").arg(profile.parent().unwrap_or(profile));
    if profile.ends_with("release") {
        cargo.arg("--release");
    }
    match cargo.status()?.success() {
        true => Ok(profile.join("examples")),
        false => Err(io::Error::other("the programs do not compile")),
    }
}

/// Whether a file `my_NAME.rs` is a reader's own: git ignores it, too.
pub fn is_a_readers(file: &str) -> bool {
    file.starts_with("my_")
}

impl Program {
    /// Its path from the root, without an ending: `examples/fork`
    pub fn path(&self) -> String {
        format!("{}/{}", self.folder, self.name)
    }

    /// The words that its command in the first lines has behind ` -- `.
    pub fn arguments(&self) -> io::Result<Vec<String>> {
        let Some(file) = &self.rust else { return Ok(Vec::new()) };
        let text = fs::read_to_string(file)?;
        let start = format!("--example {} -- ", self.name);
        let words = text.lines().find_map(|line| Some(line.split_once(&start)?.1));
        Ok(words.unwrap_or_default().split_whitespace().map(String::from).collect())
    }

    /// The declaration stands in the Rust file, where there is one.
    pub fn expect(&self) -> Result<Expect, String> {
        let file = self.rust.as_ref().or(self.python.as_ref()).ok_or("no file")?;
        let text = fs::read_to_string(file).map_err(|e| e.to_string())?;
        let header = text.lines().take_while(|l| l.starts_with("//!") || l.starts_with('#'));
        let mut lines = header.filter_map(|line| Some(line.split_once("Expect: ")?.1));
        lines.next().map_or(Ok(Expect::default()), parse)
    }
}

fn parse(line: &str) -> Result<Expect, String> {
    let mut expect = Expect::default();
    for item in line.split(", ") {
        match item {
            "on a pipe" => expect.on_a_pipe = true,
            "needs python3" => expect.needs_python = true,
            "durations" => expect.durations = true,
            "for people" => expect.for_people = true,
            "lines in any order" => expect.any_order = vec![1..=usize::MAX],
            item if item.ends_with(" in any order") => expect.any_order.push(range(item)?),
            item => expect.ends = item.split(" or ").map(str::parse).collect::<Result<_, _>>()?,
        }
    }
    Ok(expect)
}

/// `lines 3-4 in any order`
fn range(item: &str) -> Result<RangeInclusive<usize>, String> {
    let numbers = item.trim_start_matches("lines ").trim_end_matches(" in any order");
    let range = numbers
        .split_once('-')
        .and_then(|(first, last)| Some(first.parse().ok()?..=last.parse().ok()?));
    range.ok_or(format!("Expect: `{item}` is not `lines 3-4 in any order`"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use nix::sys::signal::Signal;

    #[test]
    fn declarations_are_read() {
        let expect = parse("lines 3-4 in any order, on a pipe, exit status 3 or killed by SIGPIPE");
        let ends = vec![End::Exited(3), End::Killed(Signal::SIGPIPE)];
        let any_order = vec![3..=4];
        let expected = Expect { on_a_pipe: true, any_order, ends, ..Expect::default() };
        assert_eq!(expect, Ok(expected));
        assert!(parse("needs python3").is_ok_and(|expect| expect.needs_python));
        assert_eq!(parse("for people"), Ok(Expect { for_people: true, ..Expect::default() }));
    }

    #[test]
    fn a_folder_with_a_main_is_a_program() {
        let root = tempfile::TempDir::new().expect("a temporary folder");
        for folder in ["examples/chat", "project/examples"] {
            fs::create_dir_all(root.path().join(folder)).expect("a folder");
        }
        for file in ["chat/main.rs", "chat/main.py", "chat/route.rs", "fork.rs"] {
            fs::write(root.path().join("examples").join(file), "").expect("a file");
        }
        let programs = programs(root.path()).expect("they can be read");
        let names: Vec<_> = programs.iter().map(|program| program.name.as_str()).collect();
        assert_eq!(names, ["chat", "fork"]);
        assert!(programs[0].python.as_ref().is_some_and(|file| file.ends_with("chat/main.py")));
    }

    #[test]
    fn arguments_stand_in_the_command() {
        let folder = tempfile::TempDir::new().expect("a temporary folder");
        let file = folder.path().join("sum.rs");
        fs::write(&file, "//! Sums.\n//!\n//!     cargo run --example sum -- 1 2\n")
            .expect("it can be written");
        let program = Program { name: "sum".into(), rust: Some(file), ..Program::default() };
        assert_eq!(program.arguments().expect("it can be read"), ["1", "2"]);
    }

    #[test]
    fn a_mistyped_declaration_is_an_error() {
        for line in ["on a pip", "lines 3 in any order", "exit status x", "killed by SIGX"] {
            assert!(parse(line).is_err(), "{line}");
        }
    }
}
