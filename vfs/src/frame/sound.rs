//! Remembers which chunks of a section were what their checksums say.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

/// Bits of a word of [`SoundChunks`].
const WORD: u64 = u64::BITS as u64;

/// Which chunks of one section of an open file have been found to be what was written: a bit each, once there is one.
#[derive(Debug, Default)]
pub(super) struct SoundChunks(OnceLock<Box<[AtomicU64]>>);

impl SoundChunks {
    /// Whether [`begin`](Self::begin) was called.
    pub(super) fn has_begun(&self) -> bool {
        self.0.get().is_some()
    }

    /// Makes room for so many chunks, none of which is known yet; the first call counts.
    pub(super) fn begin(&self, chunks: u64) {
        let words = chunks.div_ceil(WORD);
        self.0
            .get_or_init(|| (0..words).map(|_| AtomicU64::new(0)).collect());
    }

    /// Whether a chunk was noted.
    pub(super) fn has(&self, chunk: u64) -> bool {
        // The bytes never change: nothing else has to be seen with the bit.
        let word = self.word(chunk);
        word.is_some_and(|word| word.load(Ordering::Relaxed) & bit(chunk) != 0)
    }

    /// Notes that a chunk is sound.
    pub(super) fn note(&self, chunk: u64) {
        if let Some(word) = self.word(chunk) {
            word.fetch_or(bit(chunk), Ordering::Relaxed);
        }
    }

    fn word(&self, chunk: u64) -> Option<&AtomicU64> {
        self.0.get()?.get((chunk / WORD) as usize)
    }
}

fn bit(chunk: u64) -> u64 {
    1 << (chunk % WORD)
}
