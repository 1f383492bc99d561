//! What the benchmarks share: the table that a chapter shows of them.

mod choices;
pub mod costs;
pub mod plan;
pub mod plot;
pub mod spans;
pub mod there_and_back;
pub mod turns;

use std::path::{self, Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;
use std::{env, fs, io};

/// With `RECORD=1`, writes `benches/NAME.md`: the median time of each benchmark
/// that ran, and its ratio to the first. `rows` are the label in the table and
/// the id in criterion, `group/benchmark`.
pub fn record(name: &str, rows: &[(&str, &str)]) -> io::Result<()> {
    if !records() {
        return Ok(());
    }
    let there = |(_, id): &&(&str, &str)| !id.contains("python") || has_python();
    let rows: Vec<_> = rows.iter().filter(there).collect();
    let medians: io::Result<Vec<f64>> = rows.iter().map(|(_, id)| median(id)).collect();
    let medians = medians?;
    let mut table = "| what | time | ratio |\n|---|--:|--:|\n".to_string();
    for ((label, _), time) in rows.iter().zip(&medians) {
        table += &format!("| {label} | {} | {} |\n", duration(*time), ratio(time / medians[0]));
    }
    record_text(name, &table)
}

/// With `RECORD=1`, writes `benches/NAME.md`: tables, and the machine; and draws
/// them.
pub fn record_text(name: &str, tables: &str) -> io::Result<()> {
    record_with(name, tables, &[])
}

/// The same, with the versions of the crates that are the peers.
pub fn record_with(name: &str, tables: &str, crates: &[&str]) -> io::Result<()> {
    if !records() {
        return Ok(());
    }
    let tables = tables.trim_end();
    let versions = crates.iter().map(|name| crate_version(name)).collect::<io::Result<String>>()?;
    let text = format!("{tables}\n\nMedians of one run on {}{versions}.\n", machine()?);
    write(&format!("{name}.md"), &text)?;
    write(&picture(name), &costs::draw(name, &text))
}

/// The picture of a chapter's costs, by its path from `benches/`.
pub fn picture(name: &str) -> String {
    format!("../book/figures/{name}_costs.svg")
}

/// The time of the first peer, and the ratio of the others to it. Each is a label and a part of the id in criterion,
/// `group/column-row`.
pub struct Table<'a> {
    /// The peers; the first is the measure.
    pub columns: &'a [(&'a str, &'a str)],
    /// The sizes.
    pub rows: &'a [(&'a str, &'a str)],
}

impl Table<'_> {
    /// What criterion has measured. Empty if nothing is recorded.
    pub fn read(&self, title: &str, group: &str) -> io::Result<String> {
        if !records() {
            return Ok(String::new());
        }
        let there = |(_, id): &&(&str, &str)| !id.contains("python") || has_python();
        let columns: Vec<_> = self.columns.iter().filter(there).collect();
        let labels: String = columns.iter().map(|(label, _)| format!(" {label} |")).collect();
        let mut table = format!("| {title} |{labels}\n|---|{}\n", "--:|".repeat(columns.len()));
        for (label, row) in self.rows {
            let median = |(_, column): &&(&str, &str)| median(&format!("{group}/{column}-{row}"));
            let times = columns.iter().map(median).collect::<io::Result<Vec<f64>>>()?;
            let ratios: String =
                times[1..].iter().map(|time| format!(" {} |", ratio(time / times[0]))).collect();
            let label = label.replace(' ', "\u{a0}");
            table += &format!("| {label} | {} |{ratios}\n", duration(times[0]));
        }
        Ok(table + "\n")
    }
}

/// Whether what was measured is to be written into the book.
pub fn records() -> bool {
    env::var_os("RECORD").is_some()
}

/// Writes a file, by its path from `benches/`.
pub fn write(file: &str, text: &str) -> io::Result<()> {
    fs::write(Path::new(env!("CARGO_MANIFEST_DIR")).join(file), text)
}

/// Without Python, its benchmarks are left out, and so are its rows.
pub fn has_python() -> bool {
    let mut python = Command::new("python3");
    let quiet = python.arg("--version").stdout(Stdio::null()).stderr(Stdio::null());
    let there = quiet.status().is_ok_and(|status| status.success());
    if !there {
        println!("python3 is not here: its benchmarks are left out");
    }
    there
}

/// How long a script of Python takes for `argument`, done so many times: it
/// prints the seconds.
pub fn python(script: &Path, argument: &str, times: u64) -> Duration {
    Duration::from_secs_f64(python_figures(script, argument, times)[0])
}

/// The same for a script that prints several figures.
pub fn python_figures(script: &Path, argument: &str, times: u64) -> Vec<f64> {
    let mut python = python3();
    let script = path::absolute(script).expect("a path");
    python.arg(script).arg(argument).arg(times.to_string());
    let output = python.output().expect("python3 is here");
    let text = String::from_utf8_lossy(&output.stdout);
    let figures: Result<Vec<f64>, _> = text.split_whitespace().map(str::parse).collect();
    let figures = figures.expect("the script prints seconds");
    assert!(!figures.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    figures
}

/// Python in another folder: in that of the benchmarks, `import queue` would mean the script there.
fn python3() -> Command {
    let mut python = Command::new("python3");
    python.current_dir("/");
    python
}

/// Whether Python has a package.
pub fn python_has(package: &str) -> bool {
    let mut python = python3();
    let import = python.args(["-c", &format!("import {package}")]).stderr(Stdio::null());
    import.status().is_ok_and(|status| status.success())
}

/// In nanoseconds, as criterion has written it.
pub fn median(id: &str) -> io::Result<f64> {
    let file = criterion_folder()?.join(id).join("new/estimates.json");
    let missing = |e| io::Error::other(format!("{}: {e}", file.display()));
    let estimates = fs::read_to_string(&file).map_err(missing)?;
    let estimates: serde_json::Value = serde_json::from_str(&estimates)?;
    let median = estimates["median"]["point_estimate"].as_f64();
    median.ok_or_else(|| io::Error::other(format!("{}: no median", file.display())))
}

/// `target/criterion`, beside `target/release/deps/fork-0123`.
fn criterion_folder() -> io::Result<PathBuf> {
    let this = env::current_exe()?;
    let target = this.ancestors().nth(3).unwrap_or(Path::new("."));
    Ok(target.join("criterion"))
}

/// Two digits that matter are enough.
fn ratio(ratio: f64) -> String {
    match ratio {
        0.0..0.995 => format!("{ratio:.2}"),
        0.995..9.95 => format!("{ratio:.1}"),
        _ => format!("{ratio:.0}"),
    }
}

/// `12,000` of 12,345
pub fn two_digits(number: f64) -> String {
    let unit = 10f64.powf(number.max(1.0).log10().floor() - 1.0).max(1.0);
    plot::thousands((number / unit).round() * unit)
}

fn duration(nanoseconds: f64) -> String {
    match nanoseconds {
        0.0..1e3 => format!("{nanoseconds:.0}\u{a0}ns"),
        1e3..1e4 => format!("{:.1}\u{a0}µs", nanoseconds / 1e3),
        1e4..1e6 => format!("{:.0}\u{a0}µs", nanoseconds / 1e3),
        1e6..1e7 => format!("{:.1}\u{a0}ms", nanoseconds / 1e6),
        _ => format!("{:.0}\u{a0}ms", nanoseconds / 1e6),
    }
}

/// `Linux 6.18, 2 cores, AMD EPYC, rustc 1.95.0, Python 3.11.7`
fn machine() -> io::Result<String> {
    let release = fs::read_to_string("/proc/sys/kernel/osrelease")?;
    let release: Vec<&str> = release.split('.').take(2).collect();
    let cpus = fs::read_to_string("/proc/cpuinfo")?;
    let model = cpus.lines().find_map(|line| line.strip_prefix("model name"));
    let model = model.unwrap_or("unknown").trim_start_matches(['\t', ' ', ':']);
    // This process may be pinned to one of them by now.
    let cores = cpus.lines().filter(|line| line.starts_with("processor")).count();
    let versions = ["rustc", "python3"].map(version).concat();
    Ok(format!("Linux {}, {cores} cores, {model}{versions}", release.join(".")))
}

/// `, rustc 1.95.0`; nothing if the program is not here.
fn version(program: &str) -> String {
    let output = Command::new(program).arg("--version").output();
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    let words: Vec<_> = text.iter().flat_map(|text| text.split_whitespace()).take(2).collect();
    if words.is_empty() { String::new() } else { format!(", {}", words.join(" ")) }
}

/// `, ipc-channel 0.21.0`, as locked.
fn crate_version(name: &str) -> io::Result<String> {
    let lock = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../Cargo.lock"))?;
    let mut lines = lock.lines().skip_while(|line| *line != format!("name = \"{name}\""));
    let version = lines.nth(1).and_then(|line| line.strip_prefix("version = "));
    Ok(format!(", {name} {}", version.unwrap_or("unknown").trim_matches('"')))
}
