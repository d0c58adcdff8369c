//! Made-up texts as sparse vectors, with words as frequent as in a language.

use std::collections::BTreeMap;

use vdb_index::sparse::SparseVectors;
use vdb_sys::sparse::SparseView;

/// A language, the same in every run: of its words the n-th is drawn about 1/n as often as the first (Zipf).
#[derive(Debug)]
pub struct Words {
    /// Of how many draws one is this word or a more frequent one, by rank.
    shares: Vec<f64>,
    state: u64,
}

impl Words {
    /// A language of so many words.
    pub fn new(words: u32, seed: u64) -> Self {
        let mut sum = 0.0;
        let mut shares: Vec<f64> = (0..words)
            .map(|rank| {
                sum += 1.0 / (f64::from(rank) + 2.7);
                sum
            })
            .collect();
        shares.iter_mut().for_each(|share| *share /= sum);
        Self { shares, state: seed }
    }

    /// A text of `len` words, of which some are the same: the words, ascending, and a weight for each that grows less and
    /// less with its count, as in BM25, times what only chance decides.
    pub fn text(&mut self, len: usize) -> (Vec<u32>, Vec<f32>) {
        let mut counts: BTreeMap<u32, f32> = BTreeMap::new();
        for _ in 0..len {
            let drawn = self.unit();
            let rank = self.shares.partition_point(|&share| share < drawn) as u32;
            // Frequent words are not neighbours.
            *counts.entry(rank.wrapping_mul(2_654_435_761)).or_default() += 1.0;
        }
        let words = counts.keys().copied().collect();
        let weights = counts
            .values()
            .map(|count| 2.2 * count / (count + 1.2) * (0.5 + self.unit() as f32))
            .collect();
        (words, weights)
    }

    fn unit(&mut self) -> f64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut x = self.state;
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((x ^ (x >> 31)) >> 11) as f64 / (1u64 << 53) as f64
    }
}

/// Texts by row.
#[derive(Debug)]
pub struct SparseSet {
    words: Vec<u32>,
    weights: Vec<f32>,
    /// Where each text ends.
    ends: Vec<usize>,
}

impl SparseSet {
    /// As many texts of `len` words.
    pub fn draw(words: &mut Words, rows: u32, len: usize) -> Self {
        let mut set = Self {
            words: Vec::new(),
            weights: Vec::new(),
            ends: Vec::new(),
        };
        for _ in 0..rows {
            let (words, weights) = words.text(len);
            set.words.extend(words);
            set.weights.extend(weights);
            set.ends.push(set.words.len());
        }
        set
    }

    /// The texts by ascending row.
    pub fn iter(&self) -> impl Iterator<Item = vdb_index::Result<(u32, SparseView<'_>)>> {
        (0..self.ends.len() as u32).filter_map(|row| Some(Ok((row, self.text(row)?))))
    }

    fn text(&self, row: u32) -> Option<SparseView<'_>> {
        let end = *self.ends.get(row as usize)?;
        let start = row
            .checked_sub(1)
            .map_or(Some(0), |row| self.ends.get(row as usize).copied())?;
        SparseView::new(self.words.get(start..end)?, self.weights.get(start..end)?)
    }
}

impl SparseVectors for SparseSet {
    fn sparse(&self, row: u32) -> vdb_index::Result<Option<SparseView<'_>>> {
        Ok(self.text(row))
    }
}
