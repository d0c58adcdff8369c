//! A search, checked and encoded.

use std::sync::Arc;

use vdb_index::hnsw::SearchParams;
use vdb_index::multi::MultiParams;

use crate::error::Result;
use crate::filter::CompiledFilter;
use crate::memtable::Memtable;
use crate::query::allowance::Allowance;
use crate::query::fetch;
use crate::query::idf;
use crate::query::search::{QueryParams, SearchRequest};
use crate::schema::VectorSchema;
use crate::segment::{Segment, SegmentMulti};
use crate::tables::View;
use crate::vectors::encode_query;

/// Where a result in so many rows is wanted, all rows are scored...
const WANTED_TIMES: u64 = 8;
/// ...unless so few are wanted that keeping them in order costs nothing.
const MOST_SORTED: u64 = 512;

/// What encoding a query and walking cost, in numbers of full vectors of multivectors that are compared in that time: about as
/// many as were measured (`docs/performance/multivectors.md`). Where comparing all that may be found takes fewer, that is done, which is exact.
const WALK_NUMBERS: u64 = 8 << 20;

/// What every table is searched for.
pub(crate) struct Query<'a> {
    pub(crate) vector: &'a VectorSchema,
    pub(crate) slot: usize,
    pub(crate) encoded: Vec<u8>,
    /// Hits wanted of each table.
    pub(crate) want: usize,
    pub(crate) filter: Option<CompiledFilter>,
    pub(crate) params: QueryParams,
}

impl<'a> Query<'a> {
    pub(super) fn new(view: &'a View, request: &SearchRequest, allowance: &Allowance<'_>) -> Result<Self> {
        request.validate()?;
        let schema = &view.tables.schema;
        fetch::check(schema, &request.select)?;
        let (slot, vector) = schema.require(&request.using)?;
        let encoded = vec![encode_query(vector, &request.vector)?];
        let weighed = idf::weigh(view, (slot, vector), request.idf.as_ref(), encoded, allowance)?;
        let encoded = weighed.into_iter().next().unwrap_or_default();
        let filter = request.filter.as_ref();
        let filter = filter.map(|filter| CompiledFilter::new(filter, &**schema));
        let filter = filter.transpose()?;
        // Those of a batch are all there before one is answered.
        allowance.take(filter.as_ref().map_or(0, |filter| filter.path_bytes))?;
        Ok(Query {
            vector,
            slot,
            encoded,
            want: request.offset + request.limit,
            filter: filter.filter(|filter| !filter.is_unconditional()),
            params: request.query_params(),
        })
    }

    pub(crate) fn is_exact(&self) -> bool {
        self.params.exact
    }

    /// Bytes of vectors that are certain to be scored.
    pub(super) fn scans(&self, view: &View) -> usize {
        if self.filter.is_some() {
            // How many rows are left is not known, and payloads are read by one thread.
            return 0;
        }
        let Some(dense) = self.vector.dense() else {
            let scanned = |segment: &&Arc<Segment>| match segment.multi(self.slot) {
                Some(vectors) => !self.walks(vectors, u64::from(vectors.file.len())),
                None => self.is_exact() || !segment.is_indexed(self.slot),
            };
            let in_segments = view.tables.segments.iter().filter(scanned);
            let in_segments = in_segments.map(|segment| segment.vector_bytes(self.slot));
            let in_memory = view.tables.memtables().map(|table| table.vector_bytes(self.slot));
            return in_segments.chain(in_memory).fold(0, usize::saturating_add);
        };
        let rows = |segment: &Arc<Segment>| {
            let vectors = segment.vectors(self.slot)?;
            (self.is_exact() || vectors.graph().is_none()).then(|| vectors.file.len() as usize)
        };
        let in_segments: usize = view.tables.segments.iter().filter_map(rows).sum();
        let unless_walked = |table: &Arc<Memtable>| {
            let vectors = table.vectors(self.slot)?;
            (self.is_exact() || vectors.live.graph().is_none()).then(|| vectors.rows.len() as usize)
        };
        let in_memory: usize = view.tables.memtables().filter_map(unless_walked).sum();
        (in_segments + in_memory).saturating_mul(dense.params.row_bytes())
    }

    /// How graphs are walked for it.
    pub(super) fn walk(&self) -> SearchParams {
        let mut params = SearchParams::new(self.want);
        params.ef = self.params.ef.unwrap_or(params.ef).max(self.nominated());
        let codes = self.params.quantization;
        params.codes = !codes.ignore;
        params.rescore = codes.rescore != Some(false);
        params.oversample = codes.oversampling.unwrap_or(params.oversample);
        if let Some(acorn) = self.params.acorn.filter(|acorn| acorn.enable) {
            let share = acorn.max_selectivity.map(f64::from);
            params.two_hops_below = share.unwrap_or(params.two_hops_below);
        }
        params
    }

    /// How graphs over multivectors are searched for it. A beam that was asked for is that of the walk; half as many
    /// candidates at least are compared in full.
    pub(super) fn walk_multi(&self) -> MultiParams {
        let mut params = MultiParams::new(self.want);
        if let Some(ef) = self.params.ef {
            params.candidates = ef.div_ceil(2);
            params.ef = ef;
        }
        params.candidates = params.candidates.max(self.nominated());
        params.two_hops_below = self.walk().two_hops_below;
        params
    }

    /// Whether the graph over multivectors is walked, where so many of them may be found: there is one, and a walk leaves out
    /// enough of what a scan would compare.
    pub(super) fn walks(&self, vectors: &SegmentMulti, possible: u64) -> bool {
        // Of encodings a graph has codes, and nothing else.
        if self.is_exact() || self.params.quantization.ignore || vectors.graph().is_none() {
            return false;
        }
        let candidates = self.walk_multi().candidates.max(self.want) as u64;
        if candidates >= possible {
            return false;
        }
        let Some(vector) = self.vector.graphed() else {
            return false;
        };
        let all = u64::from(vectors.file.len());
        let each = vectors.file.vectors().div_ceil(all.max(1));
        if vector.full_scan_rows > 0 {
            return !self.scores_all_of(possible.saturating_mul(each));
        }
        let of_query = (self.encoded.len() / vector.params.element.size()) as u64;
        (possible - candidates).saturating_mul(each.saturating_mul(of_query)) > WALK_NUMBERS
    }

    /// Candidates that are asked for, where it was said.
    fn nominated(&self) -> usize {
        let times = self.params.quantization.oversampling.unwrap_or(1.0);
        (self.want as f64 * f64::from(times)).ceil() as usize
    }

    /// True where so few vectors may be found, each of a multivector counted, that all of them are to be scored.
    pub(super) fn scores_all_of(&self, vectors: u64) -> bool {
        let dense = self.vector.graphed();
        dense.is_some_and(|dense| vectors < u64::from(dense.full_scan_rows))
    }

    /// Whether so much is wanted, or so wide a beam, that scoring all of `rows` costs less than any choosing among them.
    pub(super) fn wants_most_of(&self, rows: u64) -> bool {
        let wanted = self.nominated().max(self.params.ef.unwrap_or(0)) as u64;
        wanted.saturating_mul(WANTED_TIMES) > rows && wanted > MOST_SORTED
    }
}

/// Bytes that queries keep of a scan of so many rows, at most: each of a row once, whatever threads share them.
pub(super) fn held(queries: &[&Query<'_>], rows: usize) -> usize {
    let kept = queries.iter().map(|query| query.want.min(rows));
    kept.sum::<usize>().saturating_mul(size_of::<u64>() * 2)
}
