//! Peers measured in turns, A B C A B C …, so that what disturbs the machine for a while
//! disturbs all of them; and the table of what came out.

use std::io::{self, Write};
use std::ops::RangeInclusive;

/// How often it is each peer's turn.
pub const ROUNDS: usize = 7;

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
    let mut table = head(title, columns);
    for line in lines {
        let mut cells = vec![crate::duration(line.time())];
        for number in 1..columns.len() {
            cells.push(line.ratio(number).map_or("—".into(), |(ratio, _)| crate::ratio(ratio)));
        }
        table += &row(&line.label, &cells);
    }
    table + "\n"
}

/// How many messages a second pass through each peer, if the figures are times of one.
pub fn rates(title: &str, columns: &[&str], lines: &[Line]) -> String {
    let mut table = head(title, columns);
    for line in lines {
        let rate = |time: f64| format!("{:.1}\u{a0}million", 1e3 / time);
        let cells: Vec<String> =
            (0..columns.len()).map(|peer| line.median(peer).map_or("—".into(), rate)).collect();
        table += &row(&line.label, &cells);
    }
    table + "\n"
}

fn head(title: &str, columns: &[&str]) -> String {
    row(title, columns) + "|---" + &"|--:".repeat(columns.len()) + "|\n"
}

fn row(label: &str, cells: &[impl AsRef<str>]) -> String {
    let cells: String = cells.iter().map(|cell| format!(" {} |", cell.as_ref())).collect();
    format!("| {} |{cells}\n", label.replace(' ', "\u{a0}"))
}

/// Of at least one number.
fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    let (low, high) = ((numbers.len() - 1) / 2, numbers.len() / 2);
    (numbers[low] + numbers[high]) / 2.0
}
