//! Frozen memtables become segments.

use std::time::Duration;

use crate::error::{Error, Result};
use crate::maintenance::flush::flush_frozen;
use crate::shared::Shared;

/// How long after a failure the next attempt is made.
const RETRY: Duration = Duration::from_secs(1);

/// The body of the thread.
pub(crate) fn run(shared: &Shared) {
    while shared.flusher.sleep(None) {
        while !shared.flusher.is_stopped() {
            match pass(shared) {
                Ok(()) => {
                    shared.budget.set_stuck(None);
                    if !shared.relieve() {
                        break;
                    }
                }
                // Those who wait for room are told so by whoever closes the database.
                Err(Error::Closed) => break,
                Err(error) => {
                    // Nothing is lost: the rows are in the memtable and in the log. The next attempt may find the
                    // disk with room again; wakes until then would only make it fail more often.
                    shared.budget.set_stuck(Some(error.to_string()));
                    shared.flusher.pause(RETRY);
                }
            }
        }
    }
}

/// Flushes what is frozen. A collection that fails does not keep the others from their turn.
fn pass(shared: &Shared) -> Result<()> {
    let mut outcome = Ok(());
    for core in shared.open_cores() {
        if shared.flusher.is_stopped() {
            return Ok(());
        }
        // Those who write to it are told, and have it tried again now and then.
        if core.is_aside() && !core.is_aside_long() {
            continue;
        }
        let flushed = flush_frozen(shared, &core).map(|flushed| {
            if flushed > 0 {
                shared.optimizer.wake();
            }
        });
        if !core.is_aside() {
            outcome = outcome.and(flushed);
        }
    }
    outcome.and(shared.trim_log())
}
