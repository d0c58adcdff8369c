//! Nearest rows of a segment: by its graph, or by scoring every row.

use std::cell::RefCell;
use std::ops::Range;

use vdb_index::hnsw::{self, Scratch};
use vdb_index::{RowBits, RowFilter, TopK, flat};
use vdb_sys::kernel::Kernel;

use crate::error::Result;
use crate::paging::Paged;
use crate::query::allowance::Allowance;
use crate::query::matching::Horizon;
use crate::query::mixed::{Mixed, mix_block};
use crate::query::partition::Partition;
use crate::query::prepared::{Query, held};
use crate::query::ragged;
use crate::query::rows::SegmentRows;
use crate::query::slots::Slots;
use crate::query::workers;
use crate::segment::{Segment, SegmentVectors};
use crate::tables::View;

/// Up to this many matching rows, their full vectors are scored one by one: exact, and as fast as codes with their
/// nominees' full vectors.
const SCAN_ROWS: u64 = 48;

/// Where more than this share of the rows has died, the others are scored one by one.
const MOST_DEAD: f64 = 0.25;

/// Bytes of vectors that are scored between two looks at the clock, by one thread: tens of microseconds a query.
pub(crate) const PIECE_BYTES: usize = 1 << 20;

thread_local! {
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

/// Lends the memory of searches, one a thread. Nothing that may wait for other threads belongs in there.
pub(crate) fn with_scratch<T>(search: impl FnOnce(&mut Scratch) -> T) -> T {
    SCRATCH.with_borrow_mut(search)
}

/// The best rows for each query, by the cheapest way that finds them. Several queries have no filter.
pub(crate) fn nearest(
    view: &View,
    segment: &Segment,
    queries: &[&Query<'_>],
    several: bool,
    allowance: &Allowance<'_>,
) -> Result<Vec<Vec<(f32, u32)>>> {
    let mut answers = vec![Vec::new(); queries.len()];
    let Some(first) = queries.first() else {
        return Ok(answers);
    };
    let Some(schema) = first.vector.dense() else {
        return workers::map(several, queries, |query| {
            ragged::nearest_in_segment(view, segment, query, several, allowance)
        });
    };
    let Some(vectors) = segment.vectors(first.slot) else {
        return Ok(answers);
    };
    let kernel = &schema.kernel;
    let horizon = Horizon::At(view.lsn);
    let schema = &view.tables.schema;
    let partition = Partition::of(schema, segment, vectors, first.filter.as_ref());
    if let Some(partition) = partition.filter(|partition| partition.is_all && partition.is_walked(first)) {
        // Which rows match need not be known.
        let rows = SegmentRows::new(schema, segment, horizon, None, allowance)?;
        let table = Table {
            vectors,
            kernel,
            rows: &rows,
            partition: Some(partition),
            allowance,
        };
        let walked = workers::map(several, queries, |query| table.walk(query))?;
        if let Some(found) = walked.into_iter().collect::<Option<Vec<_>>>() {
            return Ok(found.into_iter().map(|found| to_rows(found, vectors)).collect());
        }
    }
    let rows = SegmentRows::new(schema, segment, horizon, first.filter.as_ref(), allowance)?;
    let table = Table {
        vectors,
        kernel,
        rows: &rows,
        partition: partition.filter(|partition| !partition.is_all),
        allowance,
    };
    let walked = workers::map(several, queries, |query| {
        allowance.check()?;
        table.walk(query)
    })?;
    let wait = rows.wait_for_graph(first.slot);
    let is_left = |&at: &usize| walked[at].is_none() && !(wait && queries[at].params.indexed_only);
    let left: Vec<usize> = (0..queries.len()).filter(is_left).collect();
    let scanning: Vec<&Query<'_>> = left.iter().map(|&at| queries[at]).collect();
    let scanned = table.scan(&scanning, several)?;
    rows.check()?;
    for (answer, found) in answers.iter_mut().zip(walked) {
        *answer = found.unwrap_or_default();
    }
    for (at, top) in left.into_iter().zip(scanned) {
        answers[at] = top.into_sorted();
    }
    Ok(answers.into_iter().map(|found| to_rows(found, vectors)).collect())
}

/// The best rows by what their similarities to several examples make.
pub(super) fn best_mixed(
    view: &View,
    segment: &Segment,
    query: &Mixed<'_>,
    several: bool,
    allowance: &Allowance<'_>,
) -> Result<Vec<(f32, u32)>> {
    let Some(kernel) = &query.kernel else {
        return ragged::mixed_in_segment(view, segment, query, several, allowance);
    };
    let Some(vectors) = segment.vectors(query.slot) else {
        return Ok(Vec::new());
    };
    let horizon = Horizon::At(view.lsn);
    let schema = &view.tables.schema;
    let rows = SegmentRows::new(schema, segment, horizon, query.filter.as_ref(), allowance)?;
    if query.indexed_only && rows.wait_for_graph(query.slot) {
        return Ok(Vec::new());
    }
    let table = Table {
        vectors,
        kernel,
        rows: &rows,
        partition: None,
        allowance,
    };
    let top = table.scan_mixed(query, several)?;
    rows.check()?;
    Ok(to_rows(top.into_sorted(), vectors))
}

/// Hits by row instead of slot.
fn to_rows(mut hits: Vec<(f32, u32)>, vectors: &SegmentVectors) -> Vec<(f32, u32)> {
    hits.retain_mut(|(_, slot)| {
        let row = vectors.file.row_of(*slot);
        *slot = row.unwrap_or(0);
        row.is_some()
    });
    hits
}

/// Pieces of `0..rows`.
pub(crate) fn pieces(rows: u32, row_bytes: usize) -> Vec<Range<u32>> {
    let step = (PIECE_BYTES / row_bytes.max(1)).max(flat::BLOCK as usize);
    let step = step - step % flat::BLOCK as usize;
    (0..rows)
        .step_by(step)
        .map(|start| start..start.saturating_add(step as u32).min(rows))
        .collect()
}

/// The vectors of a segment, and which of them may be found.
struct Table<'a> {
    vectors: &'a SegmentVectors,
    kernel: &'a Kernel,
    rows: &'a SegmentRows<'a>,
    /// The graph among some of them that holds all that match.
    partition: Option<Partition<'a>>,
    allowance: &'a Allowance<'a>,
}

impl Table<'_> {
    /// What the graph finds. `None` where rows are to be scored instead: there is no graph, or it is not worth walking, or
    /// it turns out damaged.
    fn walk(&self, query: &Query<'_>) -> Result<Option<Vec<(f32, u32)>>> {
        let (vectors, rows) = (self.vectors, self.rows);
        let Some(graph) = vectors.graph().filter(|_| !query.is_exact()) else {
            return Ok(None);
        };
        let all = self
            .partition
            .map_or(vectors.file.len(), |partition| partition.view.len());
        let all = u64::from(all);
        let possible = rows.listed().map_or(all, |listed| listed.len());
        if query.wants_most_of(all) || query.scores_all_of(possible) {
            return Ok(None);
        }
        if rows.is_all() {
            return self.walk_with::<RowBits>(graph, query, None);
        }
        let few = rows
            .listed()
            .is_some_and(|listed| listed.len() <= SCAN_ROWS || query.wants_most_of(listed.len()));
        match (rows.bits(), vectors.file.sparse_rows()) {
            _ if few => Ok(None),
            (Some(bits), None) => self.walk_with(graph, query, Some(bits)),
            _ => self.walk_with(graph, query, Some(&Slots::new(rows, vectors.file.sparse_rows()))),
        }
    }

    fn walk_with<F: RowFilter>(
        &self,
        graph: &hnsw::GraphFile,
        query: &Query<'_>,
        filter: Option<&F>,
    ) -> Result<Option<Vec<(f32, u32)>>> {
        let params = query.walk();
        let matrix = Paged::new(&self.vectors.file, &self.vectors.waits);
        let found = with_scratch(|scratch| {
            let among = (filter, self.allowance.control());
            let (kernel, encoded) = (self.kernel, query.encoded.as_slice());
            match self.partition {
                Some(partition) => {
                    let within = (graph.view(), partition.view);
                    hnsw::search_within(within, &matrix, kernel, encoded, &params, among, scratch)
                }
                None => {
                    let graph = graph.view();
                    hnsw::search_watched(graph, &matrix, kernel, encoded, &params, among, scratch)
                }
            }
        });
        if found.stopped {
            return Err(self.allowance.over());
        }
        if found.damaged {
            match self.partition {
                Some(_) => self.vectors.set_partitions_damaged(),
                None => self.vectors.set_damaged(),
            }
            return Ok(None);
        }
        Ok(Some(found.hits))
    }

    /// Scores every row that may be found, for all queries in one pass.
    fn scan(&self, queries: &[&Query<'_>], several: bool) -> Result<Vec<TopK>> {
        let matrix = self.vectors.file.matrix();
        let Some(first) = queries.first() else {
            return Ok(Vec::new());
        };
        let kernel = self.kernel;
        let encoded: Vec<&[u8]> = queries.iter().map(|query| query.encoded.as_slice()).collect();
        let tops = || -> Vec<TopK> { queries.iter().map(|query| TopK::new(query.want)).collect() };
        let held = held(queries, matrix.len() as usize);
        self.allowance.take(held)?;
        let slots = Slots::new(self.rows, self.vectors.file.sparse_rows());
        let filter: Option<&dyn RowFilter> = (!self.rows.is_all()).then_some(&slots);
        let listed = match filter {
            Some(_) if !self.rows.is_mostly_all(MOST_DEAD) => Some(self.matching(matrix.len())?),
            Some(_) | None => None,
        };
        let score = |tops: &mut Vec<TopK>, piece: Range<u32>| {
            self.allowance.check()?;
            match &listed {
                None => flat::scan_many(&matrix, kernel, &encoded, piece, filter, tops),
                Some(listed) => {
                    for (query, top) in encoded.iter().zip(tops) {
                        let rows = listed.iter_from(piece.start);
                        let rows = rows.take_while(|&row| row < piece.end);
                        flat::scan_rows(&matrix, kernel, query, rows, top);
                    }
                }
            }
            Ok(())
        };
        let pieces = pieces(matrix.len(), first.encoded.len());
        let found = workers::fold(several, pieces, tops, score, |tops, others| {
            for (top, other) in tops.iter_mut().zip(&others) {
                top.merge(other);
            }
        });
        self.allowance.give(held);
        found
    }

    /// Scores every row that may be found by all examples in one pass, and keeps the best by what that makes.
    fn scan_mixed(&self, query: &Mixed<'_>, several: bool) -> Result<TopK> {
        let matrix = self.vectors.file.matrix();
        let examples = query.examples();
        let held = query.want.min(matrix.len() as usize) * size_of::<u64>() * 2;
        self.allowance.take(held)?;
        let slots = Slots::new(self.rows, self.vectors.file.sparse_rows());
        let listed = if self.rows.is_mostly_all(MOST_DEAD) {
            None
        } else {
            Some(self.matching(matrix.len())?)
        };
        let score = |top: &mut TopK, piece: Range<u32>| {
            self.allowance.check()?;
            if let Some(listed) = &listed {
                let mut similarities = vec![0.0; examples.len()];
                let rows = listed.iter_from(piece.start);
                for row in rows.take_while(|&row| row < piece.end) {
                    self.allowance.beat()?;
                    if let Some(vector) = matrix.row(row) {
                        for (similarity, example) in similarities.iter_mut().zip(&examples) {
                            *similarity = self.kernel.score(example, vector);
                        }
                        top.push(query.mix.score(&similarities), row);
                    }
                }
                return Ok(());
            }
            for start in piece.clone().step_by(flat::BLOCK as usize) {
                let stop = start.saturating_add(flat::BLOCK).min(piece.end);
                let Some(block) = matrix.rows(start..stop) else {
                    break;
                };
                // With many examples a block is a lot of work.
                self.allowance.check()?;
                for (score, row) in mix_block(query, self.kernel, &examples, block)
                    .into_iter()
                    .zip(start..)
                {
                    if score >= top.threshold() && slots.contains(row) {
                        top.push(score, row);
                    }
                }
            }
            Ok(())
        };
        let pieces = pieces(matrix.len(), matrix.row_bytes());
        let new = || TopK::new(query.want);
        let found = workers::fold(several, pieces, new, score, |top, other| top.merge(&other));
        self.allowance.give(held);
        found
    }

    /// The slots of all rows that may be found.
    fn matching(&self, slots: u32) -> Result<RowBits> {
        let mut matching = RowBits::empty(slots);
        self.rows.each(|row| {
            if let Some(slot) = self.vectors.file.slot_of(row) {
                matching.insert(slot);
            }
            Ok(())
        })?;
        Ok(matching)
    }
}
