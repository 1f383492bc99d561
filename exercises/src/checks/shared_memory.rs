//! The exercises of the chapter `shared_memory`.

use crate::exercise;
use crate::exercise::{Exercise, Verdict};
use crate::see::{Program, expect};
use crate::watch::End;

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
];

fn letters(program: &Program) -> Verdict {
    for texts in [&["abba", "cabc"][..], &["banana", "ananas", "nab"]] {
        let seen = program.run(texts)?;
        seen.succeeded()?;
        seen.has_children(texts.len())?;
        let all = texts.concat();
        let count = |letter: char| all.chars().filter(|other| *other == letter).count();
        let letters = ('a'..='z').filter(|letter| count(*letter) > 0);
        let expected: Vec<_> =
            letters.map(|letter| format!("{letter} {}", count(letter))).collect();
        let expected: Vec<_> = expected.iter().map(String::as_str).collect();
        let numbers = seen.lines().into_iter().filter_map(|line| line.split(' ').nth(1));
        let counted: usize = numbers.filter_map(|number| number.parse::<usize>().ok()).sum();
        let printed = seen.printed(&expected);
        printed.map_err(|error| match counted {
            0 => error,
            counted => format!("{error}So of {} letters it counted {counted}.", all.len()),
        })?;
        seen.children_ended_with(End::Exited(0))?;
        seen.waited_for_all()?;
    }
    Ok(())
}

fn page(program: &Program) -> Verdict {
    for texts in [&["one"][..], &["banana", "apple", "fig"]] {
        let seen = program.run(texts)?;
        seen.has_processes(1 + texts.len())?;
        seen.has_children(texts.len())?;
        seen.waited_for_all()?;
        seen.children_ended_with(End::Exited(0))?;
        let expected: Vec<_> = texts.iter().map(|text| format!("{text} {}", text.len())).collect();
        seen.printed(&expected.iter().map(String::as_str).collect::<Vec<_>>())?;
        expect(seen.children().all(|child| child.execs == 0), || {
            "The children should come from `fork`, and start no other program.".into()
        })?;
        seen.succeeded()?;
    }
    Ok(())
}
