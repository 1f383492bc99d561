//! The tables of costs as pictures: a bar for each time, on a logarithmic scale,
//! as an SVG in the classes of the book's figures.

use crate::choices::Choice;
use crate::plot::{Axis, text};

/// One line of a table, or one cell of a table of ratios.
struct Bar {
    label: String,
    nanoseconds: f64,
}

/// Bars below a title of their own.
struct Group {
    title: String,
    bars: Vec<Bar>,
}

/// How much place labels and bars take.
struct Layout {
    left: f64,
    /// From one bar to the next.
    step: f64,
    /// From the top of a step to its bar.
    above: f64,
}

const RIGHT: f64 = 335.0;
const THICK: f64 = 9.0;
/// With longer ones, the labels stand above their bars.
const SHORT_LABEL: usize = 22;
const BESIDE: Layout = Layout { left: 142.0, step: 15.0, above: 3.0 };
const ABOVE: Layout = Layout { left: 22.0, step: 31.0, above: 17.0 };

/// Draws the tables in the text of `benches/KEY.md`.
pub fn draw(key: &str, tables: &str) -> String {
    let groups = groups(key, tables);
    let all = || groups.iter().flat_map(|group| &group.bars);
    let short = all().all(|bar| bar.label.chars().count() <= SHORT_LABEL);
    let layout = if short { BESIDE } else { ABOVE };
    let axis = Axis::around(all().map(|bar| bar.nanoseconds), layout.left, RIGHT);
    let (mut bars, mut y) = (String::new(), 4.0);
    for group in &groups {
        if !group.title.is_empty() {
            bars += &text(8.0, y + 16.0, "name small", &escaped(&group.title));
            y += 22.0;
        }
        for bar in &group.bars {
            bars += &bar.draw(y, &layout, &axis, group.title.contains("Python"));
            y += layout.step;
        }
        y += 6.0;
    }
    let name = format!("{key}_costs");
    head(&name, y + 24.0, &groups) + &scale(&axis, y) + &bars + "</svg>\n"
}

impl Bar {
    fn draw(&self, y: f64, layout: &Layout, axis: &Axis, all_python: bool) -> String {
        let (left, top) = (layout.left, y + layout.above);
        let end = axis.place(self.nanoseconds);
        let is_python = all_python || self.label.contains("Python");
        let class = if is_python { "bar other" } else { "bar" };
        let label = match layout.step == BESIDE.step {
            true => text(left - 6.0, top + THICK - 1.0, "small end", &escaped(&self.label)),
            false => text(left, top - 4.0, "small", &escaped(&self.label)),
        };
        let time = text(end + 5.0, top + THICK - 1.0, "small", &crate::duration(self.nanoseconds));
        let width = (end - left).max(2.0);
        format!(
            "<rect class=\"{class}\" x=\"{left}\" y=\"{top:.0}\" width=\"{width:.0}\" \
             height=\"{THICK}\"/>{label}{time}"
        )
    }
}

/// A thin line at each power of ten, and what it stands for, where there is room.
fn scale(axis: &Axis, bottom: f64) -> String {
    let mut svg = String::new();
    let mut free = 0.0;
    for power in axis.powers() {
        let x = axis.place(power);
        svg += &format!("<path class=\"grid\" d=\"M{x:.0} 4V{bottom:.0}\"/>");
        if x < free {
            continue;
        }
        free = x + 46.0;
        svg += &text(x, bottom + 16.0, "small middle", &round_duration(power));
    }
    svg
}

/// With the figures in words, for those who do not see the picture.
fn head(name: &str, height: f64, groups: &[Group]) -> String {
    let say = |bar: &Bar| format!("{}: {}", bar.label, crate::duration(bar.nanoseconds));
    let say_all = |group: &Group| {
        let bars: Vec<String> = group.bars.iter().map(say).collect();
        let title = if group.title.is_empty() { "" } else { &format!("{} – ", group.title) };
        format!("{title}{}.", bars.join("; "))
    };
    let words: Vec<String> = groups.iter().map(say_all).collect();
    format!(
        "<svg viewBox=\"0 0 400 {height:.0}\" role=\"img\" aria-labelledby=\"{name}-title {name}-desc\" \
         xmlns=\"http://www.w3.org/2000/svg\">\n<title id=\"{name}-title\">What it costs, on a logarithmic \
         scale</title>\n<desc id=\"{name}-desc\">{}</desc>\n",
        escaped(&words.join(" "))
    )
}

/// A table of times is one group; of a table with peers side by side, each line is one.
fn groups(key: &str, tables: &str) -> Vec<Group> {
    let choice = Choice::of(key);
    let mut groups = Vec::new();
    for table in tables.split("\n\n") {
        let mut lines = table.lines().filter(|line| line.starts_with('|')).map(cells);
        let (Some(head), Some(_)) = (lines.next(), lines.next()) else { continue };
        let lines = lines.filter(|line| choice.is_none_or(|choice| choice.has_line(&line[0])));
        match head.get(1).is_some_and(|second| second == "time") {
            true => {
                let title = if head[0] == "what" { "" } else { &head[0] };
                groups.push(Group { title: title.into(), bars: lines.filter_map(time).collect() })
            }
            false => groups.extend(lines.filter_map(|line| side_by_side(choice, &head, &line))),
        }
    }
    groups.retain(|group| !group.bars.is_empty());
    groups
}

fn cells(line: &str) -> Vec<String> {
    let line = line.replace('`', "").replace('\u{a0}', " ");
    line.trim_matches('|').split('|').map(|cell| cell.trim().to_string()).collect()
}

/// `| start a thread | 9.9 µs | 1.0 |`
fn time(line: Vec<String>) -> Option<Bar> {
    Some(Bar { label: line.first()?.clone(), nanoseconds: nanoseconds(line.get(1)?)? })
}

/// `| 8 B | 410 ns | 1.3 | — | 7.4 µs |`: the time of the first; of the others the time or the
/// ratio, if they have one.
fn side_by_side(choice: Option<&Choice>, head: &[String], line: &[String]) -> Option<Group> {
    let first = nanoseconds(line.get(1)?)?;
    let is_shown = |peer: &str| choice.is_none_or(|choice| choice.has_peer(peer));
    let time = |cell: &str| nanoseconds(cell).or(cell.parse().ok().map(|ratio: f64| first * ratio));
    let peers = head.iter().zip(line).skip(1).filter(|(peer, _)| is_shown(peer));
    let bars = peers
        .filter_map(|(peer, cell)| Some(Bar { label: peer.clone(), nanoseconds: time(cell)? }));
    Some(Group { title: format!("{}, {}", head.first()?, line.first()?), bars: bars.collect() })
}

/// `9.9 µs` as 9900
fn nanoseconds(duration: &str) -> Option<f64> {
    let (number, unit) = duration.split_once(' ')?;
    let unit = match unit {
        "ns" => 1.0,
        "µs" => 1e3,
        "ms" => 1e6,
        "s" => 1e9,
        _ => return None,
    };
    Some(number.parse::<f64>().ok()? * unit)
}

fn round_duration(nanoseconds: f64) -> String {
    match nanoseconds {
        0.0..1e3 => format!("{nanoseconds:.0} ns"),
        1e3..1e6 => format!("{:.0} µs", nanoseconds / 1e3),
        1e6..1e9 => format!("{:.0} ms", nanoseconds / 1e6),
        _ => format!("{:.0} s", nanoseconds / 1e9),
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
