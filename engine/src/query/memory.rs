//! Nearest rows of a memtable: by its graph as far as that reaches, one by one behind it.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use vdb_index::RowFilter;
use vdb_index::hnsw::{self, Scratch, SearchParams};
use vdb_storage::PointId;
use vdb_wal::Lsn;

use crate::error::Result;
use crate::filter::CompiledFilter;
use crate::memtable::{MemVectors, Memtable};
use crate::query::matching::memtable_row_matches;
use crate::schema::Schema;

/// A graph is not walked when more than this share of its rows has died: it would meet little else.
const MOST_DEAD: f64 = 0.5;

/// What a memtable is searched for.
pub(crate) struct Ask<'a> {
    pub(crate) schema: &'a Schema,
    pub(crate) slot: usize,
    pub(crate) encoded: &'a [u8],
    /// What a reader sees.
    pub(crate) lsn: Lsn,
    pub(crate) filter: Option<&'a CompiledFilter>,
    /// Hits wanted.
    pub(crate) want: usize,
    /// Which graph searches may be answered with; `None` for an exact answer.
    pub(crate) walk: Option<SearchParams>,
}

/// A hit of a memtable; the worst is the greatest.
pub(crate) struct Kept {
    pub(crate) score: f32,
    pub(crate) id: PointId,
    pub(crate) row: u32,
}

/// The best rows of a memtable, in no order. Its rows are in no order of ids, so ties are broken here rather than by row.
///
/// With a filter all is scanned: only rows that are near enough are asked whether they match, so few payloads are read.
pub(crate) fn nearest(table: &Memtable, ask: &Ask<'_>, scratch: &mut Scratch) -> Result<Vec<Kept>> {
    let Some(vectors) = table.vectors(ask.slot) else {
        return Ok(Vec::new());
    };
    let mut best = Best {
        kept: BinaryHeap::new(),
        want: ask.want,
    };
    let walked = match &ask.walk {
        Some(params) if ask.filter.is_none() => walk(table, vectors, ask, params, scratch, &mut best),
        Some(_) | None => None,
    };
    scan(table, vectors, walked.unwrap_or(0), ask, &mut best)?;
    Ok(best.kept.into_vec())
}

/// Walks the graph and answers how many vectors that covers; `None` where a scan is better.
fn walk(
    table: &Memtable,
    vectors: &MemVectors,
    ask: &Ask<'_>,
    params: &SearchParams,
    scratch: &mut Scratch,
    best: &mut Best,
) -> Option<u32> {
    let live = vectors.live.graph()?;
    let rows = live.graph.len();
    // Deaths are counted for the whole table, some perhaps behind the graph: no matter for an estimate.
    let dead = table.dead().min(rows);
    if f64::from(dead) > f64::from(rows) * MOST_DEAD || ask.want as u64 * 2 > u64::from(rows) {
        return None;
    }
    let seen = Seen {
        table,
        vectors,
        lsn: ask.lsn,
        rows: rows - dead,
    };
    let all = dead == 0 && live.born <= ask.lsn;
    let filter: Option<&dyn RowFilter> = if all { None } else { Some(&seen) };
    let kernel = &ask.schema.vectors[ask.slot].kernel;
    let view = live.graph.view();
    let found = hnsw::search(view, &vectors.rows, kernel, ask.encoded, params, filter, scratch);
    if found.hits.len() < ask.want {
        // Cut off by rows that died or are not to be seen yet.
        return None;
    }
    for (score, slot) in found.hits {
        if let Some(row) = vectors.owner(slot)
            && let Some(version) = table.row(row)
        {
            best.push(score, version.id, row);
        }
    }
    Some(rows)
}

/// Scores vectors from `first` on.
fn scan(table: &Memtable, vectors: &MemVectors, first: u32, ask: &Ask<'_>, best: &mut Best) -> Result<()> {
    let vector = &ask.schema.vectors[ask.slot];
    let row_bytes = vector.params.row_bytes();
    let mut scores = Vec::new();
    for (start, rows) in vectors.rows.chunks() {
        let skipped = (first.saturating_sub(start) as usize).min(rows.len() / row_bytes);
        let rows = &rows[skipped * row_bytes..];
        scores.resize(rows.len() / row_bytes, 0.0);
        vector.kernel.score_rows(ask.encoded, rows, &mut scores);
        for (slot, &score) in (start + skipped as u32..).zip(&scores) {
            if best.is_beyond(score) {
                continue;
            }
            let owner = vectors.owner(slot);
            let Some((row, version)) = owner.and_then(|row| Some((row, table.row(row)?))) else {
                continue;
            };
            if !score.is_nan()
                && version.visible(ask.lsn)
                && memtable_row_matches(ask.schema, version, ask.filter)?
            {
                best.push(score, version.id, row);
            }
        }
    }
    Ok(())
}

/// The best so far.
struct Best {
    kept: BinaryHeap<Kept>,
    want: usize,
}

impl Best {
    /// True when a score cannot enter.
    fn is_beyond(&self, score: f32) -> bool {
        self.kept.len() >= self.want && self.kept.peek().is_some_and(|worst| score < worst.score)
    }

    fn push(&mut self, score: f32, id: PointId, row: u32) {
        // Negative zero and zero are one score.
        let score = score + 0.0;
        self.kept.push(Kept { score, id, row });
        if self.kept.len() > self.want {
            self.kept.pop();
        }
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
