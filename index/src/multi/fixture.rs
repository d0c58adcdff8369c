//! Multivectors that tests search: seeded, around centres that documents share, with an answer by the plain double loop.

use vdb_sys::element::{Element, encode_f32};
use vdb_sys::kernel::{Kernel, Metric};

use super::MultiVectors;
use crate::fixture::Random;
use crate::{Result, RowFilter};

/// Documents and queries of the same kind.
pub(super) struct Multis {
    pub(super) dim: usize,
    pub(super) kernel: Kernel,
    pub(super) rows: Vec<Option<Vec<u8>>>,
    pub(super) queries: Vec<Vec<u8>>,
}

impl Multis {
    /// Rows of 1 to `most` vectors around some of `topics` centres, of which each document has a few; about one of
    /// `gaps` rows has none, if that is not 0. Vectors for [`Metric::Dot`] over floats have unit length.
    pub(super) fn draw(
        (rows, most): (u32, u32),
        dim: usize,
        topics: u32,
        gaps: u32,
        (metric, element): (Metric, Element),
        seed: u64,
    ) -> Self {
        let mut random = Random::new(seed);
        let centres: Vec<Vec<f32>> = (0..topics)
            .map(|_| (0..dim).map(|_| random.normal()).collect())
            .collect();
        let document = |random: &mut Random| {
            let own: Vec<u32> = (0..3).map(|_| random.below(topics)).collect();
            let mut bytes = Vec::new();
            for _ in 0..=random.below(most) {
                let centre = &centres[own[random.below(3) as usize] as usize];
                let mut row: Vec<f32> = centre.iter().map(|c| c + 0.5 * random.normal()).collect();
                if element == Element::U8 {
                    row.iter_mut().for_each(|x| *x = 128.0 + 36.0 * *x);
                } else if metric == Metric::Dot {
                    let length = row.iter().map(|x| x * x).sum::<f32>().sqrt();
                    row.iter_mut().for_each(|x| *x /= length);
                }
                encode_f32(&row, element, &mut bytes);
            }
            bytes
        };
        let rows = (0..rows)
            .map(|_| (gaps == 0 || random.below(gaps) > 0).then(|| document(&mut random)))
            .collect();
        let queries = (0..30).map(|_| document(&mut random)).collect();
        Self {
            dim,
            kernel: Kernel::new(metric, element),
            rows,
            queries,
        }
    }

    pub(super) fn vector_bytes(&self) -> usize {
        self.dim * self.kernel.element().size()
    }

    /// The true answer, straight from the definition.
    pub(super) fn brute(&self, query: &[u8], k: usize, filter: Option<&dyn RowFilter>) -> Vec<(f32, u32)> {
        let score = |document: &[u8]| {
            let best = |one: &[u8]| {
                document
                    .chunks(self.vector_bytes())
                    .map(|other| self.kernel.score(one, other))
                    .fold(f32::NEG_INFINITY, f32::max)
            };
            query
                .chunks(self.vector_bytes())
                .map(|one| f64::from(best(one)))
                .sum::<f64>() as f32
        };
        let mut all: Vec<(f32, u32)> = self
            .rows
            .iter()
            .zip(0u32..)
            .filter(|&(_, row)| filter.is_none_or(|filter| filter.contains(row)))
            .filter_map(|(document, row)| Some((score(document.as_ref()?), row)))
            .collect();
        all.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        all.truncate(k);
        all
    }
}

impl MultiVectors for Multis {
    fn multi(&self, row: u32) -> Result<Option<&[u8]>> {
        Ok(self.rows.get(row as usize).and_then(Option::as_deref))
    }
}
