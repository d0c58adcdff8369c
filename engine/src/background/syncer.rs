//! Syncs writes that nobody waits for: buffered ones, and `Sync` ones whose ticket was dropped.

use vdb_sys::sync::atomic::Ordering;

use crate::shared::Shared;

/// The body of the thread.
pub(crate) fn run(shared: &Shared) {
    let Ok(wal) = shared.wal() else {
        return;
    };
    while shared.syncer.signal.sleep(None) {
        // Writers that wait for themselves have usually synced by then.
        shared.syncer.signal.pause(shared.options.sync_interval);
        let wanted = shared.syncer.wanted.load(Ordering::Acquire);
        if wal.synced_lsn() < wanted && shared.sync_to(wanted).is_err() {
            return;
        }
        shared.visibility.synced(wal.synced_lsn());
    }
}
