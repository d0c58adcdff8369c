//! How rare are the dimensions of a sparse query, and what does that make of its weights?

use vdb_sys::sparse::SparseView;

use crate::error::{Error, Result};
use crate::filter::CompiledFilter;
use crate::memtable::{BLOCK, Block, MemRagged};
use crate::query::allowance::Allowance;
use crate::query::matching::{Horizon, each};
use crate::query::search::Idf;
use crate::schema::{VectorKind, VectorSchema};
use crate::segment::{Segment, SegmentSparse};
use crate::settings::Modifier;
use crate::tables::View;
use crate::vectors::with_sparse;

/// Whether vectors are compared with weights of their own, those of queries multiplied by how rare dimensions are.
pub(crate) fn weighs(vector: &VectorSchema) -> bool {
    matches!(&vector.kind, VectorKind::Sparse(params) if params.modifier == Modifier::Idf)
}

/// The queries in their stored form with the weights that they are to have: each multiplied by how rare its dimension is, if the
/// vector says so.
pub(crate) fn weigh(
    view: &View,
    (slot, vector): (usize, &VectorSchema),
    idf: Option<&Idf>,
    queries: Vec<Vec<u8>>,
    allowance: &Allowance<'_>,
) -> Result<Vec<Vec<u8>>> {
    if !weighs(vector) {
        if idf.is_some() {
            return Err(Error::InvalidRequest(format!(
                "idf is for sparse vectors with the modifier idf, and the vector {:?} is none",
                vector.name
            )));
        }
        return Ok(queries);
    }
    let mut dimensions = Vec::new();
    for query in &queries {
        with_sparse(query, |view| dimensions.extend_from_slice(view.dimensions()));
    }
    dimensions.sort_unstable();
    dimensions.dedup();
    let mut rarity = Rarity {
        frequencies: vec![0; dimensions.len()],
        dimensions,
        vectors: 0,
    };
    match idf {
        None | Some(Idf::Global) => rarity.count_all(view, slot, allowance)?,
        Some(Idf::Corpus(filter)) => {
            let filter = CompiledFilter::new(filter, &*view.tables.schema)?;
            let horizon = Horizon::At(view.lsn);
            each(&view.tables, horizon, Some(&filter), allowance, |_, located| {
                rarity.count(located.vector(slot)?);
                Ok(())
            })?;
        }
    }
    Ok(queries.iter().map(|query| rarity.weighed(query)).collect())
}

/// In how many vectors dimensions have a value.
struct Rarity {
    /// Ascending.
    dimensions: Vec<u32>,
    frequencies: Vec<i64>,
    vectors: i64,
}

impl Rarity {
    /// Of all points that the reader sees.
    fn count_all(&mut self, view: &View, slot: usize, allowance: &Allowance<'_>) -> Result<()> {
        for table in view.tables.memtables() {
            let Some(vectors) = table.ragged(slot) else {
                continue;
            };
            let is_seen = |row: u32| table.row(row).is_some_and(|row| row.visible(view.lsn));
            for first in (0..vectors.len()).step_by(BLOCK as usize) {
                allowance.check()?;
                match vectors.block(first) {
                    Some(block) => self.count_block(vectors, first, block, is_seen),
                    None => {
                        for (row, stored) in vectors.iter_from(first).take(BLOCK as usize) {
                            if is_seen(row) {
                                self.count(Some(stored));
                            }
                        }
                    }
                }
            }
        }
        for segment in &view.tables.segments {
            let Some(vectors) = segment.sparse(slot) else {
                continue;
            };
            allowance.check()?;
            if !self.count_by_index(view, segment, vectors, allowance)? {
                for row in 0..segment.rows() {
                    allowance.beat()?;
                    if segment.deletions.is_live(row, view.lsn) {
                        self.count(segment.vector(slot, row)?);
                    }
                }
            }
        }
        Ok(())
    }

    /// Of a full block of a memtable, the first of whose vectors is at a place.
    fn count_block(&mut self, vectors: &MemRagged, first: u32, block: &Block, is_seen: impl Fn(u32) -> bool) {
        let seen: Vec<bool> = vectors
            .iter_from(first)
            .take(BLOCK as usize)
            .map(|(row, _)| is_seen(row))
            .collect();
        self.vectors += seen.iter().filter(|seen| **seen).count() as i64;
        for (&dimension, frequency) in self.dimensions.iter().zip(&mut self.frequencies) {
            let with = block.with(dimension).iter();
            let with = with.filter(|&&place| seen.get(usize::from(place)).copied().unwrap_or(false));
            *frequency += with.count() as i64;
        }
    }

    /// Lists know how long they are; the dead rows in them are taken off. False where there is no index, or it is damaged.
    fn count_by_index(
        &mut self,
        view: &View,
        segment: &Segment,
        vectors: &SegmentSparse,
        allowance: &Allowance<'_>,
    ) -> Result<bool> {
        let Some(index) = vectors.index() else {
            return Ok(false);
        };
        let found: Result<Vec<u32>, _> = self
            .dimensions
            .iter()
            .map(|&dimension| index.df(dimension))
            .collect();
        let Ok(found) = found else {
            vectors.set_damaged();
            return Ok(false);
        };
        for (frequency, found) in self.frequencies.iter_mut().zip(found) {
            *frequency += i64::from(found);
        }
        self.vectors += i64::from(vectors.file.len());
        for (row, _) in segment.deletions.iter().filter(|&(_, died)| died <= view.lsn) {
            allowance.beat()?;
            if let Some(vector) = vectors.file.get(row)? {
                self.add(vector, -1);
            }
        }
        Ok(true)
    }

    fn count(&mut self, stored: Option<&[u8]>) {
        if let Some(stored) = stored {
            with_sparse(stored, |vector| self.add(vector, 1));
        }
    }

    fn add(&mut self, vector: SparseView<'_>, times: i64) {
        self.vectors += times;
        if self.dimensions.len() <= vector.len() {
            for (dimension, frequency) in self.dimensions.iter().zip(&mut self.frequencies) {
                if vector.dimensions().binary_search(dimension).is_ok() {
                    *frequency += times;
                }
            }
        } else {
            for dimension in vector.dimensions() {
                if let Ok(at) = self.dimensions.binary_search(dimension) {
                    self.frequencies[at] += times;
                }
            }
        }
    }

    /// A query with its weights multiplied.
    fn weighed(&self, query: &[u8]) -> Vec<u8> {
        let weigh = |view: SparseView<'_>| {
            let weights: Vec<f32> = view
                .iter()
                .map(|(dimension, weight)| self.weight(dimension, weight))
                .collect();
            let mut out = Vec::with_capacity(query.len());
            if let Some(weighed) = SparseView::new(view.dimensions(), &weights) {
                weighed.encode(&mut out);
            }
            out
        };
        with_sparse(query, weigh).unwrap_or_default()
    }

    fn weight(&self, dimension: u32, weight: f32) -> f32 {
        let at = self.dimensions.binary_search(&dimension);
        let frequency = at
            .ok()
            .and_then(|at| self.frequencies.get(at))
            .copied()
            .unwrap_or(0);
        let (n, df) = (self.vectors.max(0) as f64, frequency.max(0) as f64);
        // A damaged index could say that more vectors have the dimension than there are.
        let idf = ((n - df.min(n) + 0.5) / (df + 0.5)).ln_1p();
        ((f64::from(weight) * idf) as f32).clamp(-f32::MAX, f32::MAX)
    }
}

#[cfg(test)]
mod tests;
