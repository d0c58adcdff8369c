//! The best rows of a memtable so far. They are in no order of ids, so ties are broken by id and not by row.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use vdb_storage::PointId;

/// A hit of a memtable; the worst is the greatest.
#[derive(Clone)]
pub(crate) struct Kept {
    pub(crate) score: f32,
    pub(crate) id: PointId,
    pub(crate) row: u32,
}

/// The best so far.
pub(super) struct Best {
    kept: BinaryHeap<Kept>,
    want: usize,
}

impl Best {
    pub(super) fn new(want: usize) -> Self {
        Best {
            kept: BinaryHeap::new(),
            want,
        }
    }

    pub(super) fn into_kept(self) -> Vec<Kept> {
        self.kept.into_vec()
    }

    pub(super) fn merge(&mut self, other: Best) {
        for kept in other.kept {
            self.push(kept.score, kept.id, kept.row);
        }
    }

    /// True when a score cannot enter.
    pub(super) fn is_beyond(&self, score: f32) -> bool {
        self.kept.len() >= self.want && self.kept.peek().is_some_and(|worst| score < worst.score)
    }

    /// Scores below this cannot enter.
    pub(super) fn bar(&self) -> f32 {
        let full = self.kept.len() >= self.want;
        let worst = self.kept.peek().filter(|_| full);
        worst.map_or(f32::NEG_INFINITY, |worst| worst.score)
    }

    pub(super) fn push(&mut self, score: f32, id: PointId, row: u32) {
        // Negative zero and zero are one score.
        let score = score + 0.0;
        self.kept.push(Kept { score, id, row });
        if self.kept.len() > self.want {
            self.kept.pop();
        }
    }
}

impl Ord for Kept {
    fn cmp(&self, other: &Self) -> Ordering {
        other.score.total_cmp(&self.score).then(self.id.cmp(&other.id))
    }
}

impl PartialOrd for Kept {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Kept {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Kept {}
