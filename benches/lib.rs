//! What the benchmarks share: the table that a chapter shows of them.

use std::path::{Path, PathBuf};
use std::{env, fs, io};

/// With `RECORD=1`, writes `benches/NAME.md`: the median time of each benchmark
/// that ran, and its ratio to the first. `rows` are the label in the table and
/// the id in criterion, `group/benchmark`.
pub fn record(name: &str, rows: &[(&str, &str)]) -> io::Result<()> {
    if env::var_os("RECORD").is_none() {
        return Ok(());
    }
    let medians: io::Result<Vec<f64>> = rows.iter().map(|(_, id)| median(id)).collect();
    let medians = medians?;
    let mut table = "| what | time | ratio |\n|---|--:|--:|\n".to_string();
    for ((label, _), time) in rows.iter().zip(&medians) {
        table += &format!("| {label} | {} | {:.1} |\n", microseconds(*time), time / medians[0]);
    }
    table += &format!("\nMedians of one run on {}.\n", machine()?);
    fs::write(Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("{name}.md")), table)
}

/// In nanoseconds, as criterion has written it.
fn median(id: &str) -> io::Result<f64> {
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

fn microseconds(nanoseconds: f64) -> String {
    format!("{:.0} µs", nanoseconds / 1000.0)
}

/// `Linux 6.18, 2 cores, AMD EPYC`
fn machine() -> io::Result<String> {
    let release = fs::read_to_string("/proc/sys/kernel/osrelease")?;
    let release: Vec<&str> = release.split('.').take(2).collect();
    let cpus = fs::read_to_string("/proc/cpuinfo")?;
    let model = cpus.lines().find_map(|line| line.strip_prefix("model name"));
    let model = model.unwrap_or("unknown").trim_start_matches(['\t', ' ', ':']);
    let cores = std::thread::available_parallelism()?;
    Ok(format!("Linux {}, {cores} cores, {model}", release.join(".")))
}
