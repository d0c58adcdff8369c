//! What criterion saved of its runs: a folder a benchmark, with one folder a saved run in it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use vdb_benches::{Error, Result};

/// One benchmark of one run.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Saved {
    /// Median nanoseconds of an iteration.
    pub(crate) ns: f64,
    /// Bytes that an iteration goes over, if the benchmark says so.
    pub(crate) bytes: Option<u64>,
}

/// The benchmarks of the run that was saved under a name, by their full names.
pub(crate) type Run = BTreeMap<String, Saved>;

#[derive(Deserialize)]
struct Estimates {
    median: Estimate,
}

#[derive(Deserialize)]
struct Estimate {
    point_estimate: f64,
}

#[derive(Deserialize)]
struct Benchmark {
    full_id: String,
    #[serde(default)]
    throughput: Option<BTreeMap<String, u64>>,
}

/// Reads the run `name` below criterion's folder (`target/criterion`).
pub(crate) fn read(folder: &Path, name: &str) -> Result<Run> {
    let mut run = Run::new();
    let mut open = vec![folder.to_owned()];
    while let Some(next) = open.pop() {
        for inside in folders(&next)? {
            if inside.file_name().is_none_or(|inside| inside != name) {
                open.push(inside);
                continue;
            }
            let estimates = inside.join("estimates.json");
            if !estimates.exists() {
                continue;
            }
            let estimates: Estimates = json(&estimates)?;
            let benchmark: Benchmark = json(&inside.join("benchmark.json"))?;
            let bytes = benchmark.throughput.and_then(|of| of.get("Bytes").copied());
            let ns = estimates.median.point_estimate;
            run.insert(benchmark.full_id, Saved { ns, bytes });
        }
    }
    if run.is_empty() {
        let message =
            format!("no run called {name} in it; `cargo bench -- --save-baseline {name}` saves one");
        return Err(Error::data(folder, message));
    }
    Ok(run)
}

fn folders(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(Error::file(folder))? {
        let path = entry.map_err(Error::file(folder))?.path();
        if path.is_dir() {
            found.push(path);
        }
    }
    Ok(found)
}

fn json<T: for<'a> Deserialize<'a>>(file: &Path) -> Result<T> {
    let text = std::fs::read_to_string(file).map_err(Error::file(file))?;
    serde_json::from_str(&text).map_err(|e| Error::data(file, e.to_string()))
}

/// Two runs side by side, as a table; and how many benchmarks take more than `threshold` times as long in the second, or are
/// not in it: one that was renamed must not end its watch unseen.
pub(crate) fn compare(base: &Run, new: &Run, threshold: f64) -> (String, usize) {
    let mut text =
        String::from("| benchmark | base ns | new ns | new over base | |\n|---|---|---|---|---|\n");
    let mut worse = 0;
    for (name, base) in base {
        let Some(new) = new.get(name) else {
            worse += 1;
            text += &format!("| {name} | {:.1} | - | - | gone |\n", base.ns);
            continue;
        };
        let ratio = new.ns / base.ns;
        let verdict = if ratio > threshold {
            worse += 1;
            "slower"
        } else if ratio < 1.0 / threshold {
            "faster"
        } else {
            ""
        };
        text += &format!(
            "| {name} | {:.1} | {:.1} | {ratio:.3} | {verdict} |\n",
            base.ns, new.ns
        );
    }
    for (name, new) in new.iter().filter(|(name, _)| !base.contains_key(*name)) {
        text += &format!("| {name} | - | {:.1} | - | added |\n", new.ns);
    }
    (text, worse)
}

/// The group of plain reads that `benches/kernels.rs` measures beside its kernels.
const READS: &str = "read/";

/// How the kernels of a run stand to plain reads of as many bytes from the same place: cache, whole memory in order, rows
/// of it at random. The place is in the benchmark's name.
pub(crate) fn shares(run: &Run) -> Result<String> {
    let mut text =
        String::from("| benchmark | ns | GB/s | plain read GB/s | share |\n|---|---|---|---|---|\n");
    let mut found = false;
    let speed = |saved: &Saved| saved.bytes.map(|bytes| bytes as f64 / saved.ns);
    for (name, saved) in run.iter().filter(|(name, _)| !name.starts_with(READS)) {
        let (Some(own), Some(bytes), Some(place)) = (speed(saved), saved.bytes, place(name)) else {
            continue;
        };
        let read = match place {
            // Of all memory there is one read, whatever the rows.
            "scan" => run.get(&format!("{READS}scan")),
            _ => run.get(&format!("{READS}{place}/{bytes}")),
        };
        let Some(read) = read.and_then(speed) else {
            continue;
        };
        found = true;
        let share = own / read * 100.0;
        text += &format!(
            "| {name} | {:.1} | {own:.1} | {read:.1} | {share:.0} % |\n",
            saved.ns
        );
    }
    if !found {
        let message = "the run has no kernels with plain reads beside them; `cargo bench -p vdb-benches --bench kernels` makes one";
        return Err(Error::Program(message.to_owned()));
    }
    Ok(text)
}

/// Where the rows of a kernel benchmark lie.
fn place(name: &str) -> Option<&'static str> {
    let (_, function) = name.split_once('/')?;
    let (_, function) = function.split_once('/')?;
    Some(if function.ends_with("_gather") {
        "gather"
    } else if function.starts_with("score_rows") || function.ends_with("_scan") {
        "scan"
    } else {
        "cached"
    })
}

#[cfg(test)]
mod tests;
