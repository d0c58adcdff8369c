//! What one setting of one system came to: one JSON object a line.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::process::Memory;
use crate::timing::Measured;

/// One measurement. Every harness writes these and the report reads them, so all fields may be missing when a line is
/// read; the first nine are always written, the others only when they are known. Names and units are in the fields.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Line {
    /// Name and parameters of what was measured.
    pub system: String,
    /// What was turned to trade recall for speed: `ef=64`, `default`, `exact`.
    pub setting: String,
    /// Seconds that building the index took, without loading where the two can be told apart.
    pub build_s: Option<f64>,
    /// Growth of the process's resident memory in megabytes until the setting was measured.
    pub rss_mb: Option<f64>,
    /// Megabytes on disk.
    pub disk_mb: Option<f64>,
    /// Share of the true nearest neighbours that were found.
    pub recall: f64,
    /// Queries a second: on one thread at the mean of the queries' fastest times, else what all connections came to.
    pub qps: f64,
    /// Median over the queries, in microseconds.
    pub p50_us: Option<f64>,
    /// 99th percentile over the queries, in microseconds.
    pub p99_us: Option<f64>,
    /// 95th percentile, in microseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub p95_us: Option<f64>,
    /// The part of `rss_mb` that is the process's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rss_anon_mb: Option<f64>,
    /// The part of `rss_mb` that is pages of mapped files.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rss_file_mb: Option<f64>,
    /// Most of its own memory, in megabytes, while loading and building.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub make_rss_anon_mb: Option<f64>,
    /// Seconds that writing the rows took.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub load_s: Option<f64>,
    /// Seconds that merging segments took before the index was built.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub merge_s: Option<f64>,
    /// Rows that were searched.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rows: Option<u64>,
    /// How many different queries were asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub queries: Option<usize>,
    /// How often each was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub passes: Option<usize>,
    /// The data set, by its file's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data: Option<String>,
    /// What was asked for, where it is not the nearest dense vectors alone: `counts`, `sparse`, `hybrid`. The times of
    /// `counts` are those of all calls.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub task: Option<String>,
    /// The filter's name; none for an unfiltered search.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filter: Option<String>,
    /// Share of the rows that match the filter.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub share: Option<f64>,
    /// Width of the beam, where a line has no `setting`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ef: Option<u64>,
    /// How a server was asked: `grpc`, `rest`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transport: Option<String>,
    /// Connections that asked at the same time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connections: Option<usize>,
    /// Milliseconds that opening the database took, after it had been made and closed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub open_ms: Option<f64>,
    /// Threads of this process that asked at the same time; `qps` is that of all together.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clients: Option<usize>,
    /// `qps` over that of one thread in the same run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub over_one: Option<f64>,
    /// Share of the bytes of mapped files that could be in memory; times are then those of all calls.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cached: Option<f64>,
    /// What held the files to that share: `cgroup v2`, `cgroup v1`, `dropped when full`, `nothing` for all of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cached_by: Option<String>,
    /// Bytes of mapped files in megabytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mapped_mb: Option<f64>,
    /// Most of `mapped_mb` that was seen in memory.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resident_mb: Option<f64>,
    /// Kilobytes read from the disk a query.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub read_kb: Option<f64>,
    /// How often everything was dropped from memory while queries were timed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub drops: Option<u64>,
    /// The time of every call in microseconds, pass after pass.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub raw_us: Vec<f64>,
}

impl Line {
    /// How lines call a data set: the file's name without its folder and endings.
    pub fn data_name(file: &Path) -> String {
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        name.split('.').next().unwrap_or_default().to_owned()
    }

    /// The line with what its queries came to.
    #[must_use]
    pub fn measured(self, measured: Measured) -> Line {
        Line {
            recall: measured.recall,
            qps: measured.qps,
            p50_us: Some(measured.p50_us),
            p95_us: Some(measured.p95_us),
            p99_us: Some(measured.p99_us),
            passes: Some(measured.passes),
            raw_us: measured.raw_us,
            ..self
        }
    }

    /// The line with how much more memory a process has `now` than `before`.
    #[must_use]
    pub fn grown(self, now: Option<Memory>, before: Option<Memory>) -> Line {
        let growth = |part: fn(&Memory) -> u64| Memory::growth_mb(now, before, part);
        Line {
            rss_mb: growth(|memory| memory.total),
            rss_anon_mb: growth(|memory| memory.anonymous),
            rss_file_mb: growth(|memory| memory.file),
            ..self
        }
    }

    /// The setting, or the width of the beam where only that is told.
    pub fn setting_name(&self) -> String {
        match self.ef {
            Some(ef) if self.setting.is_empty() => format!("ef={ef}"),
            _ => self.setting.clone(),
        }
    }
}

#[cfg(test)]
mod tests;
