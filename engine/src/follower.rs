//! What a database that is open for reading only knows of the log of whoever writes.

mod patience;

use std::collections::BTreeMap;
use std::sync::Arc;

use vdb_sys::sync::atomic::AtomicU64;
use vdb_sys::sync::{Mutex, RwLock, RwLockReadGuard, RwLockWriteGuard};
use vdb_wal::Mark;

pub(crate) use self::patience::Patience;

use crate::core::Core;

/// How far the log was read, and how others come to see it.
#[derive(Debug, Default)]
pub(crate) struct Follower {
    /// Held by whoever takes a view, and alone by whoever publishes: nobody sees one collection with a batch and then
    /// another without it.
    turn: RwLock<()>,
    /// Held while the directory is read. Locked before the catalog.
    pub(crate) followed: Mutex<Followed>,
    /// Bytes of the log files that were read last.
    pub(crate) log_bytes: AtomicU64,
}

/// How far the log was read.
#[derive(Debug, Default)]
pub(crate) struct Followed {
    /// The last record that was read; none while the log had none.
    pub(crate) last: Option<Mark>,
    /// Memtables may hold what a reading that failed has brought in: the next one starts anew.
    pub(crate) stale: bool,
    pub(crate) patience: Patience,
    /// What handles have of collections that turned out damaged since: should these be sound again, so are the handles.
    pub(crate) refused: BTreeMap<u32, Arc<Core>>,
}

impl Follower {
    /// While this is held, what is seen of one collection fits what is seen of the others.
    pub(crate) fn hold(&self) -> RwLockReadGuard<'_, ()> {
        self.turn.read()
    }

    /// While this is held, nobody takes a view.
    pub(crate) fn hold_alone(&self) -> RwLockWriteGuard<'_, ()> {
        self.turn.write()
    }
}
