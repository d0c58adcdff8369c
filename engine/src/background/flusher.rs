//! Frozen memtables become segments.

use std::time::Duration;

use crate::shared::Shared;

/// How long after a failure the next attempt is made.
const RETRY: Duration = Duration::from_secs(1);

/// The body of the thread.
pub(crate) fn run(shared: &Shared) {
    let mut retry = None;
    while shared.flusher.sleep(retry) {
        retry = None;
        for core in shared.open_cores() {
            if shared.flusher.is_stopped() {
                return;
            }
            match crate::maintenance::flush::flush_frozen(shared, &core) {
                Ok(flushed) => {
                    shared.budget.set_stuck(None);
                    if flushed > 0 {
                        shared.optimizer.wake();
                    }
                }
                Err(error) => {
                    // Nothing is lost: the rows are in the memtable and in the log. The next attempt may find
                    // the disk with room again.
                    shared.budget.set_stuck(Some(error.to_string()));
                    retry = Some(RETRY);
                }
            }
        }
        if let Err(error) = shared.trim_log() {
            shared.budget.set_stuck(Some(error.to_string()));
            retry = Some(RETRY);
        }
    }
}
