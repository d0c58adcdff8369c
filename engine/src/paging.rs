//! Full vectors that may not be in memory.
//!
//! A walk ends in reading a few dozen vectors here and there. Read one after another from a disk, each costs a wait of
//! its own, a tenth of a millisecond; asked for together, they cost about one. But asking is a call of the system for each
//! vector, several times what reading it from memory takes. So it is done only while reading turns out slow.

use std::cell::Cell;
use std::time::Duration;

use vdb_index::full::FullVectors;
use vdb_storage::vectors::VectorsReader;
use vdb_sys::element::MatrixView;
use vdb_sys::sync::Instant;
use vdb_sys::sync::atomic::{AtomicU32, Ordering};

/// Reading a vector takes a fraction of a microsecond from memory, some fifty from a fast disk: the time between, for each,
const SLOW: Duration = Duration::from_micros(5);
/// and for each so many bytes of it.
const SLOW_BYTES: u64 = 16 << 10;

/// So many searches in a row that were quick say that vectors are in memory again: while all are asked for, some that were not
/// there seem quick too.
const QUICK: u32 = 64;

/// Whether reading the vectors of a file waits for the disk, by what the last searches saw.
#[derive(Debug, Default)]
pub(crate) struct Waits {
    /// Searches that are to be quick before it is believed that none will wait.
    doubts: AtomicU32,
}

impl Waits {
    fn are_likely(&self) -> bool {
        self.doubts.load(Ordering::Relaxed) > 0
    }

    /// Takes into account that `rows` vectors of `row_bytes` were read in `time`.
    fn note(&self, rows: u64, row_bytes: u64, time: Duration) {
        let doubts = self.doubts.load(Ordering::Relaxed);
        let units = u128::from(rows) * u128::from(1 + row_bytes / SLOW_BYTES);
        let slow = rows > 0 && time.as_nanos() > SLOW.as_nanos() * units;
        let now = if slow { QUICK } else { doubts.saturating_sub(1) };
        // Searches that write at once may count as one; not writing what is there keeps the line in every processor's cache.
        if now != doubts {
            self.doubts.store(now, Ordering::Relaxed);
        }
    }
}

/// The vectors of a file, for one search.
pub(crate) struct Paged<'a> {
    file: &'a VectorsReader,
    matrix: MatrixView<'a>,
    waits: &'a Waits,
    since: Cell<Option<Instant>>,
}

impl<'a> Paged<'a> {
    pub(crate) fn new(file: &'a VectorsReader, waits: &'a Waits) -> Self {
        Paged {
            file,
            matrix: file.scattered(),
            waits,
            since: Cell::new(None),
        }
    }
}

impl FullVectors for Paged<'_> {
    #[inline]
    fn vector(&self, row: u32) -> Option<&[u8]> {
        self.matrix.row(row)
    }

    fn will_read(&self, rows: impl Iterator<Item = u32>) {
        if self.waits.are_likely() {
            rows.for_each(|row| self.file.read_ahead(row));
        }
        // After that: what asking takes says nothing of reading.
        if self.since.get().is_none() {
            self.since.set(Some(Instant::now()));
        }
    }

    fn have_read(&self, rows: u64) {
        if let Some(since) = self.since.take() {
            let row_bytes = self.matrix.row_bytes() as u64;
            self.waits.note(rows, row_bytes, since.elapsed());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_slow_search_makes_waits_likely_until_enough_were_quick() {
        let waits = Waits::default();
        let row = 1536;
        assert!(!waits.are_likely());
        waits.note(30, row, SLOW * 30);
        waits.note(30, SLOW_BYTES, SLOW * 31);
        // A search that was cut short has read nothing.
        waits.note(0, row, SLOW);
        assert!(!waits.are_likely());
        waits.note(30, row, SLOW * 31);
        for _ in 0..QUICK {
            assert!(waits.are_likely());
            waits.note(30, row, SLOW);
        }
        assert!(!waits.are_likely());
    }
}
