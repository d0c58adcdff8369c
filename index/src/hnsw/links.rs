//! The links of one level, wherever they lie.

use crate::codes::Score;

/// An unused place in a block of links; the links of a block come first.
pub(crate) const FREE: u32 = u32::MAX;

/// Links of all nodes of one level: a block of `degree` places each.
#[derive(Clone, Copy)]
pub(crate) struct Links<'a> {
    pub(crate) blocks: &'a [u32],
    pub(crate) degree: usize,
}

impl<'a> Links<'a> {
    /// How many nodes have a block.
    pub(crate) fn nodes(&self) -> u32 {
        (self.blocks.len() / self.degree) as u32
    }

    /// The block of a node, unused places included.
    #[inline]
    pub(crate) fn block(&self, node: u32) -> &'a [u32] {
        &self.blocks[node as usize * self.degree..][..self.degree]
    }

    /// The part of a block that is used, counted without a branch. Rows are not bounded.
    #[inline]
    pub(crate) fn used(&self, node: u32) -> &'a [u32] {
        let block = self.block(node);
        let used = block.iter().filter(|&&link| link != FREE).count();
        &block[..used]
    }

    /// The links of a node, as stored: rows are not bounded.
    #[inline]
    pub(crate) fn of(&self, node: u32) -> impl Iterator<Item = u32> + use<'a> {
        self.block(node).iter().copied().take_while(|&link| link != FREE)
    }

    #[inline]
    pub(crate) fn prefetch(&self, node: u32) {
        vdb_sys::kernel::prefetch(bytemuck::cast_slice(self.block(node)));
    }
}

/// Rows whose places are looked up before they are scored together.
const TOGETHER: usize = 32;

/// Scores of nodes that go by another number than their row: those of an upper level by their rank, those of a
/// [partition](crate::hnsw::partitions) by their place among its rows.
pub(crate) struct Ranked<'a, S> {
    score: &'a S,
    rows: &'a [u32],
    last: u32,
}

impl<'a, S> Ranked<'a, S> {
    /// `rows` maps ranks to rows of a graph that has `len` of them, at least one.
    pub(crate) fn new(score: &'a S, rows: &'a [u32], len: u32) -> Self {
        Self {
            score,
            rows,
            last: len - 1,
        }
    }

    /// A row that a damaged file put out of range leads the descent astray, no further.
    #[inline]
    fn row(&self, rank: u32) -> u32 {
        self.rows[rank as usize].min(self.last)
    }
}

impl<S: Score> Score for Ranked<'_, S> {
    #[inline]
    fn score(&self, rank: u32) -> f32 {
        self.score.score(self.row(rank))
    }

    #[inline]
    fn score4(&self, ranks: [u32; 4]) -> [f32; 4] {
        self.score.score4(ranks.map(|rank| self.row(rank)))
    }

    #[inline]
    fn score_each(&self, ranks: &[u32], mut take: impl FnMut(f32, u32)) {
        let mut rows = [0; TOGETHER];
        for ranks in ranks.chunks(TOGETHER) {
            let rows = &mut rows[..ranks.len()];
            for (row, &rank) in rows.iter_mut().zip(ranks) {
                *row = self.row(rank);
            }
            let mut ranks = ranks.iter();
            self.score.score_each(rows, |score, _| {
                if let Some(&rank) = ranks.next() {
                    take(score, rank);
                }
            });
        }
    }

    #[inline]
    fn prefetch(&self, rank: u32) {
        self.score.prefetch(self.row(rank));
    }

    #[inline]
    fn is_small(&self) -> bool {
        self.score.is_small()
    }
}

/// The blocks of levels of so many nodes each, one after the other.
pub(crate) fn levels<'a>(
    sizes: &'a [u32],
    blocks: &'a [u32],
    degree: usize,
) -> impl Iterator<Item = Links<'a>> + use<'a> {
    let mut rest = blocks;
    sizes.iter().map_while(move |&size| {
        let (level, below) = rest.split_at_checked(size as usize * degree)?;
        rest = below;
        Some(Links {
            blocks: level,
            degree,
        })
    })
}
