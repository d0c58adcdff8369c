//! The best points, as far as they have been seen.

use std::collections::HashMap;

use vdb_storage::PointId;

use crate::error::Result;
use crate::filter::CompiledFilter;
use crate::query::allowance::Allowance;
use crate::query::nearest::Hit;
use crate::tables::Located;

/// Which points count: those that match a filter, and if there are others before them, are among those.
#[derive(Clone, Copy)]
pub(crate) struct Eligible<'a> {
    pub(crate) filter: Option<&'a CompiledFilter>,
    pub(crate) among: Option<&'a HashMap<PointId, Located>>,
}

/// The best points, as far as they have been seen.
pub(super) struct Best<'a> {
    want: usize,
    hits: Vec<Hit>,
    /// What a score must reach to be among them, once there are enough.
    bar: f32,
    allowance: &'a Allowance<'a>,
}

impl<'a> Best<'a> {
    /// Hits that are kept beyond those wanted, so that not each one that comes is put in its place.
    const SLACK: usize = 1024;

    pub(super) fn new(want: usize, allowance: &'a Allowance<'a>) -> Self {
        Best {
            want,
            hits: Vec::new(),
            bar: f32::NEG_INFINITY,
            allowance,
        }
    }

    /// Takes a point if it is good enough and eligible. `locate` gives its place if the filter lets it pass, and is asked
    /// only then.
    pub(super) fn offer(
        &mut self,
        score: f32,
        id: PointId,
        eligible: Eligible<'_>,
        locate: impl FnOnce(&mut dyn FnMut(Located)) -> Result<()>,
    ) -> Result<()> {
        if score < self.bar || eligible.among.is_some_and(|points| !points.contains_key(&id)) {
            return Ok(());
        }
        let mut place = None;
        locate(&mut |at| place = Some(at))?;
        let Some(at) = place else { return Ok(()) };
        self.allowance.take(size_of::<Hit>())?;
        self.hits.push(Hit { score, id, at });
        if self.hits.len() >= self.want.saturating_mul(2).max(Self::SLACK) {
            self.cut();
        }
        Ok(())
    }

    fn cut(&mut self) {
        self.hits.sort_unstable_by(Hit::order);
        let more = self.hits.len().saturating_sub(self.want);
        self.allowance.give(more * size_of::<Hit>());
        self.hits.truncate(self.want);
        if self.hits.len() == self.want {
            self.bar = self.hits.last().map_or(f32::INFINITY, |last| last.score);
        }
    }

    pub(super) fn give_up(self) {
        self.allowance.give(self.hits.len() * size_of::<Hit>());
    }

    pub(super) fn finish(mut self) -> Vec<Hit> {
        self.cut();
        self.hits
    }
}
