//! Nearest rows of multivectors and sparse vectors: by a graph, by an inverted index, or by comparing row by row. Answers are
//! exact but for those of a graph.

use std::cell::{OnceCell, RefCell};
use std::ops::Range;

use vdb_index::TopK;
use vdb_index::sparse::{Scratch, SparseQuery, SparseVectors};
use vdb_storage::sparse::SparseReader;
use vdb_sys::sparse::SparseView;

use crate::error::Result;
use crate::filter::CompiledFilter;
use crate::memtable::{BLOCK, MemRagged, Memtable};
use crate::query::allowance::Allowance;
use crate::query::compare::{Comparer, Purpose};
use crate::query::kept::{Best, Kept};
use crate::query::matching::{Horizon, memtable_row_matches};
use crate::query::mixed::Mixed;
use crate::query::multi;
use crate::query::prepared::Query;
use crate::query::rows::SegmentRows;
use crate::query::slots::Rows;
use crate::query::workers;
use crate::schema::VectorKind;
use crate::segment::{Segment, SegmentSparse};
use crate::tables::View;
use crate::vectors::with_sparse;

/// Rows that one thread compares at a time.
const PIECE: u32 = BLOCK;

thread_local! {
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

/// The score of stored bytes; none where it is below the bar that comes with them, or there is none.
type Score<'a> = dyn Fn(&[u8], f32) -> Result<Option<f32>> + Sync + 'a;

/// Every row of a table, by whatever score its vector has.
struct Scan<'a> {
    view: &'a View,
    slot: usize,
    want: usize,
    filter: Option<&'a CompiledFilter>,
    score: &'a Score<'a>,
    /// Of a sparse query its dimensions: what shares none with it has no score.
    dimensions: Option<&'a [u32]>,
    several: bool,
    allowance: &'a Allowance<'a>,
}

/// The best rows of a memtable, in no order.
pub(super) fn nearest_in_memory(
    view: &View,
    table: &Memtable,
    query: &Query<'_>,
    several: bool,
    allowance: &Allowance<'_>,
) -> Result<Vec<Kept>> {
    let comparer = Comparer::new(query.vector, &query.encoded, Purpose::Score);
    let score = |stored: &[u8], bar: f32| comparer.score(stored, bar, allowance);
    if query.params.indexed_only && wait_for_graph(view, table, query.slot) {
        return Ok(Vec::new());
    }
    let wanted = (query.slot, query.want, query.filter.as_ref());
    let mut scan = Scan::new(view, wanted, &score, several, allowance);
    let dimensions = match query.vector.kind {
        VectorKind::Sparse(_) => with_sparse(&query.encoded, |vector| vector.dimensions().to_vec()),
        VectorKind::Dense(_) | VectorKind::Multi(_) => None,
    };
    scan.dimensions = dimensions.as_deref();
    scan.in_memory(table)
}

/// The best rows of a memtable by what their similarities to several examples make, in no order.
pub(super) fn mixed_in_memory(
    view: &View,
    table: &Memtable,
    query: &Mixed<'_>,
    several: bool,
    allowance: &Allowance<'_>,
) -> Result<Vec<Kept>> {
    if query.indexed_only && wait_for_graph(view, table, query.slot) {
        return Ok(Vec::new());
    }
    let score = |stored: &[u8], _bar: f32| query.score_alone(stored, allowance);
    let wanted = (query.slot, query.want, query.filter.as_ref());
    Scan::new(view, wanted, &score, several, allowance).in_memory(table)
}

/// True when the vectors of a memtable wait for their graph. A filter makes no difference: all are compared before it is asked.
fn wait_for_graph(view: &View, table: &Memtable, slot: usize) -> bool {
    let schema = &view.tables.schema;
    let wait = |vectors: &MemRagged| schema.graph_over(slot, vectors.len(), vectors.bytes()).is_some();
    table.ragged(slot).is_some_and(wait)
}

/// The best rows of a segment, in order.
pub(super) fn nearest_in_segment(
    view: &View,
    segment: &Segment,
    query: &Query<'_>,
    several: bool,
    allowance: &Allowance<'_>,
) -> Result<Vec<(f32, u32)>> {
    let comparer = Comparer::new(query.vector, &query.encoded, Purpose::Score);
    let score = |stored: &[u8], bar: f32| comparer.score(stored, bar, allowance);
    let wanted = (query.slot, query.want, query.filter.as_ref());
    let scan = Scan::new(view, wanted, &score, several, allowance);
    if segment.rows_with_vector(query.slot) == 0 {
        return Ok(Vec::new());
    }
    let rows = scan.rows_of(segment)?;
    if query.params.indexed_only && rows.wait_for_graph(query.slot) {
        return Ok(Vec::new());
    }
    if let (Some(vectors), Some(maxsim)) = (segment.multi(query.slot), comparer.multi())
        && let Some(found) = multi::walk(vectors, &rows, query, maxsim, allowance)?
    {
        rows.check()?;
        return Ok(found);
    }
    if let Some(vectors) = segment.sparse(query.slot)
        && !query.is_exact()
        && let Some(found) = by_index(vectors, &rows, query, allowance)?
    {
        rows.check()?;
        return Ok(found);
    }
    let top = scan.in_segment(segment, &rows)?;
    rows.check()?;
    Ok(top.into_sorted())
}

/// The best rows of a segment by what their similarities to several examples make, in order.
pub(super) fn mixed_in_segment(
    view: &View,
    segment: &Segment,
    query: &Mixed<'_>,
    several: bool,
    allowance: &Allowance<'_>,
) -> Result<Vec<(f32, u32)>> {
    if segment.rows_with_vector(query.slot) == 0 {
        return Ok(Vec::new());
    }
    let score = |stored: &[u8], _bar: f32| query.score_alone(stored, allowance);
    let wanted = (query.slot, query.want, query.filter.as_ref());
    let scan = Scan::new(view, wanted, &score, several, allowance);
    let rows = scan.rows_of(segment)?;
    if query.indexed_only && rows.wait_for_graph(query.slot) {
        return Ok(Vec::new());
    }
    let top = scan.in_segment(segment, &rows)?;
    rows.check()?;
    Ok(top.into_sorted())
}

impl<'a> Scan<'a> {
    /// For the best `want` rows by their vectors of a slot, of those that match.
    fn new(
        view: &'a View,
        (slot, want, filter): (usize, usize, Option<&'a CompiledFilter>),
        score: &'a Score<'a>,
        several: bool,
        allowance: &'a Allowance<'a>,
    ) -> Self {
        Scan {
            view,
            slot,
            want,
            filter,
            score,
            dimensions: None,
            several,
            allowance,
        }
    }

    /// Pieces of `0..len`.
    fn pieces(len: u32) -> Vec<Range<u32>> {
        let starts = (0..len).step_by(PIECE as usize);
        starts
            .map(|start| start..start.saturating_add(PIECE).min(len))
            .collect()
    }

    /// Bytes that are kept of a scan of so many rows, at most.
    fn held(&self, rows: u32) -> usize {
        self.want.min(rows as usize) * size_of::<u64>() * 2
    }

    fn in_memory(&self, table: &Memtable) -> Result<Vec<Kept>> {
        let Some(vectors) = table.ragged(self.slot) else {
            return Ok(Vec::new());
        };
        let held = self.held(vectors.len());
        self.allowance.take(held)?;
        let found = workers::fold(
            self.several,
            Self::pieces(vectors.len()),
            || Best::new(self.want),
            |best, piece| {
                self.allowance.check()?;
                let block = self.dimensions.zip(vectors.block(piece.start));
                match block {
                    Some((dimensions, block)) => block
                        .with_any(dimensions)
                        .try_for_each(|place| self.look(table, vectors.at(piece.start + place), best)),
                    None => piece
                        .into_iter()
                        .try_for_each(|place| self.look(table, vectors.at(place), best)),
                }
            },
            Best::merge,
        );
        self.allowance.give(held);
        found.map(Best::into_kept)
    }

    /// Takes a vector of a memtable, with the row that has it, if it is near enough, seen, and matches.
    fn look(&self, table: &Memtable, found: Option<(u32, &[u8])>, best: &mut Best) -> Result<()> {
        let Some((row, stored)) = found else {
            return Ok(());
        };
        let Some(version) = table.row(row).filter(|version| version.visible(self.view.lsn)) else {
            return Ok(());
        };
        let Some(score) = (self.score)(stored, best.bar())? else {
            return Ok(());
        };
        if score.is_nan() || best.is_beyond(score) {
            return Ok(());
        }
        // A payload is read only of what is near enough.
        if memtable_row_matches(&self.view.tables.schema, version, self.filter, self.allowance)? {
            best.push(score, version.id, row);
        }
        Ok(())
    }

    fn rows_of<'r>(&'r self, segment: &'r Segment) -> Result<SegmentRows<'r>> {
        let (schema, horizon) = (&self.view.tables.schema, Horizon::At(self.view.lsn));
        SegmentRows::new(schema, segment, horizon, self.filter, self.allowance)
    }

    fn in_segment(&self, segment: &Segment, rows: &SegmentRows<'_>) -> Result<TopK> {
        let held = self.held(segment.rows());
        self.allowance.take(held)?;
        // Payloads are read only of what is near enough.
        let late = rows.reads_payloads();
        let look = |top: &mut TopK, row: u32| -> Result<()> {
            if !rows.sees(row) || (!late && !rows.contains(row)?) {
                return Ok(());
            }
            let Some(stored) = segment.vector(self.slot, row)? else {
                return Ok(());
            };
            if let Some(score) = (self.score)(stored, top.threshold())?
                && score >= top.threshold()
                && (!late || rows.contains(row)?)
            {
                top.push(score, row);
            }
            Ok(())
        };
        let found = workers::fold(
            self.several,
            Self::pieces(segment.rows()),
            || TopK::new(self.want),
            |top, piece| {
                self.allowance.check()?;
                match rows.listed() {
                    None => piece.into_iter().try_for_each(|row| look(top, row)),
                    Some(listed) => {
                        let rows = listed.iter_from(piece.start);
                        rows.take_while(|row| *row < piece.end)
                            .try_for_each(|row| look(top, row))
                    }
                }
            },
            |top, other| top.merge(&other),
        );
        self.allowance.give(held);
        found
    }
}

/// What the inverted index finds. `None` where there is none, or it turns out damaged.
fn by_index(
    vectors: &SegmentSparse,
    rows: &SegmentRows<'_>,
    query: &Query<'_>,
    allowance: &Allowance<'_>,
) -> Result<Option<Vec<(f32, u32)>>> {
    let Some(index) = vectors.index() else {
        return Ok(None);
    };
    allowance.check()?;
    let filter = Rows::new(rows);
    let stored = Stored {
        file: &vectors.file,
        failure: OnceCell::new(),
    };
    let want = query.want.min(index.rows_with_vector() as usize);
    let held = want * size_of::<u64>() * 2;
    allowance.take(held)?;
    let mut hits = Vec::new();
    let searched = with_sparse(&query.encoded, |vector| {
        let query = SparseQuery {
            vector,
            k: want,
            filter: (!rows.is_all()).then_some(&filter),
        };
        SCRATCH
            .with_borrow_mut(|scratch| index.search(&stored, &query, allowance.control(), scratch, &mut hits))
    });
    allowance.give(held);
    if let Some(error) = stored.failure.into_inner() {
        return Err(error.into());
    }
    match searched {
        Some(Ok(_)) => Ok(Some(hits)),
        Some(Err(vdb_index::Error::Cancelled)) => Err(allowance.over()),
        // An index is derived data: without it the answer takes longer and is the same.
        Some(Err(_)) | None => {
            vectors.set_damaged();
            Ok(None)
        }
    }
}

/// The vectors that an index scores candidates with. It knows nothing of the errors of their file.
struct Stored<'a> {
    file: &'a SparseReader,
    failure: OnceCell<vdb_storage::Error>,
}

impl SparseVectors for Stored<'_> {
    fn sparse(&self, row: u32) -> vdb_index::Result<Option<SparseView<'_>>> {
        self.file.get(row).map_err(|error| {
            let _ = self.failure.set(error);
            vdb_index::Error::Cancelled
        })
    }
}
