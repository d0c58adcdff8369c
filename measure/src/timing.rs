//! How long questions take: one a call, on one thread; the fastest of several passes counts, so that what other
//! processes and the scheduler take is left out.

use std::time::{Duration, Instant};

use crate::rounded;

/// How long something is measured.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Questions that are asked before any is timed.
    pub warm_up: usize,
    /// Every question is asked at least so often.
    pub passes: usize,
    /// Passes go on for at least so long.
    pub time: Duration,
}

impl Default for Plan {
    fn default() -> Self {
        Plan {
            warm_up: 50,
            passes: 3,
            time: Duration::from_secs(4),
        }
    }
}

/// What a setting came to. The times are the fastest of each question, unless whoever made it says that all calls count.
#[derive(Clone, Debug, PartialEq)]
pub struct Measured {
    /// Share of the true neighbours that were found in the first pass.
    pub recall: f64,
    /// Questions a second at the mean of the times.
    pub qps: f64,
    /// Median of the times, in microseconds.
    pub p50_us: f64,
    /// 95th percentile of the times, in microseconds.
    pub p95_us: f64,
    /// 99th percentile of the times, in microseconds.
    pub p99_us: f64,
    /// How often every question was asked.
    pub passes: usize,
    /// The time of every call in microseconds, pass after pass, if they were kept.
    pub raw_us: Vec<f64>,
}

impl Measured {
    /// What some times in microseconds come to.
    pub fn of(mut times_us: Vec<f64>, recall: f64, passes: usize) -> Measured {
        let mean = times_us.iter().sum::<f64>() / times_us.len() as f64;
        times_us.sort_by(f64::total_cmp);
        let at = |percent| rounded(percentile(&times_us, percent), 1);
        Measured {
            recall: rounded(recall, 4),
            qps: rounded(1e6 / mean, 1),
            p50_us: at(50.0),
            p95_us: at(95.0),
            p99_us: at(99.0),
            passes,
            raw_us: Vec::new(),
        }
    }
}

/// Times passes over the same questions. Several can take turns, a pass each, so that a machine that is slow for a while
/// is slow for all of them.
#[derive(Clone, Debug)]
pub struct Stopwatch {
    best_us: Vec<f64>,
    wanted: usize,
    hits: usize,
    passes: usize,
    spent: Duration,
    raw_us: Option<Vec<f64>>,
}

impl Stopwatch {
    /// For so many questions, to whose answers so many true neighbours belong in all; `keep` keeps every time.
    pub fn new(questions: usize, wanted: usize, keep: bool) -> Self {
        Stopwatch {
            best_us: vec![f64::INFINITY; questions],
            wanted,
            hits: 0,
            passes: 0,
            spent: Duration::ZERO,
            raw_us: keep.then(Vec::new),
        }
    }

    /// Asks every question once. `question` makes one ready and `hits` counts the true neighbours in its answer; only
    /// `ask` is timed.
    pub fn pass<Q, A, E>(
        &mut self,
        mut question: impl FnMut(usize) -> Q,
        mut ask: impl FnMut(Q) -> Result<A, E>,
        mut hits: impl FnMut(usize, A) -> usize,
    ) -> Result<(), E> {
        let started = Instant::now();
        for (number, best) in self.best_us.iter_mut().enumerate() {
            let asked = question(number);
            let before = Instant::now();
            let answer = ask(asked)?;
            let micros = before.elapsed().as_secs_f64() * 1e6;
            *best = best.min(micros);
            if let Some(raw) = &mut self.raw_us {
                raw.push(rounded(micros, 1));
            }
            if self.passes == 0 {
                self.hits += hits(number, answer);
            }
        }
        self.passes += 1;
        self.spent += started.elapsed();
        Ok(())
    }

    /// Whether the plan asks for no further pass.
    pub fn is_done(&self, plan: &Plan) -> bool {
        self.passes >= plan.passes && self.spent >= plan.time
    }

    /// What it came to, after at least one pass.
    pub fn finish(self) -> Measured {
        let recall = self.hits as f64 / self.wanted.max(1) as f64;
        Measured {
            raw_us: self.raw_us.unwrap_or_default(),
            ..Measured::of(self.best_us, recall, self.passes)
        }
    }
}

/// A percentile of sorted numbers, between two of them by their distance, as NumPy has it. NaN of none.
pub fn percentile(sorted: &[f64], percent: f64) -> f64 {
    let position = percent / 100.0 * sorted.len().saturating_sub(1) as f64;
    let (below, share) = (position.floor() as usize, position.fract());
    let low = sorted.get(below).copied().unwrap_or(f64::NAN);
    let high = sorted.get(below + 1).copied().unwrap_or(low);
    low + (high - low) * share
}

#[cfg(test)]
mod tests;
