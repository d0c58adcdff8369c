//! A search, checked and encoded.

use std::sync::Arc;

use vdb_index::hnsw::SearchParams;

use crate::error::{Error, Result};
use crate::filter::CompiledFilter;
use crate::memtable::Memtable;
use crate::query::fetch;
use crate::query::search::{Idf, QueryParams, SearchRequest};
use crate::schema::VectorSchema;
use crate::segment::Segment;
use crate::tables::View;
use crate::vectors::encode_query;

/// Where a result in so many rows is wanted, all rows are scored...
const WANTED_TIMES: u64 = 8;
/// ...unless so few are wanted that keeping them in order costs nothing.
const MOST_SORTED: u64 = 512;

/// Weights by rarity are for sparse vectors.
pub(crate) fn refuse_idf(vector: &str, idf: Option<&Idf>) -> Result<()> {
    if idf.is_some() {
        return Err(Error::InvalidRequest(format!(
            "idf is for sparse vectors with the modifier idf, and the vector {vector:?} is none"
        )));
    }
    Ok(())
}

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
    pub(super) fn new(view: &'a View, request: &SearchRequest) -> Result<Self> {
        request.validate()?;
        let schema = &view.tables.schema;
        fetch::check(schema, &request.select)?;
        let slot = schema.require(&request.using)?;
        let vector = &schema.vectors[slot];
        refuse_idf(&vector.name, request.idf.as_ref())?;
        let encoded = encode_query(&vector.name, &vector.params, &request.vector)?;
        let filter = request.filter.as_ref().map(CompiledFilter::new).transpose()?;
        Ok(Query {
            vector,
            slot,
            encoded,
            want: request.offset + request.limit,
            filter: filter.filter(|filter| !filter.is_unconditional()),
            params: QueryParams {
                ef: request.ef,
                exact: request.exact,
                idf: request.idf.clone(),
            },
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
        (in_segments + in_memory).saturating_mul(self.vector.params.row_bytes())
    }

    /// How graphs are walked for it.
    pub(super) fn walk(&self) -> SearchParams {
        let params = SearchParams::new(self.want);
        self.params.ef.map_or(params, |ef| params.ef(ef))
    }

    /// Whether so much is wanted, or so wide a beam, that scoring all of `rows` costs less than any choosing among them.
    pub(super) fn wants_most_of(&self, rows: u64) -> bool {
        let wanted = self.want.max(self.params.ef.unwrap_or(0)) as u64;
        wanted.saturating_mul(WANTED_TIMES) > rows && wanted > MOST_SORTED
    }
}

/// Bytes that queries keep of a scan of so many rows, at most: each of a row once, whatever threads share them.
pub(super) fn held(queries: &[&Query<'_>], rows: usize) -> usize {
    let kept = queries.iter().map(|query| query.want.min(rows));
    kept.sum::<usize>().saturating_mul(size_of::<u64>() * 2)
}
