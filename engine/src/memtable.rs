//! Rows that are not in a segment yet: searched by scan, ordered by id, versioned by log sequence number.

mod ragged;
mod texts;

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

use vdb_storage::PointId;
use vdb_sys::append::AppendRows;
use vdb_sys::sync::atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering};
use vdb_sys::sync::{Instant, RwLock};
use vdb_wal::Lsn;

use crate::append_list::AppendList;
use crate::live::Live;
use crate::schema::{Schema, VectorKind, VectorSchema};

pub(crate) use ragged::{BLOCK, Block, MemRagged};
pub(crate) use texts::RowTexts;
use texts::Texts;

/// The row has not been superseded.
const ALIVE: u64 = u64::MAX;
/// What a vector takes besides its bytes, about.
const VECTOR_BYTES: usize = 8;
/// No earlier version in this memtable, or no vector.
const NONE: u32 = u32::MAX;

/// One version of one point.
#[derive(Debug)]
pub(crate) struct MemRow {
    pub(crate) id: PointId,
    pub(crate) version: u64,
    pub(crate) payload: Box<[u8]>,
    born: Lsn,
    died: AtomicU64,
    earlier: u32,
    /// By slot of the schema, the place of the vector among those of its name.
    places: Box<[u32]>,
    /// There if the schema has indexes of texts.
    texts: Option<Box<RowTexts>>,
}

impl MemRow {
    /// True when a reader at `snapshot` sees this version.
    pub(crate) fn visible(&self, snapshot: Lsn) -> bool {
        self.born <= snapshot && snapshot < self.died.load(Ordering::Acquire)
    }

    /// True when no later operation has superseded or deleted this version.
    pub(crate) fn is_latest(&self) -> bool {
        self.died.load(Ordering::Acquire) == ALIVE
    }

    /// When this version died, if it has.
    pub(crate) fn died_at(&self) -> Option<Lsn> {
        Some(self.died.load(Ordering::Acquire)).filter(|&lsn| lsn != ALIVE)
    }

    /// When this version came to be.
    pub(crate) fn born(&self) -> Lsn {
        self.born
    }

    /// The tokens of its texts, where they are kept.
    pub(crate) fn texts(&self) -> Option<&RowTexts> {
        self.texts.as_deref()
    }

    /// True when the row has a vector in that slot of the schema.
    pub(crate) fn has_vector(&self, vector: usize) -> bool {
        self.places.get(vector).is_some_and(|&place| place != NONE)
    }
}

/// The vectors of one name, in the order they were written.
#[derive(Debug)]
pub(crate) struct MemVectors {
    pub(crate) rows: AppendRows,
    owners: AppendList<u32>,
    pub(crate) live: Live,
}

impl MemVectors {
    /// The memtable row that a vector belongs to.
    pub(crate) fn owner(&self, slot: u32) -> Option<u32> {
        self.owners.get(slot).copied()
    }
}

/// The vectors of one name.
#[derive(Debug)]
enum Column {
    Dense(Box<MemVectors>),
    Ragged(Box<MemRagged>),
    /// The vector was dropped before this table began.
    Gone,
}

impl Column {
    fn new(vector: Option<&VectorSchema>) -> Self {
        match vector.map(|vector| &vector.kind) {
            Some(VectorKind::Dense(dense)) => Column::Dense(Box::new(MemVectors {
                rows: AppendRows::new(dense.params.row_bytes()),
                owners: AppendList::new(),
                live: Live::new(dense),
            })),
            Some(kind @ (VectorKind::Multi(_) | VectorKind::Sparse(_))) => {
                let is_sparse = matches!(kind, VectorKind::Sparse(_));
                Column::Ragged(Box::new(MemRagged::new(is_sparse)))
            }
            None => Column::Gone,
        }
    }

    /// Adds the vector of a row, and answers its place.
    fn push(&self, row: u32, bytes: &[u8]) -> u32 {
        match self {
            Column::Dense(vectors) => {
                // The owner goes first: a reader that sees the vector must find whose it is.
                vectors.owners.push(row);
                vectors.rows.push(bytes)
            }
            Column::Ragged(ragged) => ragged.push(row, bytes),
            Column::Gone => NONE,
        }
    }

    fn dense(&self) -> Option<&MemVectors> {
        match self {
            Column::Dense(vectors) => Some(vectors),
            Column::Ragged(_) | Column::Gone => None,
        }
    }

    fn get(&self, place: u32) -> Option<&[u8]> {
        match self {
            Column::Dense(vectors) => vectors.rows.row(place),
            Column::Ragged(ragged) => ragged.get(place),
            Column::Gone => None,
        }
    }
}

/// A table of point versions. One writer (the sequencer) appends; readers never block it.
#[derive(Debug)]
pub(crate) struct Memtable {
    rows: AppendList<MemRow>,
    columns: Vec<Column>,
    newest: RwLock<BTreeMap<PointId, u32>>,
    pub(crate) created: Instant,
    texts: Arc<Texts>,
    bytes: AtomicUsize,
    /// Bytes that the write buffer has been told of.
    settled: AtomicUsize,
    payload_bytes: AtomicU64,
    dead: AtomicU32,
    first_lsn: AtomicU64,
    last_lsn: AtomicU64,
    last_seq: AtomicU64,
}

impl Memtable {
    pub(crate) fn new(schema: &Schema) -> Self {
        let column = |slot| Column::new(schema.vector(slot));
        Memtable {
            rows: AppendList::new(),
            columns: (0..schema.slots()).map(column).collect(),
            newest: RwLock::new(BTreeMap::new()),
            created: Instant::now(),
            texts: Texts::new(schema),
            bytes: AtomicUsize::new(0),
            settled: AtomicUsize::new(0),
            payload_bytes: AtomicU64::new(0),
            dead: AtomicU32::new(0),
            first_lsn: AtomicU64::new(0),
            last_lsn: AtomicU64::new(0),
            last_seq: AtomicU64::new(0),
        }
    }

    /// Notes that an operation of this log and collection sequence number belongs here, rows or not.
    pub(crate) fn cover(&self, lsn: Lsn, seq: u64) {
        let _ = self
            .first_lsn
            .compare_exchange(0, lsn, Ordering::AcqRel, Ordering::Acquire);
        self.last_lsn.fetch_max(lsn, Ordering::AcqRel);
        self.last_seq.fetch_max(seq, Ordering::AcqRel);
    }

    /// Appends a version of a point; a version of the same point in this table must have been ended before.
    /// `vectors` are stored bytes by schema slot.
    pub(crate) fn push(
        &self,
        id: PointId,
        version: u64,
        lsn: Lsn,
        payload: &[u8],
        vectors: &[Option<&[u8]>],
    ) {
        let row = self.rows.len();
        let texts = self.texts.row(payload.len());
        let mut bytes = payload.len() + 160 + self.columns.len() * size_of::<u32>();
        bytes += texts.as_ref().map_or(0, |texts| texts.room());
        let places = self
            .columns
            .iter()
            .zip(vectors)
            .map(|(column, vector)| match vector {
                Some(data) => {
                    bytes += data.len() + VECTOR_BYTES;
                    column.push(row, data)
                }
                None => NONE,
            });
        let places = places.collect();
        self.payload_bytes
            .fetch_add(payload.len() as u64, Ordering::Relaxed);
        let payload = payload.into();
        // Held until the row can be read: nobody finds a number that leads nowhere.
        let mut newest = self.newest.write();
        let earlier = newest.insert(id, row).unwrap_or(NONE);
        self.rows.push(MemRow {
            id,
            version,
            payload,
            born: lsn,
            died: AtomicU64::new(ALIVE),
            earlier,
            places,
            texts,
        });
        drop(newest);
        self.bytes.fetch_add(bytes, Ordering::AcqRel);
    }

    /// Ends a version. False when it had ended already.
    pub(crate) fn kill(&self, row: u32, lsn: Lsn) -> bool {
        let killed = self.rows.get(row).is_some_and(|row| {
            row.died
                .compare_exchange(ALIVE, lsn, Ordering::AcqRel, Ordering::Acquire)
                .is_ok()
        });
        if killed {
            // Before readers' horizon comes to `lsn`: who may not see the row also sees that some are dead.
            self.dead.fetch_add(1, Ordering::AcqRel);
        }
        killed
    }

    /// Versions that have ended.
    pub(crate) fn dead(&self) -> u32 {
        self.dead.load(Ordering::Acquire)
    }

    /// True when a graph should grow, once for each.
    pub(crate) fn asks_for_growth(&self) -> bool {
        let asking = self
            .columns
            .iter()
            .filter_map(Column::dense)
            .filter(|vectors| vectors.live.asks(vectors.rows.len()));
        asking.count() > 0
    }

    /// Bytes held, about: what was written, and what of it is kept for searches.
    pub(crate) fn bytes(&self) -> usize {
        let ragged = self.columns.iter().map(|column| match column {
            Column::Ragged(ragged) => ragged.kept(),
            Column::Dense(_) | Column::Gone => 0,
        });
        self.bytes.load(Ordering::Acquire) + self.texts.bytes() + ragged.sum::<usize>()
    }

    /// Bytes that are held and were not counted yet. The sequencer's lock is held, or nobody else writes.
    pub(crate) fn settle(&self) -> usize {
        let held = self.bytes();
        held.saturating_sub(self.settled.swap(held, Ordering::AcqRel))
    }

    /// Bytes that were counted.
    pub(crate) fn settled(&self) -> usize {
        self.settled.load(Ordering::Acquire)
    }

    /// Bytes of payloads, those of ended versions included.
    pub(crate) fn payload_bytes(&self) -> u64 {
        self.payload_bytes.load(Ordering::Relaxed)
    }

    /// True when no operation belongs here.
    pub(crate) fn is_empty(&self) -> bool {
        self.last_lsn() == 0
    }

    /// Log sequence number of the first operation in this table; 0 when there is none.
    pub(crate) fn first_lsn(&self) -> Lsn {
        self.first_lsn.load(Ordering::Acquire)
    }

    /// Log sequence number of the last operation in this table; 0 when there is none.
    pub(crate) fn last_lsn(&self) -> Lsn {
        self.last_lsn.load(Ordering::Acquire)
    }

    /// Collection sequence number of the last operation in this table; 0 when there is none.
    pub(crate) fn last_seq(&self) -> u64 {
        self.last_seq.load(Ordering::Acquire)
    }

    pub(crate) fn row(&self, row: u32) -> Option<&MemRow> {
        self.rows.get(row)
    }

    /// All versions, in the order they were written.
    pub(crate) fn rows(&self) -> impl Iterator<Item = (u32, &MemRow)> {
        self.rows.iter()
    }

    /// How many versions there are.
    pub(crate) fn len(&self) -> u32 {
        self.rows.len()
    }

    /// The dense vectors of a schema slot.
    pub(crate) fn vectors(&self, vector: usize) -> Option<&MemVectors> {
        self.columns.get(vector)?.dense()
    }

    /// The multivectors or sparse vectors of a schema slot.
    pub(crate) fn ragged(&self, vector: usize) -> Option<&MemRagged> {
        match self.columns.get(vector)? {
            Column::Ragged(ragged) => Some(ragged),
            Column::Dense(_) | Column::Gone => None,
        }
    }

    /// About how many bytes the vectors of a schema slot have.
    pub(crate) fn vector_bytes(&self, vector: usize) -> usize {
        match self.columns.get(vector) {
            Some(Column::Dense(vectors)) => vectors.rows.len() as usize * vectors.rows.row_bytes(),
            Some(Column::Ragged(ragged)) => ragged.bytes(),
            Some(Column::Gone) | None => 0,
        }
    }

    /// The stored bytes of a row's vector.
    pub(crate) fn vector(&self, row: &MemRow, vector: usize) -> Option<&[u8]> {
        let place = *row.places.get(vector)?;
        self.columns.get(vector)?.get(place)
    }

    /// The newest version of a point, if it has not ended.
    pub(crate) fn latest(&self, id: PointId) -> Option<u32> {
        let row = *self.newest.read().get(&id)?;
        self.rows.get(row)?.is_latest().then_some(row)
    }

    /// The version of a point that a reader at `snapshot` sees.
    pub(crate) fn find(&self, id: PointId, snapshot: Lsn) -> Option<u32> {
        let newest = self.newest.read().get(&id).copied();
        self.visible_from(newest?, snapshot)
    }

    fn visible_from(&self, mut row: u32, snapshot: Lsn) -> Option<u32> {
        loop {
            let version = self.rows.get(row)?;
            if version.born <= snapshot {
                // What came before it died when it was born, or earlier.
                return version.visible(snapshot).then_some(row);
            }
            row = version.earlier;
        }
    }

    /// Rows that a reader at `snapshot` sees with ids from `from` on, ascending by id, at most `limit`.
    pub(crate) fn page(&self, from: Bound<PointId>, limit: usize, snapshot: Lsn) -> Vec<(PointId, u32)> {
        let newest = self.newest.read();
        newest
            .range((from, Bound::Unbounded))
            .filter_map(|(&id, &row)| Some((id, self.visible_from(row, snapshot)?)))
            .take(limit)
            .collect()
    }

    /// As [`page`](Self::page), backward: the last `limit` points up to an id, the greatest id first.
    pub(crate) fn page_back(&self, to: Bound<PointId>, limit: usize, snapshot: Lsn) -> Vec<(PointId, u32)> {
        let newest = self.newest.read();
        newest
            .range((Bound::Unbounded, to))
            .rev()
            .filter_map(|(&id, &row)| Some((id, self.visible_from(row, snapshot)?)))
            .take(limit)
            .collect()
    }
}

#[cfg(test)]
mod tests;
