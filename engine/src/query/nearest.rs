//! The nearest points for one request, or for many together.
//!
//! Requests on one vector without a filter are answered in groups: what all of them have to scan is read from memory
//! once. A group is of one timeout, and has an allowance of its own. The rest of the work is dealt out to threads as it
//! comes: groups, walks of a group, pieces of large scans. What a score is, and how ties are broken, depends on none of
//! it, so a request gets the same answer alone and in company.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::time::Duration;

use vdb_storage::PointId;

use crate::config::Distance;
use crate::error::{Result, within};
use crate::limits::MAX_BATCH_REQUESTS;
use crate::point::ScoredPoint;
use crate::query::allowance::Allowance;
use crate::query::fetch;
use crate::query::memory;
use crate::query::prepared::Query;
use crate::query::search::SearchRequest;
use crate::query::segments;
use crate::query::workers::{self, Workers};
use crate::tables::{Located, View};

/// Requests answered together at most: their queries and what they keep stay in the second-level cache.
const GROUP: usize = 32;

/// Hits whose ids are asked for ahead: the first-level cache holds no more than some hundred lines.
const MOST_FETCHED: usize = 128;

/// A scan of fewer bytes is done before other threads have woken up.
pub(super) const LARGE_SCAN: usize = 8 << 20;

/// A candidate of one table. Internal scores: larger is nearer.
pub(crate) struct Hit {
    pub(crate) score: f32,
    pub(crate) id: PointId,
    pub(crate) at: Located,
}

impl Hit {
    pub(crate) fn order(&self, other: &Self) -> Ordering {
        other.score.total_cmp(&self.score).then(self.id.cmp(&other.id))
    }
}

pub(crate) fn search(
    view: &View,
    request: &SearchRequest,
    threads: &Workers,
    allowance: &Allowance<'_>,
) -> Result<Vec<ScoredPoint>> {
    let query = Query::new(view, request, allowance)?;
    allowance.check()?;
    let work = |several| {
        let hits = find(view, &[&query], several, allowance)?;
        hits.into_iter().next().map_or_else(
            || Ok(Vec::new()),
            |hits| answer(view, request, &query, hits, allowance),
        )
    };
    if threads.are_free() && is_large(view, &query) {
        return threads.run(work);
    }
    work(false)
}

/// Requests that say nothing of their time have that of `default`.
pub(crate) fn search_batch(
    view: &View,
    requests: &[SearchRequest],
    default: Option<Duration>,
    threads: &Workers,
    allowance: &Allowance<'_>,
) -> Result<Vec<Vec<ScoredPoint>>> {
    within("requests in one batch", MAX_BATCH_REQUESTS, requests.len())?;
    let time_of = |request: &SearchRequest| request.timeout.or(default);
    let control = *allowance.control();
    // All times begin now.
    let mut limited = BTreeMap::new();
    for time in requests.iter().filter_map(time_of) {
        limited.entry(time).or_insert_with(|| control.timeout(time));
    }
    let part_of = |request: &SearchRequest| {
        let limited = time_of(request).and_then(|time| limited.get(&time));
        allowance.part(*limited.unwrap_or(&control))
    };
    match requests {
        [] => return Ok(Vec::new()),
        [request] => return Ok(vec![search(view, request, threads, &part_of(request))?]),
        [..] => {}
    }
    let made = requests
        .iter()
        .map(|request| Query::new(view, request, &part_of(request)));
    let queries: Vec<Query<'_>> = made.collect::<Result<_>>()?;
    allowance.check()?;
    let mut groups = groups(requests, &queries);
    // What has little time begins early.
    groups.sort_by_key(|group| time_of(&requests[group[0]]).unwrap_or(Duration::MAX));
    threads.run(|several| {
        let answered = workers::map(several, &groups, |group: &Vec<usize>| {
            let members: Vec<&Query<'_>> = group.iter().map(|&at| &queries[at]).collect();
            let allowance = &part_of(&requests[group[0]]);
            allowance.check()?;
            let hits = find(view, &members, several, allowance)?;
            let answers = group.iter().zip(hits);
            answers
                .map(|(&at, hits)| answer(view, &requests[at], &queries[at], hits, allowance))
                .collect::<Result<Vec<_>>>()
        })?;
        let mut answers = vec![Vec::new(); queries.len()];
        for (group, found) in groups.iter().zip(answered) {
            for (&at, found) in group.iter().zip(found) {
                answers[at] = found;
            }
        }
        Ok(answers)
    })
}

/// Requests to be answered together, by their places: those on one vector, of one timeout, without a filter; each other
/// one alone. None is empty.
fn groups(requests: &[SearchRequest], queries: &[Query<'_>]) -> Vec<Vec<usize>> {
    let mut groups: Vec<Vec<usize>> = Vec::new();
    // The groups that have room yet.
    let mut open: BTreeMap<(usize, Option<Duration>), usize> = BTreeMap::new();
    for (at, query) in queries.iter().enumerate() {
        let key = (query.slot, requests[at].timeout);
        match open.get(&key) {
            _ if query.filter.is_some() => groups.push(vec![at]),
            Some(&group) if groups[group].len() < GROUP => groups[group].push(at),
            Some(_) | None => {
                open.insert(key, groups.len());
                groups.push(vec![at]);
            }
        }
    }
    groups
}

/// The page of the hits that was asked for.
fn answer(
    view: &View,
    request: &SearchRequest,
    query: &Query<'_>,
    hits: Vec<Hit>,
    allowance: &Allowance<'_>,
) -> Result<Vec<ScoredPoint>> {
    let distance = query.vector.distance();
    let passing = passing(distance, &hits, request.score_threshold);
    let page = hits[..passing].iter().skip(request.offset).take(request.limit);
    let answer = page
        .map(|hit| {
            let scored = (distance.public_score(hit.score), None);
            let schema = &view.tables.schema;
            fetch::hit(schema, &request.select, (hit.id, &hit.at), scored, allowance)
        })
        .collect();
    allowance.give(hits.len() * size_of::<Hit>());
    answer
}

/// How many hits, of some in order, have a public score that is strictly better than a threshold.
pub(crate) fn passing(distance: Distance, hits: &[Hit], threshold: Option<f32>) -> usize {
    let Some(bar) = threshold else { return hits.len() };
    hits.partition_point(|hit| {
        let score = distance.public_score(hit.score);
        if distance.larger_is_nearer() {
            score > bar
        } else {
            score < bar
        }
    })
}

/// True when a query scans so much that other threads are worth waking for it.
pub(crate) fn is_large(view: &View, query: &Query<'_>) -> bool {
    query.scans(view) >= LARGE_SCAN
}

/// The best hits for each of several queries on one vector, in order. Several have no filter.
pub(crate) fn find(
    view: &View,
    queries: &[&Query<'_>],
    several: bool,
    allowance: &Allowance<'_>,
) -> Result<Vec<Vec<Hit>>> {
    let mut all: Vec<Vec<Hit>> = queries.iter().map(|_| Vec::new()).collect();
    for table in view.tables.memtables() {
        let found = memory::nearest(view, table, queries, several, allowance)?;
        for ((hits, query), found) in all.iter_mut().zip(queries).zip(found) {
            let found = found.into_iter().map(|kept| Hit {
                score: kept.score,
                id: kept.id,
                at: Located::Memtable(table.clone(), kept.row),
            });
            keep(hits, found, query.want, allowance)?;
        }
    }
    for segment in &view.tables.segments {
        let found = segments::nearest(view, segment, queries, several, allowance)?;
        // Ids and versions lie anywhere: their ways to memory overlap.
        let rows = found.iter().flatten().map(|&(_, row)| row);
        rows.take(MOST_FETCHED)
            .for_each(|row| segment.points.prefetch(row));
        for ((hits, query), found) in all.iter_mut().zip(queries).zip(found) {
            let found = found.into_iter().filter_map(|(score, row)| {
                Some(Hit {
                    score,
                    id: segment.points.id(row)?,
                    at: Located::Segment(segment.clone(), row),
                })
            });
            keep(hits, found, query.want, allowance)?;
        }
    }
    for hits in &mut all {
        hits.sort_unstable_by(Hit::order);
    }
    Ok(all)
}

/// Adds hits of another table, and forgets those beyond the best `want`.
pub(crate) fn keep(
    hits: &mut Vec<Hit>,
    found: impl Iterator<Item = Hit>,
    want: usize,
    allowance: &Allowance<'_>,
) -> Result<()> {
    let before = hits.len();
    hits.extend(found);
    allowance.take((hits.len() - before) * size_of::<Hit>())?;
    if hits.len() > want {
        hits.select_nth_unstable_by(want, Hit::order);
        allowance.give((hits.len() - want) * size_of::<Hit>());
        hits.truncate(want);
    }
    Ok(())
}
