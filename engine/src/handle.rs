//! What keeps an open database open, and closes it.

use std::sync::Arc;

use vdb_sys::sync::Mutex;
use vdb_sys::sync::atomic::Ordering;
use vdb_sys::sync::thread::JoinHandle;

use crate::error::Result;
use crate::shared::{Log, Shared};

/// The threads of an open database; the last handle that goes stops them.
#[derive(Debug)]
pub(crate) struct Handle {
    pub(crate) shared: Arc<Shared>,
    pub(crate) threads: Mutex<Vec<JoinHandle<()>>>,
}

impl Handle {
    pub(crate) fn close(&self) -> Result<()> {
        let shared = &self.shared;
        if shared.is_forked() {
            // The threads are not there to be joined, locks may be held for good, and log and directory are the parent's.
            return Ok(());
        }
        {
            let mut sequencer = shared.sequencer.lock();
            if std::mem::replace(&mut sequencer.closed, true) {
                return Ok(());
            }
        }
        shared.stopping.store(true, Ordering::Release);
        for signal in [
            &shared.syncer.signal,
            &shared.flusher,
            &shared.optimizer,
            &shared.grower,
            &shared.sweeper,
        ] {
            signal.stop();
        }
        shared.budget.close();
        for thread in self.threads.lock().drain(..) {
            // A background thread that panicked has left nothing half done that the next open would not mend.
            let _ = thread.join();
        }
        // Jobs of callers that began before: the next owner of the directory must not meet them.
        drop(shared.catalog.lock());
        for core in shared.open_cores() {
            drop(core.flushing.lock());
            drop(core.optimizing.lock());
            drop(core.manifest.lock());
        }
        // Commits under way in other threads end; none begins after `stopping`.
        drop(shared.catalog.lock());
        for core in shared.open_cores() {
            drop(core.manifest.lock());
        }
        let closed = match &shared.log {
            Log::Reader(_) => Ok(()),
            Log::Writer(wal) => {
                let closed = if shared.unskipped.load(Ordering::Acquire) {
                    // The mark of a clean close says that every number ever given can be told from what is on the
                    // medium.
                    wal.close_unmarked()
                } else {
                    wal.close()
                };
                let closed = closed.map_err(|e| shared.log_error(e));
                shared.visibility.synced(wal.synced_lsn());
                closed
            }
        };
        shared.lock.lock().take();
        closed
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        // Whoever cares about the outcome calls `Database::close`; acknowledged writes are safe in any case.
        let _ = self.close();
    }
}

#[cfg(test)]
mod tests;
