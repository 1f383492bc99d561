//! The map of the book holds; and each of its checks was seen to fail.

use exercises::exercise::{Exercise, all};
use std::collections::HashSet;
use std::fs;
use std::path::Path;
use tempfile::TempDir;
use tests::book::faults;

#[test]
fn the_map_holds() {
    let faults = faults(&tests::root()).expect("the book can be read");
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

/// A small book without fault.
const FILES: &[(&str, &str)] = &[
    (
        "README.md",
        "[Start](book/index.md), then [pipe](book/pipe.md): `cargo run --example pipe`\n\
         Then [project](book/project.md)\n",
    ),
    (
        "book/SUMMARY.md",
        "# Summary\n\n[Start](index.md)\n\n- [Pipe](pipe.md)\n- [Project](project.md)\n",
    ),
    ("book/index.md", "# Start\n\n{{#include figures/index_road.svg}}\n"),
    (
        "book/figures/index_road.svg",
        "<svg>\n<title id=\"road-title\"/><desc id=\"road-desc\"/><a href=\"pipe.html\"/><a href=\"project.html\"/>\n</svg>\n",
    ),
    (
        "book/pipe.md",
        "# Pipe\n\n```console\n$ cargo run --example pipe\n{{#include ../examples/pipe.out}}\n```\n\n\
         <div class=\"file\">examples/pipe.rs</div>\n\n```rust\n{{#include ../examples/pipe.rs:ends}}\n```\n\n\
         {{#include figures/pipe.svg}}\n\n\
         ```console\n$ cargo exercise pipe_owner\n```\n\n\
         <div class=\"file\">exercises/solutions/pipe_owner.rs</div>\n\n```rust\n\
         {{#include ../exercises/solutions/pipe_owner.rs}}\n```\n",
    ),
    ("exercises/given/pipe_owner.rs", "//!     cargo exercise pipe_owner\n"),
    ("exercises/solutions/pipe_owner.rs", ""),
    (
        "book/figures/pipe.svg",
        "<svg>\n<title id=\"pipe-title\"/><desc id=\"pipe-desc\"/>\n</svg>\n",
    ),
    (
        "examples/pipe.rs",
        "//! Ends.\n//!\n//!     cargo run --example pipe\n\nfn main() {\n    // ANCHOR: ends\n    // ANCHOR_END: ends\n}\n",
    ),
    ("examples/pipe.py", "# python3 examples/pipe.py\ndef main():\n    pass\n"),
    ("examples/pipe.out", ""),
    (
        "book/project.md",
        "# Project\n\n<div class=\"file\">project/examples/project.rs</div>\n\n```rust\n\
         {{#include ../project/examples/project.rs}}\n```\n",
    ),
    (
        "project/examples/project.rs",
        "//! Uses it.\n//!\n//!     cargo run --example project -- 1\n\nfn main() {}\n",
    ),
    ("project/examples/project.out", ""),
    ("src/lib.rs", ""),
    ("benches/pipe.rs", ""),
];

/// A file, what is replaced in it by what, and what must be said.
const BREAKS: &[(&str, &str, &str, &str)] = &[
    ("book/SUMMARY.md", "- [Pipe]", "- [Ears](ears.md)\n- [Pipe]", "ears.md: No such file"),
    (
        "book/SUMMARY.md",
        "- [Pipe](pipe.md)\n",
        "",
        "examples/pipe: no chapter in SUMMARY.md has its key",
    ),
    (
        "book/pipe.md",
        "--example pipe",
        "--example pope",
        "book/pipe.md:4: there is no examples/pope.rs",
    ),
    (
        "book/pipe.md",
        "# Pipe",
        "`python3 examples/p.py`",
        "book/pipe.md:1: there is no examples/p.py",
    ),
    (
        "book/pipe.md",
        "{{#include ../examples/pipe.out}}",
        "hello",
        "book/pipe.md:5: a block holds an include",
    ),
    (
        "book/pipe.md",
        "```rust",
        "```c",
        "book/pipe.md:10: a block is rust, python, text or console",
    ),
    (
        "book/pipe.md",
        ">examples/pipe.rs<",
        "><",
        "book/pipe.md:11: the block does not say that it shows",
    ),
    ("book/pipe.md", ":ends", "", "examples/pipe.rs:6: the anchor `ends` is not used"),
    (
        "book/pipe.md",
        "{{#include figures/pipe.svg}}",
        "",
        "pipe.svg: the chapter of its key does not show it",
    ),
    ("book/figures/pipe.svg", "<title id=\"pipe-title\"/>", "", "pipe.svg: has no title"),
    ("book/figures/pipe.svg", "<desc id=\"pipe-desc\"/>", "", "pipe.svg: has no description"),
    ("book/figures/pipe.svg", "<svg>", "<svg fill=\"#fff\">", "pipe.svg: has a colour of its own"),
    ("book/figures/pipe.svg", "<svg>", "<svg>\n", "pipe.svg: has a blank line"),
    (
        "examples/pipe.rs",
        "    // ANCHOR_END: ends\n",
        "",
        "examples/pipe.rs:6: the anchor `ends` is not closed",
    ),
    (
        "examples/pipe.rs",
        "ANCHOR: ends",
        "ANCHOR: here",
        "examples/pipe.rs:6: the anchor `here` says nothing",
    ),
    ("examples/pipe.rs", "--example pipe", "", "examples/pipe.rs:1: its first lines do not tell"),
    (
        "examples/pipe.rs",
        "Ends.",
        "Ends. Expect: luck",
        "examples/pipe: Expect: `luck` is not known",
    ),
    ("examples/pipe.rs", "fn main", "fn other", "the twins differ: [\"other\"], [\"main\"]"),
    (
        "examples/pipe.py",
        "pass",
        "pass  # ..........................................................",
        "3: 70 letters wide; 64 fit",
    ),
    (
        "examples/pipe.py",
        "    pass",
        "    pass\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n    # 51",
        "examples/pipe.py: 51 lines; it may have 50",
    ),
    (
        "book/figures/index_road.svg",
        "pipe.html",
        "pip.html",
        "book/figures/index_road.svg: does not link pipe.html",
    ),
    ("README.md", "--example pipe", "--example pip", "README.md:1: there is no examples/pip.rs"),
    ("README.md", "book/pipe.md", "book/pip.md", "README.md: does not link book/pipe.md"),
    (
        "project/examples/project.rs",
        "--example project",
        "",
        "project/examples/project.rs:1: its first lines do not tell",
    ),
    (
        "book/pipe.md",
        "cargo exercise pipe_owner",
        "cargo exercise pipe_other",
        "book/pipe.md:17: there is no exercise pipe_other",
    ),
    (
        "book/pipe.md",
        "cargo exercise pipe_owner",
        "cargo exercise hint",
        "book/pipe.md: does not show `cargo exercise pipe_owner`",
    ),
    (
        "book/pipe.md",
        "{{#include ../exercises/solutions/pipe_owner.rs}}",
        "",
        "does not show `#include ../exercises/solutions/pipe_owner.rs`",
    ),
    (
        "exercises/given/pipe_owner.rs",
        "pipe_owner",
        "pipe",
        "pipe_owner.rs:1: its first lines do not tell `cargo exercise pipe_owner`",
    ),
    (
        "book/project.md",
        "project/examples/project.rs}}",
        "project/examples/projects.rs}}",
        "the block does not say that it shows project/examples/projects.rs",
    ),
];

#[test]
fn each_break_is_said() {
    for (file, old, new, fault) in BREAKS {
        let root = small_book();
        let path = root.path().join(file);
        let text = fs::read_to_string(&path).expect("it was written");
        assert!(text.contains(old), "{file} has no {old}");
        fs::write(path, text.replacen(old, new, 1)).expect("it can be written");
        assert_said(root.path(), fault);
    }
}

#[test]
fn each_missing_or_lost_file_is_said() {
    let root = small_book();
    fs::remove_file(root.path().join("examples/pipe.out")).expect("it was written");
    assert_said(root.path(), "examples/pipe.out is missing");
    fs::write(root.path().join("examples/lost.out"), "").expect("it can be written");
    assert_said(root.path(), "examples/lost.out: there is no such program");
    fs::rename(root.path().join("examples/pipe.rs"), root.path().join("examples/pipe_end.rs"))
        .expect("it was written");
    assert_said(root.path(), "book/pipe.md: does not show the program pipe_end");
    fs::remove_file(root.path().join("examples/pipe.py")).expect("it was written");
    assert_said(root.path(), "book/pipe.md: its program pipe.rs is missing");
}

#[test]
fn a_program_in_the_wrong_folder_is_said() {
    let root = small_book();
    let (from, to) = ("project/examples/project", "examples/project");
    for ending in ["rs", "out"] {
        let path = |name: &str| root.path().join(format!("{name}.{ending}"));
        fs::rename(path(from), path(to)).expect("it was written");
    }
    assert_said(root.path(), "examples/project: programs of project are in project/examples/");
}

#[test]
fn a_program_of_the_readers_is_left_alone() {
    let root = small_book();
    let wide = "x".repeat(100);
    for file in ["examples/my_x.rs", "examples/my_x.py", "project/examples/my_x.rs"] {
        fs::write(root.path().join(file), format!("does not compile {wide}\n// ANCHOR: here\n"))
            .expect("it can be written");
    }
    fs::write(root.path().join("examples/my_lost.out"), "").expect("it can be written");
    let page = root.path().join("book/pipe.md");
    let text = fs::read_to_string(&page).expect("it was written");
    fs::write(page, text + "`cargo run --example my_x`\n").expect("it can be written");
    assert_eq!(faults(root.path()).expect("it can be read"), Vec::<String>::new());
}

/// What the appendix quotes of the compiler is what the mistakes of `compile_fail` get.
#[test]
fn the_compiler_is_quoted() {
    let folder = tests::root().join("tests/compile_fail");
    let files = fs::read_dir(folder).expect("it is there").map(|entry| entry.expect("a file"));
    let messages: Vec<_> = files
        .filter(|entry| entry.path().extension().is_some_and(|ending| ending == "stderr"))
        .map(|entry| fs::read_to_string(entry.path()).expect("it can be read"))
        .collect();
    for quote in quotes("| The compiler says |") {
        assert!(messages.iter().any(|message| message.contains(&quote)), "nobody says: {quote}");
    }
}

/// What it quotes of the crate stands in its errors; `…` is left out.
#[test]
fn the_errors_are_quoted() {
    let source = fs::read_to_string(tests::root().join("src/error.rs")).expect("it is there");
    let texts = source.replace("\\\n", " ").split_whitespace().collect::<Vec<_>>().join(" ");
    let quotes = quotes("| It says |");
    for quote in &quotes {
        let parts: Vec<_> = quote.split('…').map(|part| part.trim().to_string()).collect();
        assert!(parts.iter().all(|part| texts.contains(part)), "no error says: {quote}");
    }
    assert_eq!(quotes.len(), source.matches("#[error(").count(), "a row for each error");
}

/// The first column of a table in the appendix, without the marks of code.
fn quotes(header: &str) -> Vec<String> {
    let page = tests::root().join("book/project.md");
    let page = fs::read_to_string(page).expect("the appendix can be read");
    let table = page.lines().skip_while(|line| !line.starts_with(header)).skip(2);
    let rows = table.map_while(|line| line.strip_prefix("| "));
    let cells = rows.filter_map(|row| row.split_once(" | ")).map(|(cell, _)| cell);
    let quotes: Vec<_> = cells.map(|cell| cell.trim_matches('`').trim().to_string()).collect();
    assert!(quotes.len() > 10, "{header}: {quotes:?}");
    quotes
}

/// Each exercise is at the end of its chapter: what to do, its file, its command, its solution.
#[test]
fn the_exercises_are_shown() {
    let faults: Vec<_> = all().flat_map(exercise_faults).collect();
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

fn exercise_faults(exercise: &Exercise) -> Vec<String> {
    let (name, root) = (exercise.name, tests::root());
    let chapter = format!("book/{}.md", exercise.chapter);
    let text = fs::read_to_string(root.join(&chapter)).expect("the chapter can be read");
    let headings = text.lines().filter(|line| line.starts_with('#'));
    let headings: HashSet<_> = headings.filter_map(|line| line.split(" {#").next()).collect();
    let section = text.split("\n## Exercises\n").nth(1).unwrap_or_default();
    let section = section.split("\n## What to remember\n").next().unwrap_or_default();
    let shows = |what: &str| section.lines().any(|line| line == what);
    let is_given = |what: &str| exercise.given.contains(what);
    let widest = |code: &str| code.lines().map(|line| line.chars().count()).max() <= Some(64);
    let looked_at = ["##", "###"].map(|mark| format!("{mark} {}", exercise.look));
    let demands = [
        (
            looked_at.iter().any(|look| headings.contains(look.as_str())),
            "has no heading to look at",
        ),
        (shows(&format!("$ cargo exercise {name}")), "does not show the command"),
        (section.contains(&format!("`exercises/{name}.rs`")), "does not name the file"),
        (is_given(&format!("//!     cargo exercise {name}\n")), "is not told how to check it"),
        (widest(exercise.solution), "has too wide a solution"),
        (exercise.goal.chars().count() <= 80, "has too long a goal"),
        ((2..=3).contains(&exercise.hints.len()), "has not two hints or three"),
    ];
    let faults = demands.into_iter().filter(|(holds, _)| !holds);
    faults.map(|(_, fault)| format!("{chapter}: the exercise {name} {fault}")).collect()
}

fn assert_said(root: &Path, fault: &str) {
    let said = match faults(root) {
        Ok(faults) => faults.join("\n"),
        Err(error) => error.to_string(),
    };
    assert!(said.contains(fault), "expected: {fault}\nsaid:\n{said}");
}

fn small_book() -> TempDir {
    let root = TempDir::new().expect("a temporary folder");
    for (file, text) in FILES {
        let path = root.path().join(file);
        fs::create_dir_all(path.parent().expect("a folder")).expect("it can be made");
        fs::write(path, text).expect("it can be written");
    }
    assert_eq!(faults(root.path()).expect("it can be read"), Vec::<String>::new());
    root
}
