//! How long searches take: one query a call, on one thread.

use std::time::{Duration, Instant};

use vdb::{Collection, PointId, SearchRequest};

use super::rounded;
use crate::failure::Outcome;
use crate::interrupt;

/// Queries that are asked before any is timed.
const WARM_UP: usize = 50;
/// Every query is asked at least so often.
const PASSES: usize = 3;
/// A setting is measured for at least so long.
const TIME: Duration = Duration::from_secs(4);

/// What a setting came to.
pub(super) struct Measured {
    /// Share of the true neighbours that were found in the first pass.
    pub(super) recall: f64,
    /// Queries a second at the mean of the queries' fastest times.
    pub(super) qps: f64,
    /// Median and 99th percentile of the queries' fastest times, in microseconds.
    pub(super) p50_us: f64,
    pub(super) p99_us: f64,
    /// How often every query was asked.
    pub(super) passes: usize,
    /// The time of every call in microseconds, pass after pass.
    pub(super) raw_us: Vec<f64>,
}

/// Measures requests whose true neighbours are known. Per query the fastest pass counts: what other processes and the
/// scheduler take is left out. `raw` keeps every time.
pub(super) fn measure(
    collection: &Collection,
    requests: &[SearchRequest],
    truth: &[Vec<PointId>],
    raw: bool,
) -> Outcome<Measured> {
    for request in requests.iter().take(WARM_UP) {
        collection.search(request)?;
    }
    let mut best = vec![f64::INFINITY; requests.len()];
    let (mut hits, mut passes, mut raw_us) = (0, 0, Vec::new());
    let started = Instant::now();
    while passes < PASSES || started.elapsed() < TIME {
        // A pass over a thousand queries takes seconds when they are exact and the data is large, and a signal waits
        // for it; looking in between would be part of what is timed.
        interrupt::check()?;
        for ((request, truth), best) in requests.iter().zip(truth).zip(&mut best) {
            let before = Instant::now();
            let found = collection.search(request)?;
            let micros = before.elapsed().as_secs_f64() * 1e6;
            *best = best.min(micros);
            if raw {
                raw_us.push(rounded(micros, 1));
            }
            if passes == 0 {
                hits += found.iter().filter(|point| truth.contains(&point.id)).count();
            }
        }
        passes += 1;
    }
    let mean = best.iter().sum::<f64>() / best.len() as f64;
    best.sort_by(f64::total_cmp);
    let wanted: usize = truth.iter().map(Vec::len).sum();
    Ok(Measured {
        recall: rounded(hits as f64 / wanted.max(1) as f64, 4),
        qps: rounded(1e6 / mean, 1),
        p50_us: rounded(percentile(&best, 50.0), 1),
        p99_us: rounded(percentile(&best, 99.0), 1),
        passes,
        raw_us,
    })
}

/// A percentile of sorted numbers, between two of them by their distance.
fn percentile(sorted: &[f64], percent: f64) -> f64 {
    let position = percent / 100.0 * sorted.len().saturating_sub(1) as f64;
    let (below, share) = (position.floor() as usize, position.fract());
    let low = sorted.get(below).copied().unwrap_or(f64::NAN);
    let high = sorted.get(below + 1).copied().unwrap_or(low);
    low + (high - low) * share
}

#[cfg(test)]
mod tests;
