//! Which job is next. Pure: looks at sizes, touches nothing.

use crate::settings::OptimizerConfig;

/// What the policy knows of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SegmentStats {
    pub(crate) id: u64,
    pub(crate) rows: u32,
    /// Rows whose deletion is in the segment's tombstone file or will be with the next flush.
    pub(crate) dead: u32,
    /// It is large enough for a graph, or the schema has an index, that it lacks; or it has a graph that is not as the settings
    /// want it.
    pub(crate) incomplete: bool,
    /// Of the graphs among rows of single payload values some are missing, or not as the settings want them.
    pub(crate) unpartitioned: bool,
}

/// A job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Job {
    /// Make one segment of these.
    Merge(Vec<u64>),
    /// Build what this one lacks, and what is to be otherwise.
    Derive(u64),
    /// Build some of the graphs of payload values that this one lacks.
    Partition(u64),
}

/// Segments of a tier hold up to this many times the rows of the tier below.
const TIER_FACTOR: u32 = 4;
/// Rows of the largest segments of the lowest tier.
const TIER_BASE: u32 = 1_024;
/// A segment takes in those of lower tiers once they hold this part of its rows: the graph of a merge is grown from the
/// largest one's, so each row is inserted about twice in all, and a search has few segments to look into.
const ABSORB: u32 = 4;
/// While rows come in fast, merging and indexing wait unless there are this many segments.
const BUSY_SEGMENTS: usize = 24;

fn tier(rows: u32) -> u32 {
    let mut tier = 0;
    let mut bound = TIER_BASE;
    while rows > bound {
        tier += 1;
        bound = bound.saturating_mul(TIER_FACTOR);
        if bound == u32::MAX {
            break;
        }
    }
    tier
}

/// The most useful job, if any: get rid of many deleted rows, merge a crowded tier, bring small segments into a
/// large one, build what is missing.
///
/// `busy`: rows come in so fast that what is built now would soon be merged away.
pub(crate) fn next_job(segments: &[SegmentStats], config: &OptimizerConfig, busy: bool) -> Option<Job> {
    if busy && segments.len() < BUSY_SEGMENTS {
        return None;
    }
    let heavy = segments.iter().find(|s| {
        s.dead > 0 && s.rows >= config.vacuum_min_rows && s.dead as f32 > s.rows as f32 * config.deleted_share
    });
    if let Some(segment) = heavy {
        return Some(Job::Merge(vec![segment.id]));
    }
    let live = |s: &SegmentStats| s.rows - s.dead.min(s.rows);
    let mut by_tier: Vec<(u32, SegmentStats)> = segments.iter().map(|s| (tier(live(s)), *s)).collect();
    by_tier.sort_by_key(|(tier, s)| (*tier, s.id));
    for crowd in by_tier
        .chunk_by(|a, b| a.0 == b.0)
        .filter(|c| c.len() >= config.merge_fan_in.max(2) as usize)
    {
        let mut rows = 0u32;
        let fits = |(_, s): &&(u32, SegmentStats)| {
            rows = rows.saturating_add(live(s));
            rows <= config.max_segment_rows
        };
        let ids: Vec<u64> = crowd.iter().take_while(fits).map(|(_, s)| s.id).collect();
        if ids.len() > 1 {
            return Some(Job::Merge(ids));
        }
    }
    // From the largest down: one that is as large as allowed takes in nothing.
    for (at, (tier, large)) in by_tier.iter().enumerate().rev() {
        let mut rows = live(large);
        let mut ids = vec![large.id];
        for (_, small) in by_tier[..at].iter().filter(|(of, _)| of < tier) {
            let more = rows.saturating_add(live(small));
            if more <= config.max_segment_rows {
                rows = more;
                ids.push(small.id);
            }
        }
        if rows - live(large) >= live(large) / ABSORB && ids.len() > 1 {
            return Some(Job::Merge(ids));
        }
    }
    let lacking = segments.iter().find(|s| s.incomplete);
    let derive = lacking.map(|s| Job::Derive(s.id));
    // What makes some searches faster comes after what all of them need.
    derive.or_else(|| {
        let lacking = segments.iter().find(|s| s.unpartitioned);
        lacking.map(|s| Job::Partition(s.id))
    })
}

/// The merges that leave as few segments as allowed, without dead rows.
pub(crate) fn full_merges(segments: &[SegmentStats], config: &OptimizerConfig) -> Vec<Vec<u64>> {
    let mut groups: Vec<(u32, Vec<u64>, bool)> = Vec::new();
    let mut order: Vec<&SegmentStats> = segments.iter().collect();
    order.sort_by_key(|s| std::cmp::Reverse(s.rows - s.dead.min(s.rows)));
    for s in order {
        let live = s.rows - s.dead.min(s.rows);
        let room = groups
            .iter_mut()
            .find(|(rows, ..)| rows.saturating_add(live) <= config.max_segment_rows);
        match room {
            Some((rows, ids, dirty)) => {
                *rows += live;
                ids.push(s.id);
                *dirty |= s.dead > 0;
            }
            None => groups.push((live, vec![s.id], s.dead > 0)),
        }
    }
    groups
        .into_iter()
        .filter(|(_, ids, dirty)| ids.len() > 1 || *dirty)
        .map(|(_, ids, _)| ids)
        .collect()
}

#[cfg(test)]
mod tests;
