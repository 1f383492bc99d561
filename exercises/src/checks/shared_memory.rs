//! The exercises of the chapter `shared_memory`.

use crate::exercise;
use crate::exercise::{Exercise, Verdict};
use crate::see::{Program, expect};
use crate::seen::{End, Seen};
use crate::watch::Act;
use std::fs;
use std::path::PathBuf;

pub const EXERCISES: &[Exercise] = &[
    exercise!(
        "shared_memory_letters", "shared_memory",
        look: "How an addition gets lost",
        goal: "Count letters in several processes, and lose none.",
        hints: [
            "Each child stores all 26 numbers, also those that another child has changed meanwhile.",
            "Look, add and store belong together, under one guard of the array.",
            "Count into an array of the child's own, `[0; 26]`, and add that to the shared one at the end.",
        ],
        letters
    ),
    exercise!(
        "shared_memory_page", "shared_memory",
        look: "What does the parent see?",
        goal: "Make numbers that a parent and its forked children share.",
        hints: [
            "A child's store changes its own copy of the page. What has to be said when the page is mapped?",
            "`number_in` in examples/shared_memory_nix.rs makes one number. This needs room for `count` of them.",
            "`mmap_anonymous` with `MAP_SHARED` returns the address of the first; `std::slice::from_raw_parts` makes a slice of it.",
        ],
        page
    ),
    exercise!(
        "shared_memory_name", "shared_memory",
        look: "Who removes the name after a crash?",
        goal: "Leave no name in /dev/shm, and take nobody else's.",
        hints: [
            "Who removes the name if the program returns early, by `?`, or is killed?",
            "A file in /dev/shm has nobody to look after it. Which type of the crate makes a block with a name, and has a tracker?",
            "`SharedMemory::create` is an error if the name exists, and its handle removes the name.",
        ],
        name
    ),
];

fn letters(program: &Program) -> Verdict {
    let runs = [&["abba", "cabc"][..], &["banana", "ananas", "nab"]];
    runs.into_iter().try_for_each(|texts| {
        let seen = program.meet(texts)?;
        seen.succeeded()?;
        seen.has_children(texts.len())?;
        letters_are_counted(&seen, &texts.concat())?;
        seen.children_ended_with(End::Exited(0))?;
        seen.worked_in_children("place", texts.iter().map(|text| kinds(text)).sum())?;
        seen.waited_for_all()
    })
}

/// How many different letters it has.
fn kinds(text: &str) -> usize {
    ('a'..='z').filter(|letter| text.contains(*letter)).count()
}

fn letters_are_counted(seen: &Seen, all: &str) -> Verdict {
    let count = |letter: char| all.chars().filter(|other| *other == letter).count();
    let letters = ('a'..='z').filter(|letter| count(*letter) > 0);
    let expected: Vec<_> = letters.map(|letter| format!("{letter} {}", count(letter))).collect();
    let numbers = seen.lines().into_iter().filter_map(|line| line.split(' ').nth(1));
    let counted: usize = numbers.filter_map(|number| number.parse::<usize>().ok()).sum();
    let printed = seen.printed(&expected.iter().map(String::as_str).collect::<Vec<_>>());
    printed.map_err(|error| match counted {
        0 => error,
        counted => format!("{error}So of {} letters it counted {counted}.", all.len()),
    })
}

fn page(program: &Program) -> Verdict {
    [&["one"][..], &["banana", "apple", "fig"]].into_iter().try_for_each(|texts| {
        let seen = program.run(texts)?;
        seen.has_processes(1 + texts.len())?;
        seen.has_children(texts.len())?;
        seen.waited_for_all()?;
        seen.children_ended_with(End::Exited(0))?;
        let lines: Vec<_> = texts.iter().map(|text| format!("{text} {}", text.len())).collect();
        seen.printed(&lines.iter().map(String::as_str).collect::<Vec<_>>())?;
        seen.left_no_names()?;
        expect(seen.children().all(|child| child.execs == 0), || {
            "The children should come from `fork`, and start no other program.".into()
        })?;
        seen.succeeded()?;
        seen.worked_in_children("letters", texts.len())?;
        page_of_the_dead(program, texts)
    })
}

/// Each child is killed before its first instruction, and so it stores nothing.
fn page_of_the_dead(program: &Program, texts: &[&str]) -> Verdict {
    let mut killed = 0;
    let seen = program.watch(texts, |live| match live.processes.len() - 1 {
        count if count > killed => {
            killed += 1;
            Act::Kill(killed)
        }
        _ => Act::Nothing,
    });
    let printed = seen.map_or(String::new(), |seen| seen.stdout); // it may end with an error
    let is_stored =
        |text: &&&str| printed.lines().any(|line| line == format!("{text} {}", text.len()));
    texts.iter().find(is_stored).map_or(Ok(()), |text| {
        Err(format!(
            "The check killed each child before its first instruction. Your program printed “{text} \
             {}” nevertheless, so it does not print what the child has stored.",
            text.len()
        ))
    })
}

fn name(program: &Program) -> Verdict {
    let block = Name::new()?;
    let seen = program.run(&[&block.name, "hello"])?;
    seen.succeeded()?;
    seen.printed(&["the child read: hello"])?;
    seen.each_printed_by_a_child(&["the child read: hello"])?;
    block.is_gone("when it had ended")?;
    kill(program, &block, false)?;
    block.is_gone("when its child was killed")?;
    nobody_elses(program, &block)?;
    kill(program, &block, true)?;
    block.is_gone("when it was killed itself, while its child ran")
}

/// Kills each process that it spawns, or itself as soon as it has spawned one.
fn kill(program: &Program, block: &Name, itself: bool) -> Verdict {
    let mut killed = Vec::new();
    let seen = program.watch(&[&block.name, "hello"], |live| {
        let mut started = (1..live.processes.len()).filter(|i| live.processes[*i].execs > 0);
        started.find(|place| !killed.contains(place)).map_or(Act::Nothing, |place| {
            killed.push(place);
            Act::Kill(if itself { 0 } else { place })
        })
    });
    seen.map(drop)
}

/// There is a block of that name already.
fn nobody_elses(program: &Program, block: &Name) -> Verdict {
    fs::write(&block.path, "theirs").map_err(|error| error.to_string())?;
    let seen = program.run(&[&block.name, "hello"])?;
    let left = fs::read_to_string(&block.path);
    expect(left.as_deref().is_ok_and(|text| text == "theirs"), || {
        let now = left.map_or("was gone".into(), |text| format!("held {text:?}"));
        format!(
            "There was a block {} with \"theirs\" in it, so it belonged to somebody else. When your \
             program had ended, it {now}.",
            block.path.display()
        )
    })?;
    expect(seen.main().end != Some(End::Exited(0)), || {
        "There was a block of that name, so your program should end with an error, but it ended \
         with exit status 0."
            .into()
    })?;
    fs::remove_file(&block.path).map_err(|error| error.to_string())
}

/// A name that nobody has. It is gone when this is.
struct Name {
    name: String,
    path: PathBuf,
}

impl Name {
    fn new() -> Result<Self, String> {
        let name = format!("exercise-{}", std::process::id());
        let path = PathBuf::from("/dev/shm").join(&name);
        match fs::exists(&path) {
            Ok(false) => Ok(Self { name, path }),
            _ => Err(format!("{} is in the way: remove it, please.", path.display())),
        }
    }

    fn is_gone(&self, when: &str) -> Verdict {
        expect(!self.path.exists(), || format!("{} was still there {when}.", self.path.display()))
    }
}

impl Drop for Name {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}
