//! How much a test tries, and on how many threads.

use std::sync::atomic::{AtomicUsize, Ordering};

/// The number in an environment variable.
///
/// # Panics
/// When it holds anything else.
pub fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name)
        .ok()
        .map_or(default, |value| value.parse().unwrap())
}

/// How many times the usual number of cases to try: `VDB_EFFORT`.
pub fn effort() -> u64 {
    setting("VDB_EFFORT", 1)
}

/// Runs each case, on as many threads as there are processors.
///
/// # Panics
/// When one of them does.
pub fn each<T: Sync>(cases: &[T], run: impl Fn(&T) + Sync) {
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                    run(case);
                }
            });
        }
    });
}
