//! Peers measured in turns, A B C A B C …, so that what disturbs the machine for a while
//! disturbs all of them; and the table of what came out.

use std::io::{self, Write};
use std::ops::RangeInclusive;

/// How often it is each peer's turn.
pub const ROUNDS: usize = 5;

/// What the peers took, in nanoseconds: for each peer, one figure a round, or none if it has no
/// such form.
pub struct Line {
    label: String,
    peers: Vec<Vec<f64>>,
}

/// Measures each of the peers once in each round. A peer gives so many figures, and each of them
/// becomes a line.
pub fn in_turns<const FIGURES: usize>(
    labels: [String; FIGURES],
    rounds: usize,
    peers: &[&dyn Fn() -> Option<[f64; FIGURES]>],
) -> [Line; FIGURES] {
    let mut lines = labels.map(|label| Line { label, peers: vec![Vec::new(); peers.len()] });
    for _ in 0..rounds {
        for (number, peer) in peers.iter().enumerate() {
            for (line, figure) in lines.iter_mut().zip(peer().into_iter().flatten()) {
                line.peers[number].push(figure);
            }
        }
    }
    lines
}

/// A peer that gives one figure, or none if it has no such form.
pub type Peer<'a> = Box<dyn Fn() -> Option<f64> + 'a>;

/// The line of such peers.
pub fn one_line(label: &str, rounds: usize, peers: &[Peer]) -> Line {
    let measures: Vec<_> = peers.iter().map(|peer| move || Some([peer()?])).collect();
    let in_turn: Vec<&dyn Fn() -> Option<[f64; 1]>> =
        measures.iter().map(|peer| peer as _).collect();
    let [line] = in_turns([label.into()], rounds, &in_turn);
    line
}

impl Line {
    /// The time of the first peer.
    pub fn time(&self) -> f64 {
        median(self.peers[0].clone())
    }

    /// How many times as long a peer took as the first one in the same round: the median, and the
    /// least and the most.
    pub fn ratio(&self, peer: usize) -> Option<(f64, RangeInclusive<f64>)> {
        let pairs = self.peers[peer].iter().zip(&self.peers[0]);
        let ratios: Vec<f64> = pairs.map(|(time, first)| time / first).collect();
        let least = ratios.iter().copied().reduce(f64::min)?;
        let most = ratios.iter().copied().reduce(f64::max)?;
        Some((median(ratios), least..=most))
    }

    /// The median time of a peer.
    pub fn median(&self, peer: usize) -> Option<f64> {
        Some(&self.peers[peer]).filter(|times| !times.is_empty()).cloned().map(median)
    }

    /// Says what came out, with the spread that the table leaves out.
    pub fn print(&self, columns: &[&str]) {
        println!("{}: {} {}", self.label, columns[0], crate::duration(self.time()));
        for (number, column) in columns.iter().enumerate().skip(1) {
            if let Some((ratio, spread)) = self.ratio(number) {
                let (least, most) = (crate::ratio(*spread.start()), crate::ratio(*spread.end()));
                println!("    {column}: {} ({least} to {most})", crate::ratio(ratio));
            }
        }
        let _ = io::stdout().flush();
    }
}

/// The time of the first peer, and the ratio of the others to it.
pub fn table(title: &str, columns: &[&str], lines: &[Line]) -> String {
    grid(title, columns, lines, |line, peer| match peer {
        0 => Some(crate::duration(line.time())),
        _ => line.ratio(peer).map(|(ratio, _)| crate::ratio(ratio)),
    })
}

/// The time of each peer.
pub fn times(title: &str, columns: &[&str], lines: &[Line]) -> String {
    grid(title, columns, lines, |line, peer| line.median(peer).map(crate::duration))
}

/// How many messages a second pass through each peer, if the figures are times of one.
pub fn rates(title: &str, columns: &[&str], lines: &[Line]) -> String {
    grid(title, columns, lines, |line, peer| line.median(peer).map(rate))
}

/// A table with a line for each peer: its time, how many that makes in a second, and how many times
/// as many as the first.
pub fn ranking(line: &Line, peers: &[&str]) -> String {
    let mut table = head(&line.label, &["time", "in a second", "times as many"]);
    for (number, peer) in peers.iter().enumerate() {
        let cells = |time| {
            let (ratio, _) = line.ratio(number)?;
            let times = 1.0 / ratio;
            let times = if times < 100.0 { crate::ratio(times) } else { crate::two_digits(times) };
            Some([crate::duration(time), rate(time), times])
        };
        table += &match line.median(number).and_then(cells) {
            Some(cells) => row(peer, &cells),
            None => row(peer, &["—"; 3]),
        };
    }
    table + "\n"
}

/// A table with a cell for each line and peer. A peer without a figure has none.
pub fn grid(
    title: &str,
    columns: &[&str],
    lines: &[Line],
    cell: impl Fn(&Line, usize) -> Option<String>,
) -> String {
    let mut table = head(title, columns);
    for line in lines {
        let cells = (0..columns.len()).map(|peer| cell(line, peer).unwrap_or("—".into()));
        table += &row(&line.label, &cells.collect::<Vec<_>>());
    }
    table + "\n"
}

/// `3.1 million`, from the time of one in nanoseconds
pub fn rate(nanoseconds: f64) -> String {
    match 1e9 / nanoseconds {
        rate @ 1e7.. => format!("{}\u{a0}million", crate::two_digits(rate / 1e6)),
        rate @ 1e6.. => format!("{:.1}\u{a0}million", rate / 1e6),
        rate => crate::two_digits(rate),
    }
}

fn head(title: &str, columns: &[&str]) -> String {
    row(title, columns) + "|---" + &"|--:".repeat(columns.len()) + "|\n"
}

fn row(label: &str, cells: &[impl AsRef<str>]) -> String {
    let cells: String = cells.iter().map(|cell| format!(" {} |", cell.as_ref())).collect();
    format!("| {label} |{cells}\n")
}

/// Of at least one number.
fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    let (low, high) = ((numbers.len() - 1) / 2, numbers.len() / 2);
    (numbers[low] + numbers[high]) / 2.0
}
