//! Which rows of a segment are dead, and since when.

use std::sync::OnceLock;

use vdb_sys::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use vdb_wal::Lsn;

/// Rows a chunk of marks covers.
const CHUNK: usize = 4096;

/// No deletion has touched the row.
const ALIVE: u64 = u64::MAX;

/// The log sequence number at which each dead row of a segment died, kept in chunks that exist only where rows
/// have died. A row dies once: an update is a deletion and a new row elsewhere.
#[derive(Debug)]
pub(crate) struct Deletions {
    chunks: Box<[OnceLock<Box<[AtomicU64]>>]>,
    rows: u32,
    dead: AtomicU32,
}

impl Deletions {
    pub(crate) fn new(rows: u32) -> Self {
        let chunks = (0..(rows as usize).div_ceil(CHUNK))
            .map(|_| OnceLock::new())
            .collect();
        Deletions {
            chunks,
            rows,
            dead: AtomicU32::new(0),
        }
    }

    /// Marks a row dead from `lsn` on. False when it was dead already or does not exist.
    pub(crate) fn mark(&self, row: u32, lsn: Lsn) -> bool {
        if row >= self.rows {
            return false;
        }
        let Some(chunk) = self.chunks.get(row as usize / CHUNK) else {
            return false;
        };
        let marks = chunk.get_or_init(|| (0..CHUNK).map(|_| AtomicU64::new(ALIVE)).collect());
        let fresh = marks[row as usize % CHUNK]
            .compare_exchange(ALIVE, lsn, Ordering::AcqRel, Ordering::Acquire)
            .is_ok();
        if fresh {
            self.dead.fetch_add(1, Ordering::AcqRel);
        }
        fresh
    }

    /// The sequence number at which a row died.
    pub(crate) fn died_at(&self, row: u32) -> Option<Lsn> {
        let marks = self.chunks.get(row as usize / CHUNK)?.get()?;
        Some(marks[row as usize % CHUNK].load(Ordering::Acquire)).filter(|&lsn| lsn != ALIVE)
    }

    /// True when a reader at `snapshot` sees the row.
    pub(crate) fn is_live(&self, row: u32, snapshot: Lsn) -> bool {
        self.died_at(row).is_none_or(|lsn| lsn > snapshot)
    }

    /// True when no row has ever died: scans need not look at marks.
    pub(crate) fn is_empty(&self) -> bool {
        self.dead_total() == 0
    }

    /// Rows that have died by now, visible to readers or not.
    pub(crate) fn dead_total(&self) -> u32 {
        self.dead.load(Ordering::Acquire)
    }

    /// Dead rows with the number at which each died, by row.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u32, Lsn)> {
        self.chunks
            .iter()
            .enumerate()
            .filter_map(|(c, chunk)| Some((c, chunk.get()?)))
            .flat_map(|(c, marks)| {
                marks.iter().enumerate().filter_map(move |(i, mark)| {
                    let lsn = mark.load(Ordering::Acquire);
                    (lsn != ALIVE).then_some(((c * CHUNK + i) as u32, lsn))
                })
            })
    }

    /// Rows dead to a reader at `snapshot`.
    pub(crate) fn dead_at(&self, snapshot: Lsn) -> u64 {
        if snapshot == Lsn::MAX {
            u64::from(self.dead_total())
        } else if self.is_empty() {
            // Not the total: by now some may have died, above the snapshot.
            0
        } else {
            self.iter().filter(|&(_, lsn)| lsn <= snapshot).count() as u64
        }
    }
}

#[cfg(test)]
mod tests;
