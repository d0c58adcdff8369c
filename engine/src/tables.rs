//! The tables of a collection at one moment, and what a reader sees of them.

use std::sync::Arc;

use vdb_storage::payload::ObjectRef;
use vdb_storage::{PointId, ValueError};
use vdb_wal::Lsn;

use crate::error::Result;
use crate::filter::{PointSource, Tokens};
use crate::memtable::{Memtable, RowTexts};
use crate::schema::Schema;
use crate::segment::Segment;
use crate::settings::OptimizerConfig;

/// Where the rows of a collection are. Immutable: a change makes a new one.
#[derive(Clone, Debug)]
pub(crate) struct Tables {
    pub(crate) schema: Arc<Schema>,
    /// Takes the writes.
    pub(crate) active: Arc<Memtable>,
    /// Wait to become segments, oldest first.
    pub(crate) frozen: Vec<Arc<Memtable>>,
    pub(crate) segments: Vec<Arc<Segment>>,
}

impl Tables {
    /// When segments are merged, sizes in rows.
    pub(crate) fn merging(&self) -> OptimizerConfig {
        self.schema.merging(|slot| {
            let rows = |segment: &Arc<Segment>| segment.rows_with_vector(slot) as usize;
            let bytes = |segment: &Arc<Segment>| segment.vector_bytes(slot);
            let total: usize = self.segments.iter().map(bytes).fold(0, usize::saturating_add);
            total.checked_div(self.segments.iter().map(rows).sum())
        })
    }

    /// The segment of a number, if it is still there.
    pub(crate) fn segment(&self, id: u64) -> Option<&Arc<Segment>> {
        self.segments.iter().find(|segment| segment.record.id == id)
    }
}

/// One version of a point, wherever it is.
#[derive(Clone, Debug)]
pub(crate) enum Located {
    Memtable(Arc<Memtable>, u32),
    Segment(Arc<Segment>, u32),
}

impl Located {
    pub(crate) fn version(&self) -> u64 {
        match self {
            Located::Memtable(table, row) => table.row(*row).map_or(0, |r| r.version),
            Located::Segment(segment, row) => segment.points.version(*row).unwrap_or(0),
        }
    }

    /// The encoded payload; empty when there is none.
    pub(crate) fn payload(&self) -> Result<&[u8]> {
        match self {
            Located::Memtable(table, row) => Ok(table.row(*row).map_or(&[], |r| &r.payload)),
            Located::Segment(segment, row) => Ok(segment.payload.get(*row)?),
        }
    }

    /// The stored bytes of the vector in a schema slot, when the point has it.
    ///
    /// # Errors
    /// The file does not say where the vector is.
    pub(crate) fn vector(&self, vector: usize) -> Result<Option<&[u8]>> {
        match self {
            Located::Memtable(table, row) => {
                let row = table.row(*row);
                Ok(row.and_then(|row| table.vector(row, vector)))
            }
            Located::Segment(segment, row) => segment.vector(vector, *row),
        }
    }

    /// As [`payload`](Self::payload), for whoever makes another version of it: compared with its checksums. What is in memory
    /// has come through a log record, or through here.
    ///
    /// # Errors
    /// [`Error::Damaged`](crate::Error::Damaged) names the file that is.
    pub(crate) fn sound_payload(&self) -> Result<&[u8]> {
        match self {
            Located::Memtable(..) => self.payload(),
            Located::Segment(segment, row) => segment.sound_payload(*row),
        }
    }

    /// As [`vector`](Self::vector), for whoever makes another version of it: compared with its checksums.
    ///
    /// # Errors
    /// As [`sound_payload`](Self::sound_payload).
    pub(crate) fn sound_vector(&self, vector: usize) -> Result<Option<&[u8]>> {
        match self {
            Located::Memtable(..) => self.vector(vector),
            Located::Segment(segment, row) => segment.sound_vector(vector, *row),
        }
    }

    /// Where the tokens of its texts are kept, if they are.
    pub(crate) fn texts(&self) -> Option<&RowTexts> {
        match self {
            Located::Memtable(table, row) => table.row(*row)?.texts(),
            Located::Segment(..) => None,
        }
    }

    /// Whether the point has the vector in a schema slot.
    pub(crate) fn has_vector(&self, vector: usize) -> bool {
        match self {
            Located::Memtable(table, row) => table.row(*row).is_some_and(|row| row.has_vector(vector)),
            Located::Segment(segment, row) => segment.has_vector(vector, *row),
        }
    }

    /// Ends this version. False when it had ended already.
    pub(crate) fn kill(&self, lsn: Lsn) -> bool {
        match self {
            Located::Memtable(table, row) => table.kill(*row, lsn),
            Located::Segment(segment, row) => segment.deletions.mark(*row, lsn),
        }
    }
}

impl Tables {
    /// Memtables, newest first.
    pub(crate) fn memtables(&self) -> impl Iterator<Item = &Arc<Memtable>> {
        std::iter::once(&self.active).chain(self.frozen.iter().rev())
    }

    /// The newest version of a point, if it has not been deleted: what a writer sees.
    pub(crate) fn latest(&self, id: PointId) -> Option<Located> {
        for table in self.memtables() {
            if let Some(row) = table.latest(id) {
                return Some(Located::Memtable(table.clone(), row));
            }
        }
        self.segments.iter().rev().find_map(|segment| {
            let row = segment.points.find(id)?;
            segment
                .deletions
                .died_at(row)
                .is_none()
                .then(|| Located::Segment(segment.clone(), row))
        })
    }

    /// The version of a point that a reader at `snapshot` sees.
    pub(crate) fn find(&self, id: PointId, snapshot: Lsn) -> Option<Located> {
        for table in self.memtables() {
            if let Some(row) = table.find(id, snapshot) {
                return Some(Located::Memtable(table.clone(), row));
            }
        }
        self.segments.iter().rev().find_map(|segment| {
            let row = segment.points.find(id)?;
            segment
                .deletions
                .is_live(row, snapshot)
                .then(|| Located::Segment(segment.clone(), row))
        })
    }

    /// Bytes in memtables.
    pub(crate) fn memtable_bytes(&self) -> usize {
        self.memtables().map(|t| t.bytes()).sum()
    }

    /// Those of them that the write buffer has been told of.
    pub(crate) fn settled_bytes(&self) -> usize {
        self.memtables().map(|t| t.settled()).sum()
    }

    /// Log sequence number of the oldest operation that is in no segment yet.
    pub(crate) fn first_unflushed(&self) -> Option<Lsn> {
        self.frozen
            .iter()
            .chain([&self.active])
            .map(|t| t.first_lsn())
            .find(|&lsn| lsn != 0)
    }
}

/// What one reader sees: the tables of a moment, up to a log sequence number.
#[derive(Clone, Debug)]
pub(crate) struct View {
    pub(crate) tables: Arc<Tables>,
    pub(crate) lsn: Lsn,
}

/// A stored point as filters see it.
pub(crate) struct StoredPoint<'a> {
    pub(crate) schema: &'a Schema,
    pub(crate) id: PointId,
    pub(crate) payload: &'a [u8],
    pub(crate) has_vector: &'a dyn Fn(usize) -> bool,
    /// Where its tokens are kept, if they are.
    pub(crate) texts: Option<&'a RowTexts>,
    /// Whether to go on, before so many bytes of it are looked at.
    pub(crate) goes_on: &'a dyn Fn(usize) -> bool,
}

impl PointSource for StoredPoint<'_> {
    fn id(&self) -> PointId {
        self.id
    }

    fn payload(&self) -> std::result::Result<ObjectRef<'_>, ValueError> {
        ObjectRef::from_payload(self.payload)
    }

    fn has_vector(&self, name: &str) -> bool {
        self.schema.slot(name).is_some_and(|slot| (self.has_vector)(slot))
    }

    fn tokens(
        &self,
        path: &str,
        fingerprint: u32,
        cut: &dyn Fn() -> std::result::Result<Option<Tokens>, ValueError>,
    ) -> std::result::Result<Option<&Tokens>, ValueError> {
        let indexes = &self.schema.payload_indexes;
        // A condition may have been compiled for an index that has been replaced since.
        let index = indexes
            .iter()
            .find(|index| index.path == path && index.fingerprint() == Some(fingerprint));
        match self.texts.zip(index) {
            Some((texts, index)) => texts.tokens(index.number, cut),
            None => Ok(None),
        }
    }

    fn goes_on(&self, bytes: usize) -> bool {
        (self.goes_on)(bytes)
    }
}
