//! The rows of a token while an index is built, and where each of them has it: few bytes an occurrence.

use crate::postings::number;

/// The rows of a token, ascending.
#[derive(Debug, Default)]
pub(super) struct List {
    pub(super) count: u32,
    last: u32,
    /// Each row less the one before.
    rows: Vec<u8>,
    /// As in the file, without marks.
    pub(super) details: Vec<u8>,
}

impl List {
    /// Appends a row, not before the last one, and the positions at which it has the token, ascending. Returns by how many bytes
    /// the list has grown.
    pub(super) fn push(&mut self, row: u32, positions: impl ExactSizeIterator<Item = u64>) -> usize {
        let before = self.bytes();
        number::push(u64::from(row - self.last), &mut self.rows);
        number::push(positions.len() as u64, &mut self.details);
        let mut last = 0;
        for position in positions {
            number::push(position - last, &mut self.details);
            last = position;
        }
        self.last = row;
        self.count += 1;
        self.bytes() - before
    }

    fn bytes(&self) -> usize {
        self.rows.capacity() + self.details.capacity()
    }

    pub(super) fn rows(&self) -> Vec<u32> {
        let mut reader = self.reader();
        let rows = std::iter::from_fn(|| reader.next_row());
        rows.collect()
    }

    /// For reading rows and positions in their order.
    pub(super) fn reader(&self) -> Reader<'_> {
        Reader {
            rows: &self.rows,
            details: &self.details,
            row: 0,
        }
    }
}

/// Reads a list from its first row on.
pub(super) struct Reader<'a> {
    rows: &'a [u8],
    details: &'a [u8],
    row: u32,
}

impl Reader<'_> {
    /// The next row; `None` behind the last one.
    pub(super) fn next_row(&mut self) -> Option<u32> {
        let step = number::take(&mut self.rows)?;
        // What was written here fits.
        self.row += step as u32;
        Some(self.row)
    }

    /// Passes the positions of the row that [`next_row`](Self::next_row) has come to. To be called for each row, or for none.
    pub(super) fn each_position(&mut self, mut take: impl FnMut(u64)) {
        let mut position = 0;
        for _ in 0..number::take(&mut self.details).unwrap_or_default() {
            position += number::take(&mut self.details).unwrap_or_default();
            take(position);
        }
    }
}
