//! Syncs writes that nobody waits for: buffered ones, and `Sync` ones whose ticket was dropped.

use std::sync::atomic::{AtomicU64, Ordering};

use vdb_wal::Lsn;

use crate::background::signal::Signal;
use crate::config::Durability;
use crate::shared::Shared;

/// What the syncing thread is told.
#[derive(Debug, Default)]
pub(crate) struct Syncer {
    pub(crate) signal: Signal,
    wanted: AtomicU64,
}

impl Syncer {
    /// Notes that a write should be on the medium within the interval.
    pub(crate) fn note(&self, lsn: Lsn, durability: Durability) {
        if durability != Durability::None {
            let before = self.wanted.fetch_max(lsn, Ordering::AcqRel);
            if before < lsn {
                self.signal.wake();
            }
        }
    }
}

/// The body of the thread.
pub(crate) fn run(shared: &Shared) {
    while shared.syncer.signal.sleep(None) {
        // Writers that wait for themselves have usually synced by then.
        shared.syncer.signal.pause(shared.options.sync_interval);
        let wanted = shared.syncer.wanted.load(Ordering::Acquire);
        if shared.wal.synced_lsn() < wanted && shared.sync_to(wanted).is_err() {
            return;
        }
        shared.visibility.synced(shared.wal.synced_lsn());
    }
}
