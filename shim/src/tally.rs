//! How often calls were answered with which status, and in what time.
//!
//! Both wires count here: what telemetry and metrics tell of requests is one thing, whoever asked.

use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, SystemTime};

use parking_lot::Mutex;

/// Upper bounds of the buckets of durations, in seconds. From a millisecond on they are Qdrant's; most answers here take less.
pub(crate) const BOUNDS: [f64; 14] = [
    0.000_1, 0.000_25, 0.000_5, 0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0, 50.0,
];

/// Of so many latest answers the mean is told, the later ones weighing more.
const LATEST: u64 = 128;

/// Routes that are counted. There are fewer; a caller can name paths without end.
const MOST_ROUTES: usize = 512;

/// How often something was answered, and in what time.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Tally {
    pub(crate) count: u64,
    /// All together.
    pub(crate) total: Duration,
    pub(crate) shortest: Duration,
    pub(crate) longest: Duration,
    /// Seconds that the latest answers took, about.
    pub(crate) mean: f64,
    /// When the last one was given.
    pub(crate) last: SystemTime,
    /// Answers within each of the [`BOUNDS`] and above the one before; those above all of them are in none.
    pub(crate) buckets: [u64; BOUNDS.len()],
}

impl Tally {
    fn new(took: Duration) -> Self {
        Tally {
            count: 0,
            total: Duration::ZERO,
            shortest: took,
            longest: took,
            mean: 0.0,
            last: SystemTime::UNIX_EPOCH,
            buckets: [0; BOUNDS.len()],
        }
    }

    fn add(&mut self, took: Duration, now: SystemTime) {
        self.count += 1;
        self.total = self.total.saturating_add(took);
        self.shortest = self.shortest.min(took);
        self.longest = self.longest.max(took);
        let seconds = took.as_secs_f64();
        self.mean += (seconds - self.mean) / self.count.min(LATEST) as f64;
        self.last = now;
        let bucket = BOUNDS.iter().position(|bound| seconds <= *bound);
        if let Some(bucket) = bucket.and_then(|at| self.buckets.get_mut(at)) {
            *bucket += 1;
        }
    }
}

/// By status.
pub(crate) type Statuses = BTreeMap<u16, Tally>;

/// By route.
pub(crate) type Routes = BTreeMap<String, Statuses>;

fn count(statuses: &mut Statuses, status: u16, took: Duration) {
    let tally = statuses.entry(status).or_insert_with(|| Tally::new(took));
    tally.add(took, SystemTime::now());
}

/// Tallies of one wire, by route and status.
#[derive(Debug, Default)]
pub(crate) struct Tallies {
    routes: Mutex<HashMap<String, Statuses>>,
    /// Those of what succeeded on each collection.
    collections: Mutex<HashMap<String, Routes>>,
}

impl Tallies {
    /// Counts an answer. A route that was never counted is counted from now on if it `exists`.
    pub(crate) fn add(&self, route: &str, status: u16, took: Duration, exists: impl FnOnce() -> bool) {
        let mut tallies = self.routes.lock();
        // Found by what it is, without a copy: this is done for every request.
        if let Some(statuses) = tallies.get_mut(route) {
            return count(statuses, status, took);
        }
        if exists() && tallies.len() < MOST_ROUTES {
            count(tallies.entry(route.to_owned()).or_default(), status, took);
        }
    }

    /// Counts a success on a collection, which was there then.
    pub(crate) fn add_to(&self, collection: &str, route: &str, status: u16, took: Duration) {
        let mut tallies = self.collections.lock();
        if let Some(statuses) = tallies
            .get_mut(collection)
            .and_then(|routes| routes.get_mut(route))
        {
            return count(statuses, status, took);
        }
        if tallies.len() < vdb::MAX_COLLECTIONS || tallies.contains_key(collection) {
            let routes = tallies.entry(collection.to_owned()).or_default();
            count(routes.entry(route.to_owned()).or_default(), status, took);
        }
    }

    /// A collection is gone.
    pub(crate) fn forget(&self, collection: &str) {
        self.collections.lock().remove(collection);
    }

    /// Those of collections as they are now.
    pub(crate) fn by_collection(&self) -> BTreeMap<String, Routes> {
        let tallies = self.collections.lock();
        tallies
            .iter()
            .map(|(name, routes)| (name.clone(), routes.clone()))
            .collect()
    }

    /// All of them as they are now, by route.
    pub(crate) fn all(&self) -> Routes {
        let tallies = self.routes.lock();
        tallies
            .iter()
            .map(|(route, statuses)| (route.clone(), statuses.clone()))
            .collect()
    }
}

#[cfg(test)]
mod tests;
