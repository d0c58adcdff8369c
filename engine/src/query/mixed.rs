//! The best points by what their similarities to several examples make. No graph leads there: every point that matches is
//! scored, by all examples in one pass over the vectors. What waits for its graph can be left out all the same.

use vdb_index::flat;
use vdb_sys::kernel::Kernel;

use crate::error::Result;
use crate::filter::CompiledFilter;
use crate::query::allowance::Allowance;
use crate::query::compare::{Comparer, Purpose};
use crate::query::nearest::{Hit, LARGE_SCAN, keep};
use crate::query::{memory, segments};
use crate::schema::VectorSchema;
use crate::score::Mix;
use crate::tables::{Located, View};

/// What every table is searched for.
pub(crate) struct Mixed<'a> {
    pub(crate) slot: usize,
    /// Compares two vectors, where they are dense: those of whole blocks are compared together.
    pub(crate) kernel: Option<Kernel>,
    /// The examples as vectors are stored, in the order that `mix` takes their similarities in. At least one.
    pub(crate) encoded: &'a [Vec<u8>],
    /// The same, ready to be compared.
    comparers: Vec<Comparer<'a>>,
    pub(crate) mix: &'a Mix,
    /// Hits wanted of each table.
    pub(crate) want: usize,
    pub(crate) filter: Option<CompiledFilter>,
    /// Leave out what waits for its graph; not unless it is set.
    pub(crate) indexed_only: bool,
}

impl<'a> Mixed<'a> {
    pub(crate) fn new(
        (slot, vector): (usize, &VectorSchema),
        encoded: &'a [Vec<u8>],
        mix: &'a Mix,
        want: usize,
        filter: Option<CompiledFilter>,
    ) -> Self {
        let purpose = match mix {
            Mix::Only => Purpose::Score,
            Mix::Best { .. } | Mix::Discover | Mix::Context | Mix::Weighted(_) => Purpose::Similarity,
        };
        let kernel = vector.dense().map(|dense| match purpose {
            Purpose::Score => dense.kernel,
            Purpose::Similarity => dense.params.similarity(),
        });
        let comparers = encoded
            .iter()
            .map(|example| Comparer::new(vector, example, purpose));
        Mixed {
            slot,
            kernel,
            encoded,
            comparers: comparers.collect(),
            mix,
            want,
            filter,
            indexed_only: false,
        }
    }

    pub(super) fn examples(&self) -> Vec<&[u8]> {
        self.encoded.iter().map(Vec::as_slice).collect()
    }

    /// True when so much is scored that other threads are worth waking for it. With a filter it is not known.
    pub(crate) fn is_large(&self, view: &View) -> bool {
        let work = bytes_of(view, self.slot).saturating_mul(self.encoded.len());
        self.filter.is_none() && work >= LARGE_SCAN
    }

    /// The score of one stored vector; none where it is the product with one sparse vector that shares no dimension.
    pub(crate) fn score_alone(&self, vector: &[u8], allowance: &Allowance<'_>) -> Result<Option<f32>> {
        if let (Mix::Only, [target]) = (self.mix, self.comparers.as_slice()) {
            return target.score(vector, f32::NEG_INFINITY, allowance);
        }
        let similarities = self.comparers.iter().map(|example| {
            allowance.beat()?;
            example.similarity(vector, allowance)
        });
        let similarities: Vec<f32> = similarities.collect::<Result<_>>()?;
        Ok(Some(self.mix.score(&similarities)))
    }
}

/// About how many bytes the vectors of a slot have, in all tables.
pub(super) fn bytes_of(view: &View, slot: usize) -> usize {
    let in_segments = view
        .tables
        .segments
        .iter()
        .map(|segment| segment.vector_bytes(slot));
    let in_memory = view.tables.memtables().map(|table| table.vector_bytes(slot));
    in_segments.chain(in_memory).fold(0, usize::saturating_add)
}

/// The scores of the vectors of a block, at most [`flat::BLOCK`] of them.
pub(super) fn mix_block(query: &Mixed<'_>, kernel: &Kernel, examples: &[&[u8]], block: &[u8]) -> Vec<f32> {
    let width = examples.len();
    let row_bytes = examples.first().map_or(1, |example| example.len().max(1));
    let rows = block.len() / row_bytes;
    let mut similarities = vec![0.0; rows * width];
    flat::score_block(kernel, examples, block, |example, scores| {
        for (row, &score) in scores.enumerate() {
            similarities[row * width + example] = score;
        }
    });
    similarities
        .chunks(width.max(1))
        .map(|row| query.mix.score(row))
        .collect()
}

/// The best hits, in order.
pub(crate) fn best(
    view: &View,
    query: &Mixed<'_>,
    several: bool,
    allowance: &Allowance<'_>,
) -> Result<Vec<Hit>> {
    let mut hits = Vec::new();
    for table in view.tables.memtables() {
        let found = memory::best_mixed(view, table, query, several, allowance)?;
        let found = found.into_iter().map(|kept| Hit {
            score: kept.score,
            id: kept.id,
            at: Located::Memtable(table.clone(), kept.row),
        });
        keep(&mut hits, found, query.want, allowance)?;
    }
    for segment in &view.tables.segments {
        let found = segments::best_mixed(view, segment, query, several, allowance)?;
        let found = found.into_iter().filter_map(|(score, row)| {
            Some(Hit {
                score,
                id: segment.points.id(row)?,
                at: Located::Segment(segment.clone(), row),
            })
        });
        keep(&mut hits, found, query.want, allowance)?;
    }
    hits.sort_unstable_by(Hit::order);
    Ok(hits)
}
