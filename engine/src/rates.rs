//! How much may be asked of a collection yet, where its settings say how much a minute: two buckets of tokens.
//!
//! A bucket holds the tokens of a minute at most, is full at first, and fills evenly; what is asked takes tokens out.

use std::time::Duration;

use vdb_sys::sync::{Instant, Mutex};

const MINUTE: f64 = 60.0;

/// The buckets of a collection.
#[derive(Debug, Default)]
pub(crate) struct Rates {
    pub(crate) reads: Mutex<Bucket>,
    pub(crate) writes: Mutex<Bucket>,
}

/// Why tokens are not given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// There are never so many.
    TooMany,
    /// There are that much later, if nobody else takes them.
    After(Duration),
}

#[derive(Debug, Default)]
pub(crate) struct Bucket {
    tokens: f64,
    /// When it held so many; never at first.
    at: Option<Instant>,
}

impl Bucket {
    /// Takes `cost` tokens of `limit` a minute.
    pub(crate) fn take(&mut self, cost: u64, limit: u64, now: Instant) -> Result<(), Refusal> {
        let (cost, limit) = (cost as f64, limit as f64);
        let filled = self.at.map_or(limit, |at| {
            let passed = now.saturating_duration_since(at).as_secs_f64();
            self.tokens + passed * limit / MINUTE
        });
        self.tokens = filled.min(limit);
        self.at = Some(now);
        if cost > limit {
            return Err(Refusal::TooMany);
        }
        if cost > self.tokens {
            let wait = (cost - self.tokens) * MINUTE / limit;
            return Err(Refusal::After(Duration::from_secs_f64(wait)));
        }
        self.tokens -= cost;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
