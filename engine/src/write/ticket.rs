//! Waiting for a write.

use std::sync::Arc;

use vdb_storage::PointId;
use vdb_wal::Lsn;

use crate::config::Durability;
use crate::error::Result;
use crate::shared::Shared;

/// What a write got.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WriteResult {
    /// The sequence number that each operation took in its collection, in the order of the batch. A point's
    /// version is the number of the last operation that touched it.
    pub sequences: Vec<u64>,
    /// How many points were written or deleted, each as often as an operation did.
    pub points: u64,
    /// The first id that an operation [on existing points](crate::Collection::submit_on_existing), or
    /// [in steps](crate::Collection::submit_in_steps), did not find.
    pub missing: Option<PointId>,
}

impl WriteResult {
    /// The sequence number of the last operation; 0 for an empty batch.
    pub fn sequence(&self) -> u64 {
        self.sequences.last().copied().unwrap_or(0)
    }
}

/// A write that has its place in the order and is in the log, but may not be synced or seen yet.
///
/// Dropping a ticket does not take the write back.
///
/// ```
/// use vdb::{CollectionConfig, Database, Distance, Durability, Operation, Point, UpsertMode, VectorParams};
///
/// let db = Database::builder().open_in_memory()?;
/// let c = db.create_collection("c", CollectionConfig::new(VectorParams::new(1, Distance::Dot)))?;
/// let upsert = |id| Operation::Upsert {
///     points: vec![Point::new(id, [1.0])],
///     mode: UpsertMode::Upsert,
///     update_filter: None,
/// };
/// // Both are on their way before either is waited for: they share one sync.
/// let first = c.submit(upsert(1u64), Durability::Sync)?;
/// let second = c.submit(upsert(2u64), Durability::Sync)?;
/// second.wait_visible()?;
/// first.wait_visible()?;
/// assert_eq!((first.result().sequence(), c.count(None)?), (1, 2));
/// # Ok::<_, vdb::Error>(())
/// ```
#[derive(Debug)]
#[must_use = "a write that nobody waits for may be lost in a power cut"]
pub struct Ticket {
    pub(crate) shared: Arc<Shared>,
    pub(crate) lsn: Lsn,
    pub(crate) durability: Durability,
    pub(crate) result: WriteResult,
}

impl Ticket {
    /// The sequence numbers that the write took.
    pub fn result(&self) -> &WriteResult {
        &self.result
    }

    /// Blocks until the write survives a power cut, whatever its level.
    ///
    /// # Errors
    /// When the sync fails: the database then accepts no further writes.
    pub fn wait_durable(&self) -> Result<()> {
        self.shared.sync_to(self.lsn)
    }

    /// Blocks until searches see the write. A write of the level `Sync` is seen only once it is durable.
    ///
    /// # Errors
    /// When a sync fails.
    pub fn wait_visible(&self) -> Result<()> {
        // A weak write may stand behind one that waits for its sync: joining that sync is the shortest way.
        if self.durability == Durability::Sync || self.shared.visibility.get() < self.lsn {
            self.shared.sync_to(self.lsn)?;
        }
        self.shared.visibility.wait(self.lsn)
    }

    pub(crate) fn acknowledge(mut self) -> Result<WriteResult> {
        self.wait_visible()?;
        Ok(std::mem::take(&mut self.result))
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        // Seen, not synced: a sync that came between the append and the horizon's note of it has moved nothing.
        if self.durability == Durability::Sync && self.shared.visibility.get() < self.lsn {
            self.shared.syncer.note(self.lsn);
        }
    }
}
