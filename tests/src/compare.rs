//! Compares what a program printed with its `.out`: equal, but for process ids,
//! each of which stands for the same process throughout, and for what the
//! program declares.

use crate::program::Expect;
use std::ops::RangeInclusive;

/// A piece of a line.
#[derive(Clone, Debug, PartialEq)]
enum Piece {
    Text(String),
    /// A process id: a number after one of `ID_WORDS`.
    Id(String),
    Duration,
}

type Line = Vec<Piece>;

/// `pid 12`, `Pid(12)`, `process id: 12`, `process 12`, and a panic's `thread 'main' (12)`,
/// also in a manager
const ID_WORDS: &[&str] = &["pid", "ppid", "id", "process", "main", "manager"];

/// Says how the two differ, if they do.
pub fn compare(recorded: &str, printed: &str, expect: &Expect) -> Result<(), String> {
    let split = |text: &str| text.lines().map(|l| pieces(l, expect.durations)).collect::<Vec<_>>();
    if same(&split(recorded), split(printed), &expect.any_order, 1, &mut Vec::new()) {
        return Ok(());
    }
    Err(format!("--- recorded\n{recorded}--- printed\n{printed}---"))
}

/// The pairs of ids that stand for the same process.
type Roles = Vec<(String, String)>;

/// Whether the lines from number `n` on agree. A line in a free range may
/// agree with any printed line of that range that is left.
fn same(
    recorded: &[Line],
    printed: Vec<Line>,
    free: &[RangeInclusive<usize>],
    n: usize,
    roles: &mut Roles,
) -> bool {
    let Some((line, rest)) = recorded.split_first() else { return printed.is_empty() };
    let range = free.iter().find(|range| range.contains(&n));
    let last = range.map_or(0, |range| range.end().saturating_sub(n));
    (0..printed.len().min(last.saturating_add(1))).any(|at| {
        let mut roles = roles.clone();
        let mut left = printed.clone();
        let candidate = left.remove(at);
        same_line(line, &candidate, &mut roles) && same(rest, left, free, n + 1, &mut roles)
    })
}

fn same_line(recorded: &Line, printed: &Line, roles: &mut Roles) -> bool {
    let pairs = || recorded.iter().zip(printed);
    recorded.len() == printed.len()
        && pairs().all(|pair| match pair {
            (Piece::Id(a), Piece::Id(b)) => same_role(a, b, roles),
            (a, b) => a == b,
        })
}

/// One id, one process; one process, one id.
fn same_role(recorded: &str, printed: &str, roles: &mut Roles) -> bool {
    match roles.iter().find(|(a, b)| a == recorded || b == printed) {
        Some((a, b)) => a == recorded && b == printed,
        None => {
            roles.push((recorded.to_string(), printed.to_string()));
            true
        }
    }
}

fn pieces(line: &str, durations: bool) -> Line {
    let mut line_pieces = Vec::new();
    let mut text = String::new();
    let mut rest = line;
    while let Some(start) = rest.find(|c: char| c.is_ascii_digit()) {
        text.push_str(&rest[..start]);
        let number = &rest[start..];
        let end = number.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(number.len());
        let digits = number[..end].trim_end_matches('.');
        rest = &number[digits.len()..];
        let piece = match () {
            () if is_id(&text) => Piece::Id(digits.to_string()),
            () if durations && is_duration(rest) => Piece::Duration,
            () => {
                text.push_str(digits);
                continue;
            }
        };
        line_pieces.extend([Piece::Text(std::mem::take(&mut text)), piece]);
    }
    line_pieces.push(Piece::Text(text + rest));
    line_pieces
}

fn is_id(before: &str) -> bool {
    let before = before.trim_end_matches([' ', ':', '=', '(', '\'']);
    let word = before.rsplit(|c: char| !c.is_alphanumeric()).next().unwrap_or("");
    ID_WORDS.contains(&word.to_lowercase().as_str())
}

fn is_duration(after: &str) -> bool {
    let unit = after.trim_start().split(|c: char| !c.is_alphabetic()).next().unwrap_or("");
    ["s", "ms", "µs", "seconds"].contains(&unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn agree(recorded: &str, printed: &str, expect: &Expect) -> bool {
        compare(recorded, printed, expect).is_ok()
    }

    #[test]
    fn lines_are_equal_and_in_order() {
        let expect = Expect::default();
        assert!(agree("a\nb 1\n", "a\nb 1\n", &expect));
        assert!(!agree("a\nb\n", "b\na\n", &expect));
        assert!(!agree("a\n", "a\na\n", &expect));
        assert!(!agree("a\na\n", "a\n", &expect));
        assert!(!agree("5000 messages\n", "5001 messages\n", &expect));
        assert!(!agree("took 1.5 s\n", "took 1.6 s\n", &expect));
    }

    #[test]
    fn an_id_stands_for_one_process() {
        let expect = Expect::default();
        let recorded = "pid 4127\nPid(4127) of process id: 4100\n";
        assert!(agree(recorded, "pid 12\nPid(12) of process id: 1\n", &expect));
        assert!(!agree(recorded, "pid 12\nPid(13) of process id: 1\n", &expect));
        assert!(!agree(recorded, "pid 12\nPid(12) of process id: 12\n", &expect));
    }

    #[test]
    fn only_what_is_declared_is_free() {
        let any_order = Expect { any_order: vec![2..=3], ..Default::default() };
        assert!(agree("a\nb\nc\nd\n", "a\nc\nb\nd\n", &any_order));
        assert!(!agree("a\nb\nc\nd\n", "b\na\nc\nd\n", &any_order));
        assert!(!agree("a\nb\nc\nd\n", "a\nb\nd\nc\n", &any_order));
        let both = Expect { any_order: vec![1..=2, 3..=4], ..Default::default() };
        assert!(agree("a\nb\nc\nd\n", "b\na\nd\nc\n", &both));
        assert!(!agree("a\nb\nc\nd\n", "a\nc\nb\nd\n", &both));
        let durations = Expect { durations: true, ..Default::default() };
        assert!(agree("2 tasks: 1.5 s\n", "2 tasks: 1.61 s\n", &durations));
        assert!(!agree("2 tasks: 1.5 s\n", "3 tasks: 1.5 s\n", &durations));
    }
}
