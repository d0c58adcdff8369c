//! Nearest rows of a memtable: by its graph as far as that reaches, one by one behind it.

use std::collections::BTreeMap;
use std::ops::Range;

use vdb_index::hnsw;
use vdb_index::{RowFilter, flat};
use vdb_sys::kernel::Kernel;
use vdb_wal::Lsn;

use crate::error::Result;
use crate::filter::CompiledFilter;
use crate::memtable::{MemVectors, Memtable};
use crate::query::allowance::Allowance;
use crate::query::kept::{Best, Kept};
use crate::query::matching::memtable_row_matches;
use crate::query::mixed::{Mixed, mix_block};
use crate::query::prepared::{Query, held};
use crate::query::ragged;
use crate::query::segments::{PIECE_BYTES, with_scratch};
use crate::query::workers;
use crate::tables::View;

/// A graph is not walked when more than this share of its rows has died: it would meet little else.
const MOST_DEAD: f64 = 0.5;

/// The best rows of a memtable for each query, in no order. Its rows are in no order of ids, so ties are broken here rather
/// than by row.
///
/// With a filter all is scanned: only rows that are near enough are asked whether they match, so few payloads are read.
pub(crate) fn nearest(
    view: &View,
    table: &Memtable,
    queries: &[&Query<'_>],
    several: bool,
    allowance: &Allowance<'_>,
) -> Result<Vec<Vec<Kept>>> {
    if queries
        .first()
        .is_some_and(|first| first.vector.dense().is_none())
    {
        return workers::map(several, queries, |query| {
            ragged::nearest_in_memory(view, table, query, several, allowance)
        });
    }
    let dense = queries
        .first()
        .and_then(|first| Some((first.vector.dense()?, table.vectors(first.slot)?)));
    let Some((schema, vectors)) = dense else {
        return Ok(vec![Vec::new(); queries.len()]);
    };
    let kernel = &schema.kernel;
    let table = Table {
        view,
        table,
        vectors,
        kernel,
        allowance,
    };
    let walked = workers::map(several, queries, |query| {
        allowance.check()?;
        if query.filter.is_some()
            || query.is_exact()
            || query.scores_all_of(u64::from(table.vectors.rows.len()))
        {
            return Ok(None);
        }
        table.walk(query)
    })?;
    // What is left to be scanned begins behind the graph, or at the start.
    let mut left: BTreeMap<(u32, u32), Vec<usize>> = BTreeMap::new();
    let mut all = Vec::with_capacity(queries.len());
    for (at, (query, walked)) in queries.iter().zip(walked).enumerate() {
        let (first, best) = walked.unwrap_or_else(|| (0, Best::new(query.want)));
        let end = table.end(query.slot, query.params.indexed_only);
        left.entry((first, end)).or_default().push(at);
        all.push(best);
    }
    for ((first, end), members) in left {
        let scanning: Vec<&Query<'_>> = members.iter().map(|&at| queries[at]).collect();
        let found = table.scan(first..end, &scanning, several)?;
        for (at, found) in members.into_iter().zip(found) {
            all[at].merge(found);
        }
    }
    Ok(all.into_iter().map(Best::into_kept).collect())
}

/// The best rows of a memtable by what their similarities to several examples make, in no order.
pub(super) fn best_mixed(
    view: &View,
    table: &Memtable,
    query: &Mixed<'_>,
    several: bool,
    allowance: &Allowance<'_>,
) -> Result<Vec<Kept>> {
    let Some(kernel) = &query.kernel else {
        return ragged::mixed_in_memory(view, table, query, several, allowance);
    };
    let Some(vectors) = table.vectors(query.slot) else {
        return Ok(Vec::new());
    };
    let table = Table {
        view,
        table,
        vectors,
        kernel,
        allowance,
    };
    Ok(table.scan_mixed(query, several)?.into_kept())
}

/// What a reader searches.
struct Table<'a> {
    view: &'a View,
    table: &'a Memtable,
    vectors: &'a MemVectors,
    kernel: &'a Kernel,
    allowance: &'a Allowance<'a>,
}

impl Table<'_> {
    /// Where the vectors end that are scored: where the graph does, if nothing else is asked for and so many are behind it that they
    /// wait for another one. A filter makes no difference: all are scored before it is asked.
    fn end(&self, slot: usize, indexed_only: bool) -> u32 {
        if !indexed_only {
            return u32::MAX;
        }
        let rows = &self.vectors.rows;
        let covered = self.vectors.live.graph().map_or(0, |live| live.graph.len());
        let behind = rows.len().saturating_sub(covered);
        let schema = &self.view.tables.schema;
        let next = schema.graph_over(slot, behind, behind as usize * rows.row_bytes());
        next.map_or(u32::MAX, |_| covered)
    }

    /// Walks the graph, and answers how many vectors that covers; `None` where a scan is better.
    fn walk(&self, query: &Query<'_>) -> Result<Option<(u32, Best)>> {
        let (table, vectors, lsn) = (self.table, self.vectors, self.view.lsn);
        let Some(live) = vectors.live.graph() else {
            return Ok(None);
        };
        let rows = live.graph.len();
        // Deaths are counted for the whole table, some perhaps behind the graph: no matter for an estimate.
        let dead = table.dead().min(rows);
        let alive = u64::from(rows - dead);
        let many_died = f64::from(dead) > f64::from(rows) * MOST_DEAD;
        if many_died || query.want as u64 * 2 > u64::from(rows) || query.wants_most_of(alive) {
            return Ok(None);
        }
        let seen = Seen {
            table,
            vectors,
            lsn,
            rows: rows - dead,
        };
        let all = dead == 0 && live.born <= lsn;
        let filter: Option<&dyn RowFilter> = if all { None } else { Some(&seen) };
        let params = query.walk();
        let found = with_scratch(|scratch| {
            hnsw::search_watched(
                live.graph.view(),
                &vectors.rows,
                self.kernel,
                &query.encoded,
                &params,
                (filter, self.allowance.control()),
                scratch,
            )
        });
        if found.stopped {
            return Err(self.allowance.over());
        }
        if found.hits.len() < query.want {
            // Cut off by rows that died or are not to be seen yet.
            return Ok(None);
        }
        let mut best = Best::new(query.want);
        for (score, slot) in found.hits {
            if let Some(row) = vectors.owner(slot)
                && let Some(version) = table.row(row)
            {
                best.push(score, version.id, row);
            }
        }
        Ok(Some((rows, best)))
    }

    /// Scores the vectors of a range, for all queries in one pass.
    fn scan(&self, range: Range<u32>, queries: &[&Query<'_>], several: bool) -> Result<Vec<Best>> {
        let Some(query) = queries.first() else {
            return Ok(Vec::new());
        };
        let kernel = self.kernel;
        let row_bytes = query.encoded.len();
        let encoded: Vec<&[u8]> = queries.iter().map(|query| query.encoded.as_slice()).collect();
        let pieces = self.pieces(range, row_bytes);
        let held = held(queries, self.vectors.rows.len() as usize);
        self.allowance.take(held)?;
        let new = || -> Vec<Best> { queries.iter().map(|query| Best::new(query.want)).collect() };
        let found = workers::fold(
            several,
            pieces,
            new,
            |bests, (mut start, piece)| {
                self.allowance.check()?;
                for block in piece.chunks(flat::BLOCK as usize * row_bytes) {
                    let mut outcome = Ok(());
                    flat::score_block(kernel, &encoded, block, |at, scores| {
                        if let (Some(query), Some(best), Ok(())) =
                            (queries.get(at), bests.get_mut(at), &outcome)
                        {
                            let scored = (start..).zip(scores.copied());
                            outcome = self.note(query.filter.as_ref(), scored, best);
                        }
                    });
                    outcome?;
                    start += (block.len() / row_bytes) as u32;
                }
                Ok(())
            },
            |bests, others| {
                for (best, other) in bests.iter_mut().zip(others) {
                    best.merge(other);
                }
            },
        );
        self.allowance.give(held);
        found
    }

    /// Scores vectors by all examples in one pass, and keeps the best by what that makes.
    fn scan_mixed(&self, query: &Mixed<'_>, several: bool) -> Result<Best> {
        let row_bytes = self.vectors.rows.row_bytes();
        let examples = query.examples();
        let held = query.want.min(self.vectors.rows.len() as usize) * size_of::<u64>() * 2;
        self.allowance.take(held)?;
        let found = workers::fold(
            several,
            self.pieces(0..self.end(query.slot, query.indexed_only), row_bytes),
            || Best::new(query.want),
            |best, (mut start, piece)| {
                for block in piece.chunks(flat::BLOCK as usize * row_bytes) {
                    // With many examples a block is a lot of work.
                    self.allowance.check()?;
                    let scores = mix_block(query, self.kernel, &examples, block);
                    self.note(query.filter.as_ref(), (start..).zip(scores), best)?;
                    start += (block.len() / row_bytes) as u32;
                }
                Ok(())
            },
            Best::merge,
        );
        self.allowance.give(held);
        found
    }

    /// The vectors of a range, in pieces: each with the place of its first vector.
    fn pieces(&self, range: Range<u32>, row_bytes: usize) -> Vec<(u32, &[u8])> {
        let mut pieces = Vec::new();
        let step = (PIECE_BYTES / row_bytes.max(1)).max(1);
        for (start, rows) in self.vectors.rows.chunks() {
            let within = |at: u32| (at.saturating_sub(start) as usize).min(rows.len() / row_bytes);
            let (skipped, end) = (within(range.start), within(range.end));
            let rest = rows[skipped.min(end) * row_bytes..end * row_bytes].chunks(step * row_bytes);
            let starts = (start + skipped as u32..).step_by(step);
            pieces.extend(starts.zip(rest));
        }
        pieces
    }

    /// Keeps what is near enough, seen, and matches.
    fn note(
        &self,
        filter: Option<&CompiledFilter>,
        scored: impl Iterator<Item = (u32, f32)>,
        best: &mut Best,
    ) -> Result<()> {
        for (slot, score) in scored {
            if best.is_beyond(score) {
                continue;
            }
            let owner = self.vectors.owner(slot);
            let Some((row, version)) = owner.and_then(|row| Some((row, self.table.row(row)?))) else {
                continue;
            };
            if score.is_nan() || !version.visible(self.view.lsn) {
                continue;
            }
            if memtable_row_matches(&self.view.tables.schema, version, filter, self.allowance)? {
                best.push(score, version.id, row);
            }
        }
        Ok(())
    }
}

/// The vectors of a memtable that a reader sees.
struct Seen<'a> {
    table: &'a Memtable,
    vectors: &'a MemVectors,
    lsn: Lsn,
    /// About how many.
    rows: u32,
}

impl RowFilter for Seen<'_> {
    fn contains(&self, slot: u32) -> bool {
        let owner = self.vectors.owner(slot).and_then(|row| self.table.row(row));
        owner.is_some_and(|version| version.visible(self.lsn))
    }

    fn estimate(&self) -> Option<u64> {
        Some(u64::from(self.rows))
    }
}
