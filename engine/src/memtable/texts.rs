//! What tokens the texts of fresh rows have: cut when they are first asked for, and kept.
//!
//! Who writes pays nothing for it, and who asks pays once for each row. What is kept of a memtable is bounded by what its payloads
//! take, and counted as part of it: beyond the bound, payloads are read each time.

use std::sync::{Arc, OnceLock};

use vdb_storage::ValueError;
use vdb_sys::sync::atomic::{AtomicUsize, Ordering};

use crate::filter::Tokens;
use crate::schema::Schema;

/// Bytes of tokens for each byte of payloads, at most. Words take about two, and many short tokens more.
const MOST_TIMES: usize = 4;

/// The indexes whose tokens a memtable keeps, and how much it keeps of them.
#[derive(Debug)]
pub(super) struct Texts {
    /// Numbers of payload indexes.
    indexes: Box<[u16]>,
    bytes: AtomicUsize,
    most: AtomicUsize,
}

impl Texts {
    /// Those that a schema has.
    pub(super) fn new(schema: &Schema) -> Arc<Self> {
        let of_texts = schema
            .payload_indexes
            .iter()
            .filter(|index| index.analysis.is_some());
        Arc::new(Texts {
            indexes: of_texts.map(|index| index.number).collect(),
            bytes: AtomicUsize::new(0),
            most: AtomicUsize::new(0),
        })
    }

    /// Bytes that are kept.
    pub(super) fn bytes(&self) -> usize {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Room for the tokens of one more row.
    pub(super) fn row(self: &Arc<Self>, payload: usize) -> Option<Box<RowTexts>> {
        if self.indexes.is_empty() {
            return None;
        }
        self.most
            .fetch_add(payload.saturating_mul(MOST_TIMES), Ordering::Relaxed);
        Some(Box::new(RowTexts {
            of: self.clone(),
            kept: self.indexes.iter().map(|_| OnceLock::new()).collect(),
        }))
    }
}

/// The tokens of one row, of each index.
#[derive(Debug)]
pub(crate) struct RowTexts {
    of: Arc<Texts>,
    kept: Box<[OnceLock<Tokens>]>,
}

impl RowTexts {
    /// The tokens for the index of a number, which `cut` makes where they are not there yet. `None` where they are not kept:
    /// the index is younger than the memtable, or too much is kept already.
    ///
    /// # Errors
    /// Those of `cut`.
    pub(crate) fn tokens(
        &self,
        index: u16,
        cut: impl FnOnce() -> Result<Option<Tokens>, ValueError>,
    ) -> Result<Option<&Tokens>, ValueError> {
        let place = self.of.indexes.iter().position(|&number| number == index);
        let Some(kept) = place.and_then(|place| self.kept.get(place)) else {
            return Ok(None);
        };
        if let Some(tokens) = kept.get() {
            return Ok(Some(tokens));
        }
        if self.of.bytes() >= self.of.most.load(Ordering::Relaxed) {
            return Ok(None);
        }
        let Some(tokens) = cut()? else {
            return Ok(None);
        };
        let bytes = tokens.bytes();
        // Another reader may have been faster.
        if kept.set(tokens).is_ok() {
            self.of.bytes.fetch_add(bytes, Ordering::Relaxed);
        }
        Ok(kept.get())
    }

    /// Bytes of room, whether or not it is used.
    pub(super) fn room(&self) -> usize {
        size_of::<Self>() + size_of_val(&*self.kept)
    }
}

#[cfg(test)]
mod tests;
