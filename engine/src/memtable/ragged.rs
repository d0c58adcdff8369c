//! Multivectors or sparse vectors of one name, in the order they were written.
//!
//! Sparse vectors that fill a block have a list of their dimensions, made when a search first wants it and kept: which of them share
//! one with a query is looked up, and the others are not scored. A list takes five bytes a value, where the values take eight.

use std::sync::OnceLock;

use vdb_sys::sync::atomic::{AtomicUsize, Ordering};
use vdb_sys::words::Words;

use crate::append_list::AppendList;
use crate::vectors::with_sparse;

/// Vectors of a block.
pub(crate) const BLOCK: u32 = 256;

/// The multivectors or sparse vectors of one name, in the order they were written.
#[derive(Debug)]
pub(crate) struct MemRagged {
    vectors: AppendList<(u32, Words)>,
    bytes: AtomicUsize,
    /// Of sparse vectors: one for each block that has begun.
    blocks: Option<AppendList<OnceLock<Block>>>,
    /// Bytes of blocks.
    kept: AtomicUsize,
}

impl MemRagged {
    pub(super) fn new(is_sparse: bool) -> Self {
        MemRagged {
            vectors: AppendList::new(),
            bytes: AtomicUsize::new(0),
            blocks: is_sparse.then(AppendList::new),
            kept: AtomicUsize::new(0),
        }
    }

    /// Adds the vector of a row, and answers its place.
    pub(super) fn push(&self, row: u32, bytes: &[u8]) -> u32 {
        self.bytes.fetch_add(bytes.len(), Ordering::Relaxed);
        if let Some(blocks) = &self.blocks
            && self.vectors.len().is_multiple_of(BLOCK)
        {
            blocks.push(OnceLock::new());
        }
        self.vectors.push((row, Words::from(bytes)))
    }

    pub(super) fn get(&self, place: u32) -> Option<&[u8]> {
        self.vectors.get(place).map(|(_, bytes)| &**bytes)
    }

    /// Each with the memtable row that it belongs to, from the place `first` on.
    pub(crate) fn iter_from(&self, first: u32) -> impl Iterator<Item = (u32, &[u8])> {
        (first..self.vectors.len()).filter_map(|place| self.at(place))
    }

    /// The one at a place, with the memtable row that it belongs to.
    pub(crate) fn at(&self, place: u32) -> Option<(u32, &[u8])> {
        self.vectors.get(place).map(|(row, bytes)| (*row, &**bytes))
    }

    /// How many there are.
    pub(crate) fn len(&self) -> u32 {
        self.vectors.len()
    }

    /// Bytes of all of them.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Bytes that are kept of them for searches.
    pub(super) fn kept(&self) -> usize {
        self.kept.load(Ordering::Relaxed)
    }

    /// What the sparse vectors from `first` on, a multiple of [`BLOCK`], have at which dimensions; `None` where not so many are
    /// there yet, and of multivectors.
    pub(crate) fn block(&self, first: u32) -> Option<&Block> {
        let end = first.checked_add(BLOCK)?;
        if end > self.vectors.len() {
            return None;
        }
        let place = self.blocks.as_ref()?.get(first / BLOCK)?;
        if let Some(block) = place.get() {
            return Some(block);
        }
        let block = Block::new((first..end).filter_map(|place| self.get(place)));
        let bytes = block.bytes();
        // Another reader may have been faster.
        if place.set(block).is_ok() {
            self.kept.fetch_add(bytes, Ordering::Relaxed);
        }
        place.get()
    }
}

/// At which dimensions the sparse vectors of a block have values.
#[derive(Debug)]
pub(crate) struct Block {
    /// Ascending, each as often as there are vectors with it.
    dimensions: Box<[u32]>,
    /// Of each the vector, by its place in the block, ascending within a dimension.
    places: Box<[u8]>,
}

impl Block {
    fn new<'a>(vectors: impl Iterator<Item = &'a [u8]>) -> Self {
        let mut pairs: Vec<(u32, u8)> = Vec::new();
        for (stored, place) in vectors.zip(0..=u8::MAX) {
            with_sparse(stored, |vector| {
                pairs.extend(vector.dimensions().iter().map(|&dimension| (dimension, place)));
            });
        }
        pairs.sort_unstable();
        Block {
            dimensions: pairs.iter().map(|(dimension, _)| *dimension).collect(),
            places: pairs.iter().map(|(_, place)| *place).collect(),
        }
    }

    fn bytes(&self) -> usize {
        size_of_val(&*self.dimensions) + size_of_val(&*self.places)
    }

    /// The vectors that have a value at a dimension, by their places in the block, ascending.
    pub(crate) fn with(&self, dimension: u32) -> &[u8] {
        let start = self.dimensions.partition_point(|&other| other < dimension);
        let rest = self.dimensions.get(start..).unwrap_or_default();
        let count = rest.partition_point(|&other| other == dimension);
        self.places.get(start..start + count).unwrap_or_default()
    }

    /// Those that have a value at one dimension at least, ascending.
    pub(crate) fn with_any(&self, dimensions: &[u32]) -> impl Iterator<Item = u32> + use<> {
        let mut bits = [0u64; BLOCK as usize / 64];
        for &dimension in dimensions {
            for &place in self.with(dimension) {
                if let Some(word) = bits.get_mut(usize::from(place) / 64) {
                    *word |= 1 << (place % 64);
                }
            }
        }
        (0..BLOCK).filter(move |&place| {
            let word = bits.get(place as usize / 64).copied().unwrap_or_default();
            word >> (place % 64) & 1 == 1
        })
    }
}

#[cfg(test)]
mod tests;
