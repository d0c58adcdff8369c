//! The best points by what their similarities to several examples make. No graph leads there: every point that matches is
//! scored, by all examples in one pass over the vectors.

use vdb_index::flat;
use vdb_sys::kernel::Kernel;

use crate::error::Result;
use crate::filter::CompiledFilter;
use crate::query::allowance::Allowance;
use crate::query::nearest::{Hit, LARGE_SCAN, keep};
use crate::query::{memory, segments};
use crate::schema::VectorSchema;
use crate::score::Mix;
use crate::tables::{Located, View};

/// What every table is searched for.
pub(crate) struct Mixed<'a> {
    pub(crate) vector: &'a VectorSchema,
    pub(crate) slot: usize,
    pub(crate) kernel: Kernel,
    /// The examples as vectors are stored, in the order that `mix` takes their similarities in. At least one.
    pub(crate) encoded: &'a [Vec<u8>],
    pub(crate) mix: &'a Mix,
    /// Hits wanted of each table.
    pub(crate) want: usize,
    pub(crate) filter: Option<CompiledFilter>,
}

impl Mixed<'_> {
    pub(super) fn examples(&self) -> Vec<&[u8]> {
        self.encoded.iter().map(Vec::as_slice).collect()
    }

    pub(super) fn row_bytes(&self) -> usize {
        self.vector.params.row_bytes()
    }

    /// True when so much is scored that other threads are worth waking for it. With a filter it is not known.
    pub(crate) fn is_large(&self, view: &View) -> bool {
        let in_segments = view.tables.segments.iter();
        let in_segments = in_segments.filter_map(|segment| segment.vectors(self.slot));
        let in_memory = view.tables.memtables();
        let in_memory = in_memory.filter_map(|table| table.vectors(self.slot));
        let rows = in_segments
            .map(|vectors| vectors.file.len() as usize)
            .sum::<usize>()
            + in_memory
                .map(|vectors| vectors.rows.len() as usize)
                .sum::<usize>();
        let work = rows
            .saturating_mul(self.row_bytes())
            .saturating_mul(self.encoded.len());
        self.filter.is_none() && work >= LARGE_SCAN
    }

    /// The score of one stored vector. `similarities` is memory to work in, one number for each example.
    pub(crate) fn score(&self, vector: &[u8], similarities: &mut [f32]) -> f32 {
        for (similarity, example) in similarities.iter_mut().zip(self.encoded) {
            *similarity = self.kernel.score(example, vector);
        }
        self.mix.score(similarities)
    }
}

/// The scores of the vectors of a block, at most [`flat::BLOCK`] of them.
pub(super) fn mix_block(query: &Mixed<'_>, examples: &[&[u8]], block: &[u8]) -> Vec<f32> {
    let rows = block.len() / query.row_bytes().max(1);
    let width = examples.len();
    let mut similarities = vec![0.0; rows * width];
    flat::score_block(&query.kernel, examples, block, |example, scores| {
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
