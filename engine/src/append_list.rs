//! A list that only grows, read without locks while one writer appends.

use std::sync::OnceLock;

use vdb_sys::sync::atomic::{AtomicU32, Ordering};

/// Entries of the first chunk; each further chunk doubles.
const FIRST: u32 = 32;
/// Chunks enough for every `u32` index.
const CHUNKS: usize = 28;

/// Items at stable places, in chunks of doubling size that never move.
///
/// Appending must be serialised by the caller (a second append in parallel would wait for nothing and lose its
/// item's place: it is refused by returning the item); reading needs nothing.
#[derive(Debug)]
pub(crate) struct AppendList<T> {
    chunks: [OnceLock<Box<[OnceLock<T>]>>; CHUNKS],
    len: AtomicU32,
}

fn place(index: u32) -> (usize, usize) {
    let shifted = u64::from(index) + u64::from(FIRST);
    let chunk = shifted.ilog2() - FIRST.ilog2();
    let start = (u64::from(FIRST) << chunk) - u64::from(FIRST);
    (chunk as usize, (u64::from(index) - start) as usize)
}

impl<T> AppendList<T> {
    pub(crate) fn new() -> Self {
        AppendList {
            chunks: [const { OnceLock::new() }; CHUNKS],
            len: AtomicU32::new(0),
        }
    }

    /// Items that readers can see.
    pub(crate) fn len(&self) -> u32 {
        self.len.load(Ordering::Acquire)
    }

    /// Appends one item and returns its index.
    pub(crate) fn push(&self, item: T) -> u32 {
        let index = self.len.load(Ordering::Relaxed);
        let (chunk, at) = place(index);
        let slots = self.chunks[chunk]
            .get_or_init(|| (0..(FIRST as usize) << chunk).map(|_| OnceLock::new()).collect());
        let fresh = slots[at].set(item).is_ok();
        debug_assert!(fresh, "appends are serialised by the caller");
        self.len.store(index + 1, Ordering::Release);
        index
    }

    /// The item at `index`, if it has been appended.
    pub(crate) fn get(&self, index: u32) -> Option<&T> {
        let (chunk, at) = place(index);
        self.chunks.get(chunk)?.get()?.get(at)?.get()
    }

    /// The items appended so far, in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u32, &T)> {
        (0..self.len()).filter_map(|i| Some((i, self.get(i)?)))
    }
}

#[cfg(test)]
mod tests;
