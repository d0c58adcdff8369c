//! Rows that one thread adds while others read, without locks on the reading side.

use crate::aligned::ALIGN;
use crate::sync::Mutex;
use crate::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::alloc::{self, Layout};
use std::fmt;
use std::ptr::NonNull;
use std::sync::OnceLock;

/// Chunks start at about this many bytes and double, so that a tiny collection stays tiny...
const FIRST_CHUNK_BYTES: usize = 4 << 10;
/// ...up to this many, or one row if that is larger.
const FULL_CHUNK_BYTES: usize = 1 << 20;
/// Shelf `i` of the directory holds `2^i` chunks, so this many shelves reach any chunk number.
const SHELVES: usize = 32;

/// Append-only rows of equal length.
///
/// Rows lie in chunks that never move, so a row's slice stays valid as long as the container does,
/// whatever is pushed meanwhile. Any thread may push; pushes take turns on a lock. Readers take
/// none: they see the rows below [`AppendRows::len`], which only grows.
///
/// # How a row is published
/// A push writes the row into memory that no reader looks at, because it lies at or behind the
/// published length, and then stores the new length with `Release`. A reader loads the length with
/// `Acquire` before it touches a row, so it sees the row's bytes and the chunk that holds them. The
/// bytes below the published length are never written again.
pub struct AppendRows {
    shape: Shape,
    /// Published rows; written under `writer` only.
    len: AtomicU32,
    /// Bytes allocated for chunks.
    allocated: AtomicUsize,
    writer: Mutex<()>,
    /// The directory: shelf `i` holds chunks `2^i - 1 .. 2^(i+1) - 1`. Shelves never move either.
    shelves: [OnceLock<Box<[OnceLock<Chunk>]>>; SHELVES],
}

/// How rows map to chunks: `2^first` rows in chunk 0, then as many as all before it together until
/// a chunk holds `2^full` rows, then `2^full` each.
#[derive(Debug, Clone, Copy)]
struct Shape {
    row_bytes: usize,
    first: u32,
    full: u32,
}

impl Shape {
    fn new(row_bytes: usize) -> Self {
        let rows_log2 = |bytes: usize| (bytes / row_bytes).max(1).ilog2();
        Self {
            row_bytes,
            first: rows_log2(FIRST_CHUNK_BYTES),
            full: rows_log2(FULL_CHUNK_BYTES),
        }
    }

    /// The chunk that holds `row`, and the row's place in it.
    fn place(&self, row: u32) -> (usize, usize) {
        if row >> self.first == 0 {
            (0, row as usize)
        } else if row >> self.full == 0 {
            let log2 = row.ilog2();
            ((log2 - self.first + 1) as usize, (row ^ (1 << log2)) as usize)
        } else {
            let chunk = (row >> self.full) + (self.full - self.first);
            (chunk as usize, (row & ((1 << self.full) - 1)) as usize)
        }
    }

    /// Rows that chunk number `chunk` holds.
    fn rows(&self, chunk: usize) -> usize {
        let doublings = u32::try_from(chunk).map_or(u32::MAX, |chunk| chunk.saturating_sub(1));
        1 << self.full.min(self.first.saturating_add(doublings))
    }
}

/// The shelf that holds chunk number `chunk`, and the chunk's place on it.
fn shelf_of(chunk: usize) -> (usize, usize) {
    let log2 = (chunk + 1).ilog2();
    (log2 as usize, (chunk + 1) ^ (1 << log2))
}

/// One allocation; frees itself.
struct Chunk {
    ptr: NonNull<u8>,
    layout: Layout,
}

// SAFETY: a chunk owns its memory alone. Access from several threads goes through `AppendRows`,
// which lets them read published bytes, that never change, and one at a time write unpublished ones.
unsafe impl Send for Chunk {}
// SAFETY: as above.
unsafe impl Sync for Chunk {}

impl Chunk {
    fn new(rows: usize, row_bytes: usize) -> Self {
        let layout = rows
            .checked_mul(row_bytes)
            .and_then(|bytes| Layout::from_size_align(bytes, ALIGN).ok());
        // `Shape` keeps chunks at 1 MiB or one row, and a row that a caller holds in memory has a
        // valid layout up to the alignment.
        let Some(layout) = layout else { row_too_long() };
        // SAFETY: neither factor of the size is 0: `Shape::rows` is a power of two, and
        // `AppendRows::new` refuses rows of 0 bytes.
        let ptr = unsafe { alloc::alloc(layout) };
        let Some(ptr) = NonNull::new(ptr) else {
            alloc::handle_alloc_error(layout)
        };
        Self { ptr, layout }
    }
}

#[cold]
#[expect(
    clippy::panic,
    reason = "a row as long as the address space is a bug of the caller"
)]
fn row_too_long() -> ! {
    panic!("row too long to allocate")
}

impl Drop for Chunk {
    fn drop(&mut self) {
        // SAFETY: allocated in `new` with this layout, and freed nowhere else.
        unsafe { alloc::dealloc(self.ptr.as_ptr(), self.layout) };
    }
}

impl AppendRows {
    /// No rows yet, each to be `row_bytes` long. Allocates nothing before the first push.
    ///
    /// # Panics
    /// If `row_bytes` is 0.
    pub fn new(row_bytes: usize) -> Self {
        assert_ne!(row_bytes, 0, "rows of no bytes");
        Self {
            shape: Shape::new(row_bytes),
            len: AtomicU32::new(0),
            allocated: AtomicUsize::new(0),
            writer: Mutex::new(()),
            shelves: [const { OnceLock::new() }; SHELVES],
        }
    }

    /// Bytes of a row.
    pub fn row_bytes(&self) -> usize {
        self.shape.row_bytes
    }

    /// Rows that can be read. Whoever sees a length also sees every row below it.
    #[inline]
    pub fn len(&self) -> u32 {
        self.len.load(Ordering::Acquire)
    }

    /// Whether there is no row yet.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes allocated for rows, used or not.
    pub fn bytes(&self) -> usize {
        self.allocated.load(Ordering::Relaxed)
    }

    /// Adds a row and returns its number. Numbers are consecutive from 0.
    ///
    /// # Panics
    /// If `row` is not [`AppendRows::row_bytes`] long, or if there are `u32::MAX` rows already.
    pub fn push(&self, row: &[u8]) -> u32 {
        assert_eq!(row.len(), self.shape.row_bytes, "length of a row");
        let _turn = self.writer.lock();
        // `Relaxed`: only holders of the lock write the length, and the lock orders them.
        let number = self.len.load(Ordering::Relaxed);
        assert_ne!(number, u32::MAX, "too many rows");
        let (chunk, place) = self.shape.place(number);
        let chunk = self.chunk_or_new(chunk);
        // SAFETY: `Shape::place` stays below `Shape::rows` of its chunk, so the destination lies
        // within the allocation. Its row is not published, so no reader looks at it, and the lock
        // keeps other writers away; `row` cannot overlap memory that no one has a slice of.
        unsafe {
            let to = chunk.ptr.as_ptr().add(place * self.shape.row_bytes);
            std::ptr::copy_nonoverlapping(row.as_ptr(), to, row.len());
        }
        self.len.store(number + 1, Ordering::Release);
        number
    }

    /// The bytes of row `row`, or `None` if it is not published yet.
    #[inline]
    pub fn row(&self, row: u32) -> Option<&[u8]> {
        if row >= self.len() {
            return None;
        }
        let (chunk, place) = self.shape.place(row);
        let chunk = self.chunk(chunk)?;
        let row_bytes = self.shape.row_bytes;
        // SAFETY: `row` is below a length that was loaded with `Acquire`, so its bytes were written
        // before and are never written again; they lie within the chunk as in `push`. The chunk
        // lives as long as `self`.
        Some(unsafe { std::slice::from_raw_parts(chunk.ptr.as_ptr().add(place * row_bytes), row_bytes) })
    }

    /// All rows published at the time of the call as runs of rows that lie back to back, in order:
    /// the number of a run's first row, and the bytes of the run, which start at a multiple of
    /// [`ALIGN`].
    pub fn chunks(&self) -> impl Iterator<Item = (u32, &[u8])> {
        let len = self.len();
        let mut first = 0u32;
        std::iter::from_fn(move || {
            if first >= len {
                return None;
            }
            let (number, _) = self.shape.place(first);
            let rows = self.shape.rows(number).min((len - first) as usize);
            let chunk = self.chunk(number)?;
            // SAFETY: `first` is the first row of its chunk, and all of `rows` rows are below a
            // length loaded with `Acquire`: initialised, unchanging, and within the chunk.
            let bytes =
                unsafe { std::slice::from_raw_parts(chunk.ptr.as_ptr(), rows * self.shape.row_bytes) };
            let run = (first, bytes);
            // Cannot wrap: `rows` is at most `len - first`.
            first += rows as u32;
            Some(run)
        })
    }

    #[inline]
    fn chunk(&self, number: usize) -> Option<&Chunk> {
        let (shelf, place) = shelf_of(number);
        self.shelves.get(shelf)?.get()?.get(place)?.get()
    }

    /// Called under the writer lock only.
    fn chunk_or_new(&self, number: usize) -> &Chunk {
        let (shelf, place) = shelf_of(number);
        let shelf =
            self.shelves[shelf].get_or_init(|| (0..1usize << shelf).map(|_| OnceLock::new()).collect());
        shelf[place].get_or_init(|| {
            let chunk = Chunk::new(self.shape.rows(number), self.shape.row_bytes);
            self.allocated.fetch_add(chunk.layout.size(), Ordering::Relaxed);
            chunk
        })
    }
}

impl fmt::Debug for AppendRows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AppendRows")
            .field("row_bytes", &self.shape.row_bytes)
            .field("len", &self.len())
            .field("bytes", &self.bytes())
            .finish()
    }
}

#[cfg(test)]
mod tests;
