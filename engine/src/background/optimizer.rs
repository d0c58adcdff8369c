//! Segments are merged and get graphs.

use std::time::Duration;

use crate::shared::Shared;

/// How often the thread looks for work that became due by waiting.
const LOOK: Duration = Duration::from_secs(1);
/// How long a collection whose job failed is left alone.
const RETRY: Duration = Duration::from_secs(30);

/// The body of the thread.
pub(crate) fn run(shared: &Shared) {
    // One processor is left to searches and writers: with a thread on each, they would wait for their turn.
    let threads = shared.pool.current_num_threads().saturating_sub(1).max(1);
    let own = rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .thread_name(|i| format!("vdb-building-{i}"))
        .build();
    let pool = own.as_ref().unwrap_or(&shared.pool);
    let mut pending = false;
    loop {
        let limit = pending.then_some(LOOK);
        if !shared.optimizer.sleep(limit) {
            return;
        }
        pending = false;
        for core in shared.open_cores() {
            if shared.optimizer.is_stopped() {
                return;
            }
            if core.activity.failed_within(RETRY) {
                pending = true;
                continue;
            }
            match crate::maintenance::optimize::background_step(shared, &core, pool) {
                // Another job may follow from this one.
                Ok(true) => shared.optimizer.wake(),
                Ok(false) => pending |= core.has_flushed(1, RETRY),
                Err(error) => {
                    core.activity.fail(error.to_string());
                    pending = true;
                }
            }
        }
    }
}
