//! Writes from several threads at once: how many rows a second, and how long each waits for its acknowledgement.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::at_once::{Calls, at_once};
use crate::{percentile, rounded};

/// How rows are handed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Load {
    /// Rows of a write.
    pub batch: usize,
    /// Threads that write at the same time.
    pub writers: usize,
}

/// What was written, and in what time.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Written {
    /// From when all writers are ready until the last of them is done.
    pub time: Duration,
    /// How long each write took until it was acknowledged, in microseconds; as many as there were writes.
    pub micros: Vec<f64>,
}

/// Hands batches to so many threads, each of which takes the next one when its last is acknowledged, until none is left
/// or `go_on`, which is asked before each, says no.
///
/// # Errors
/// The first that `write` answers.
pub fn hand_in<B: Send, E: Send>(
    batches: Vec<B>,
    writers: usize,
    go_on: impl Fn() -> bool + Sync,
    write: impl Fn(B) -> Result<(), E> + Sync,
) -> Result<Written, E> {
    let batches = Mutex::new(batches.into_iter());
    let next = || batches.lock().unwrap_or_else(PoisonError::into_inner).next();
    let Calls { time, micros } = at_once(writers, |_, timed| {
        while go_on()
            && let Some(batch) = next()
        {
            timed.call(|| write(batch))?;
        }
        Ok(())
    })?;
    Ok(Written { time, micros })
}

/// What writes of one system came to: one JSON object a line. Names and units are in the fields.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct IngestLine {
    /// What was written to.
    pub system: String,
    /// When a write is acknowledged, in the system's own words: `sync`, `buffered`, `none`, `update`, `update, flush`.
    pub durability: String,
    /// Whether what is acknowledged is on the disk: a power cut cannot take it.
    pub synced: bool,
    /// Rows of a write.
    pub batch: usize,
    /// Threads that wrote at the same time.
    pub writers: usize,
    /// Rows that were written.
    pub rows: u64,
    /// Numbers in a vector.
    pub dim: usize,
    /// Seconds until the last of them was acknowledged.
    pub seconds: f64,
    /// Rows over seconds.
    pub vectors_per_s: f64,
    /// Median of the times until a write was acknowledged, in microseconds.
    pub p50_us: f64,
    /// Their 99th percentile.
    pub p99_us: f64,
    /// The data set, by its file's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<String>,
}

impl IngestLine {
    /// The line with what its writes came to, of which each had `load.batch` of `rows` rows, the last one the rest.
    #[must_use]
    pub fn written(self, load: Load, rows: usize, written: &Written) -> IngestLine {
        let rows = rows.min(written.micros.len() * load.batch);
        let seconds = written.time.as_secs_f64();
        let mut micros = written.micros.clone();
        micros.sort_by(f64::total_cmp);
        let at = |percent| rounded(percentile(&micros, percent), 1);
        IngestLine {
            batch: load.batch,
            writers: load.writers,
            rows: rows as u64,
            seconds: rounded(seconds, 4),
            vectors_per_s: rounded(rows as f64 / seconds.max(1e-9), 1),
            p50_us: at(50.0),
            p99_us: at(99.0),
            ..self
        }
    }
}

#[cfg(test)]
mod tests;
