//! Random points, the same for the same seed.

use std::collections::BinaryHeap;
use std::hash::{BuildHasher, RandomState};

use vdb_storage::PointId;

use crate::error::Result;
use crate::filter::CompiledFilter;
use crate::query::allowance::Allowance;
use crate::query::matching::{self, Horizon};
use crate::tables::{Located, View};

/// A seed that nobody asked for.
pub(super) fn any_seed() -> u64 {
    RandomState::new().hash_one(())
}

/// A number for each id that depends on nothing else but the seed: the points with the smallest are a random sample, whatever
/// tables they lie in.
fn draw(seed: u64, id: PointId) -> u64 {
    let (kind, high, low) = match id {
        PointId::Num(number) => (1, 0, number),
        PointId::Uuid(uuid) => {
            let (high, low) = uuid.as_u64_pair();
            (2, high, low)
        }
    };
    [kind, high, low]
        .into_iter()
        .fold(mix(seed), |state, part| mix(state ^ part))
}

/// The finalizer of splitmix64 (Steele, Lea, Flood, 2014).
fn mix(mut x: u64) -> u64 {
    x = x.wrapping_add(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

struct Drawn {
    number: u64,
    id: PointId,
    at: Located,
}

/// The points of a sample, as far as they have been seen.
struct Sample<'a> {
    seed: u64,
    want: usize,
    /// The first to go on top.
    drawn: BinaryHeap<Drawn>,
    allowance: &'a Allowance<'a>,
}

impl Sample<'_> {
    fn show(&mut self, id: PointId, at: Located) -> Result<()> {
        let number = draw(self.seed, id);
        if self.drawn.len() < self.want {
            self.allowance.take(size_of::<Drawn>())?;
            self.drawn.push(Drawn { number, id, at });
        } else if let Some(mut last) = self.drawn.peek_mut()
            && (number, id) < (last.number, last.id)
        {
            *last = Drawn { number, id, at };
        }
        Ok(())
    }

    fn finish(self) -> Result<Vec<(PointId, Located)>> {
        let drawn = self.drawn.into_sorted_vec();
        self.allowance.give(drawn.len() * size_of::<Drawn>());
        self.allowance
            .take(drawn.len() * size_of::<(PointId, Located)>())?;
        Ok(drawn.into_iter().map(|one| (one.id, one.at)).collect())
    }
}

/// So many of all points that match, in a random order; counted with the memory of the answer, each as what is returned of it.
pub(super) fn of_all(
    view: &View,
    seed: Option<u64>,
    filter: Option<&CompiledFilter>,
    want: usize,
    allowance: &Allowance<'_>,
) -> Result<Vec<(PointId, Located)>> {
    let mut sample = start(seed, want, allowance);
    let horizon = Horizon::At(view.lsn);
    matching::each(&view.tables, horizon, filter, allowance, |id, at| {
        sample.show(id, at)
    })?;
    sample.finish()
}

/// So many of these points, in a random order; counted likewise.
pub(super) fn of(
    seed: Option<u64>,
    points: impl Iterator<Item = (PointId, Located)>,
    want: usize,
    allowance: &Allowance<'_>,
) -> Result<Vec<(PointId, Located)>> {
    let mut sample = start(seed, want, allowance);
    for (id, at) in points {
        sample.show(id, at)?;
    }
    sample.finish()
}

fn start<'a>(seed: Option<u64>, want: usize, allowance: &'a Allowance<'a>) -> Sample<'a> {
    Sample {
        seed: seed.unwrap_or_else(any_seed),
        want,
        drawn: BinaryHeap::new(),
        allowance,
    }
}

impl Ord for Drawn {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.number, self.id).cmp(&(other.number, other.id))
    }
}

impl PartialOrd for Drawn {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Drawn {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Drawn {}

#[cfg(test)]
mod tests;
