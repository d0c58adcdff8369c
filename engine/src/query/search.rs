//! Nearest points.

use std::cell::RefCell;
use std::cmp::Ordering;

use vdb_index::hnsw::{self, Scratch, SearchParams};
use vdb_index::{RowBits, RowFilter, RowSet, TopK, flat};
use vdb_storage::PointId;

use crate::config::Distance;
use crate::error::{Error, Result};
use crate::filter::{CompiledFilter, Filter};
use crate::limits::{MAX_EF, MAX_LIMIT};
use crate::memtable::Memtable;
use crate::payload::PayloadSelector;
use crate::point::{ScoredPoint, Select, VectorSelector};
use crate::query::fetch;
use crate::query::matching::Horizon;
use crate::query::memory;
use crate::query::rows::SegmentRows;
use crate::schema::VectorSchema;
use crate::segment::{Segment, SegmentVectors};
use crate::tables::{Located, View};
use crate::vectors::encode_query;

/// Up to this many matching rows, their full vectors are scored one by one: exact, and as fast as codes with their
/// nominees' full vectors.
const SCAN_ROWS: u64 = 48;

/// Where a result in so many rows is wanted, all rows are scored...
const WANTED_TIMES: u64 = 8;
/// ...unless so few are wanted that keeping them in order costs nothing.
const MOST_SORTED: u64 = 512;

/// A search for the points nearest to a vector.
///
/// ```
/// use vdb::{Condition, Filter, SearchRequest};
///
/// let request = SearchRequest::new(vec![0.1; 384])
///     .limit(5)
///     .filter(Filter::must([Condition::matches("pos", "noun")]))
///     .with_payload(true);
/// assert_eq!(request.limit, 5);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct SearchRequest {
    /// The vector to be near to, with as many numbers as the collection's vectors.
    pub vector: Vec<f32>,
    /// Which named vector to compare with; empty for the default one.
    pub using: String,
    /// Most points to return, at least 1; more than [`MAX_LIMIT`] count as that many.
    pub limit: usize,
    /// Points to skip before the first one returned, at most [`MAX_LIMIT`].
    pub offset: usize,
    /// Only points with a score above this (below it for Euclid and Manhattan).
    pub score_threshold: Option<f32>,
    /// Width of the beam of approximate search: more is slower and finds more. Chosen by the engine by default.
    pub ef: Option<usize>,
    /// Compare with every point instead of walking a graph.
    pub exact: bool,
    /// Only points that match.
    pub filter: Option<Filter>,
    /// What comes back with each point.
    pub select: Select,
}

impl SearchRequest {
    /// The ten nearest points, without payloads or vectors.
    pub fn new(vector: impl Into<Vec<f32>>) -> Self {
        SearchRequest {
            vector: vector.into(),
            using: String::new(),
            limit: 10,
            offset: 0,
            score_threshold: None,
            ef: None,
            exact: false,
            filter: None,
            select: Select::default(),
        }
    }

    /// Compares with this named vector.
    #[must_use]
    pub fn using(mut self, name: impl Into<String>) -> Self {
        self.using = name.into();
        self
    }

    /// Most points to return.
    #[must_use]
    pub fn limit(mut self, limit: usize) -> Self {
        self.limit = limit;
        self
    }

    /// Points to skip before the first one returned.
    #[must_use]
    pub fn offset(mut self, offset: usize) -> Self {
        self.offset = offset;
        self
    }

    /// Only points with a score above this (below it for Euclid and Manhattan).
    #[must_use]
    pub fn score_threshold(mut self, threshold: f32) -> Self {
        self.score_threshold = Some(threshold);
        self
    }

    /// Width of the beam of approximate search.
    #[must_use]
    pub fn ef(mut self, ef: usize) -> Self {
        self.ef = Some(ef);
        self
    }

    /// Compares with every point instead of walking a graph.
    #[must_use]
    pub fn exact(mut self, exact: bool) -> Self {
        self.exact = exact;
        self
    }

    /// Only points that match.
    #[must_use]
    pub fn filter(mut self, filter: Filter) -> Self {
        self.filter = Some(filter);
        self
    }

    /// Whether payloads come back, or which parts of them.
    #[must_use]
    pub fn with_payload(mut self, payload: impl Into<PayloadSelector>) -> Self {
        self.select.payload = payload.into();
        self
    }

    /// Whether vectors come back, or which of them.
    #[must_use]
    pub fn with_vectors(mut self, vectors: impl Into<VectorSelector>) -> Self {
        self.select.vectors = vectors.into();
        self
    }

    fn validate(&self) -> Result<()> {
        let positive = [("limit", self.limit), ("ef", self.ef.unwrap_or(1))];
        if let Some((name, _)) = positive.into_iter().find(|&(_, value)| value == 0) {
            return Err(Error::InvalidRequest(format!(
                "the {name} of a search must be at least 1"
            )));
        }
        if self.ef.is_some_and(|ef| ef > MAX_EF) {
            return Err(Error::Limit {
                what: "ef of a search",
                limit: MAX_EF,
                found: self.ef.unwrap_or(0),
            });
        }
        if self.offset > MAX_LIMIT {
            return Err(Error::Limit {
                what: "offset of a search",
                limit: MAX_LIMIT,
                found: self.offset,
            });
        }
        if self.score_threshold.is_some_and(f32::is_nan) {
            return Err(Error::InvalidRequest(
                "the score threshold must be a number, got NaN".into(),
            ));
        }
        Ok(())
    }
}

/// A candidate of one table. Internal scores: larger is nearer.
struct Hit {
    score: f32,
    id: PointId,
    at: Located,
}

impl Hit {
    fn order(&self, other: &Self) -> Ordering {
        other.score.total_cmp(&self.score).then(self.id.cmp(&other.id))
    }
}

thread_local! {
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

/// What every table is searched for.
struct Query<'a> {
    view: &'a View,
    vector: &'a VectorSchema,
    slot: usize,
    encoded: Vec<u8>,
    /// Hits wanted of each table.
    want: usize,
    ef: Option<usize>,
    exact: bool,
    filter: Option<&'a CompiledFilter>,
}

pub(crate) fn search(view: &View, request: &SearchRequest) -> Result<Vec<ScoredPoint>> {
    request.validate()?;
    let schema = &view.tables.schema;
    fetch::check(schema, &request.select)?;
    let slot = schema.require(&request.using)?;
    let vector = &schema.vectors[slot];
    let encoded = encode_query(&vector.name, &vector.params, &request.vector)?;
    let compiled = request.filter.as_ref().map(CompiledFilter::new).transpose()?;
    let filter = compiled.as_ref().filter(|f| !f.is_unconditional());
    let want = request.offset + request.limit.min(MAX_LIMIT);
    let query = Query {
        view,
        vector,
        slot,
        encoded,
        want,
        ef: request.ef,
        exact: request.exact,
        filter,
    };

    let mut hits = Vec::new();
    for table in view.tables.memtables() {
        query.search_memtable(table, &mut hits)?;
    }
    for segment in &view.tables.segments {
        if let Some(vectors) = segment.vectors(slot) {
            for (score, row) in query.search_segment(segment, vectors)? {
                if let Some(id) = segment.points.id(row) {
                    hits.push(Hit {
                        score,
                        id,
                        at: Located::Segment(segment.clone(), row),
                    });
                }
            }
        }
    }
    hits.sort_unstable_by(Hit::order);

    let distance = vector.params.distance;
    let passes = |score: f32| {
        request
            .score_threshold
            .is_none_or(|bar| beyond(distance, score, bar))
    };
    let scored = hits.iter().map(|hit| (distance.public_score(hit.score), hit));
    let page = scored
        .take_while(|(score, _)| passes(*score))
        .skip(request.offset)
        .take(request.limit.min(MAX_LIMIT));
    page.map(|(score, hit)| {
        let (payload, vectors) = fetch::parts(schema, &request.select, &hit.at)?;
        Ok(ScoredPoint {
            id: hit.id,
            version: hit.at.version(),
            score,
            payload,
            vectors,
        })
    })
    .collect()
}

/// True when a public score is strictly better than a threshold.
fn beyond(distance: Distance, score: f32, bar: f32) -> bool {
    if distance.larger_is_nearer() {
        score > bar
    } else {
        score < bar
    }
}

impl Query<'_> {
    /// The best rows of a memtable.
    fn search_memtable(&self, table: &std::sync::Arc<Memtable>, hits: &mut Vec<Hit>) -> Result<()> {
        let ask = memory::Ask {
            schema: &self.view.tables.schema,
            slot: self.slot,
            encoded: &self.encoded,
            lsn: self.view.lsn,
            filter: self.filter,
            want: self.want,
            walk: (!self.exact).then(|| self.search_params()),
        };
        let best = SCRATCH.with_borrow_mut(|scratch| memory::nearest(table, &ask, scratch))?;
        hits.extend(best.into_iter().map(|kept| Hit {
            score: kept.score,
            id: kept.id,
            at: Located::Memtable(table.clone(), kept.row),
        }));
        Ok(())
    }

    fn search_params(&self) -> SearchParams {
        let params = SearchParams::new(self.want);
        self.ef.map_or(params, |ef| params.ef(ef))
    }

    /// The best rows of a segment, by the cheapest way that finds them.
    fn search_segment(&self, segment: &Segment, vectors: &SegmentVectors) -> Result<Vec<(f32, u32)>> {
        let horizon = Horizon::At(self.view.lsn);
        let rows = SegmentRows::new(&self.view.tables.schema, segment, horizon, self.filter);
        let graph = vectors.graph().filter(|_| !self.exact);
        let row_of = |slot: u32| vectors.file.row_of(slot);

        let hits = match graph {
            Some(graph) => {
                let params = self.search_params();
                if self.wants_most_of(u64::from(vectors.file.len())) {
                    self.scan(vectors, &rows)?
                } else if rows.is_all() {
                    match self.walk::<Slots<'_>>(graph, vectors, &params, None) {
                        Some(found) => found,
                        None => self.scan_all(vectors),
                    }
                } else {
                    let few = rows
                        .listed()
                        .is_some_and(|listed| listed.len() <= SCAN_ROWS || self.wants_most_of(listed.len()));
                    let found = if few {
                        None
                    } else if let (Some(bits), None) = (rows.bits(), vectors.file.sparse_rows()) {
                        self.walk(graph, vectors, &params, Some(bits))
                    } else {
                        self.walk(graph, vectors, &params, Some(&Slots::new(&rows, vectors)))
                    };
                    match found {
                        Some(found) => found,
                        None => self.scan_matching(vectors, &rows)?,
                    }
                }
            }
            None => self.scan(vectors, &rows)?,
        };
        rows.check()?;
        Ok(hits
            .into_iter()
            .filter_map(|(score, slot)| Some((score, row_of(slot)?)))
            .collect())
    }

    /// Walks the graph. `None` when it turns out damaged: it is not used again, and every row is looked at instead.
    fn walk<F: RowFilter>(
        &self,
        graph: &hnsw::GraphFile,
        vectors: &SegmentVectors,
        params: &SearchParams,
        filter: Option<&F>,
    ) -> Option<Vec<(f32, u32)>> {
        let found = SCRATCH.with_borrow_mut(|scratch| {
            let matrix = vectors.file.matrix();
            hnsw::search(
                graph.view(),
                &matrix,
                &self.vector.kernel,
                &self.encoded,
                params,
                filter,
                scratch,
            )
        });
        if found.damaged {
            vectors.set_damaged();
            return None;
        }
        Some(found.hits)
    }

    /// Whether so much is wanted, or so wide a beam, that scoring all of `rows` costs less than any choosing among them.
    fn wants_most_of(&self, rows: u64) -> bool {
        let wanted = self.want.max(self.ef.unwrap_or(0)) as u64;
        wanted.saturating_mul(WANTED_TIMES) > rows && wanted > MOST_SORTED
    }

    /// Scores every row that may be returned.
    fn scan(&self, vectors: &SegmentVectors, rows: &SegmentRows<'_>) -> Result<Vec<(f32, u32)>> {
        if rows.is_all() {
            return Ok(self.scan_all(vectors));
        }
        self.scan_matching(vectors, rows)
    }

    /// Scores every row.
    fn scan_all(&self, vectors: &SegmentVectors) -> Vec<(f32, u32)> {
        let matrix = vectors.file.matrix();
        let mut top = TopK::new(self.want);
        flat::scan(
            &matrix,
            &self.vector.kernel,
            &self.encoded,
            0..matrix.len(),
            None,
            &mut top,
        );
        top.into_sorted()
    }

    /// Scores every matching row, and no other.
    fn scan_matching(&self, vectors: &SegmentVectors, rows: &SegmentRows<'_>) -> Result<Vec<(f32, u32)>> {
        let matrix = vectors.file.matrix();
        let mut slots = RowBits::empty(matrix.len());
        rows.each(|row| {
            if let Some(slot) = vectors.file.slot_of(row) {
                slots.insert(slot);
            }
            Ok(())
        })?;
        let mut top = TopK::new(self.want);
        flat::scan_rows(
            &matrix,
            &self.vector.kernel,
            &self.encoded,
            slots.iter(),
            &mut top,
        );
        Ok(top.into_sorted())
    }
}

/// The rows of a query as a filter over the slots of a vector file.
struct Slots<'a> {
    rows: &'a SegmentRows<'a>,
    vectors: &'a SegmentVectors,
    /// The row of each slot; `None` when they are the same.
    row_of: Option<&'a [u32]>,
}

impl<'a> Slots<'a> {
    fn new(rows: &'a SegmentRows<'a>, vectors: &'a SegmentVectors) -> Self {
        Slots {
            rows,
            vectors,
            row_of: vectors.file.sparse_rows(),
        }
    }
}

impl RowFilter for Slots<'_> {
    #[inline]
    fn contains(&self, slot: u32) -> bool {
        match self.row_of {
            None => self.rows.probe(slot),
            Some(rows) => rows.get(slot as usize).is_some_and(|&row| self.rows.probe(row)),
        }
    }

    fn is_slow(&self) -> bool {
        self.rows.reads_payloads()
    }

    fn estimate(&self) -> Option<u64> {
        self.rows.listed().map(RowSet::len)
    }

    fn list(&self, slots: &mut Vec<u32>) -> bool {
        let Some(listed) = self.rows.listed() else {
            return false;
        };
        listed.list(slots);
        if !self.rows.is_all_alive() {
            slots.retain(|&row| self.rows.sees(row));
        }
        if self.row_of.is_some() {
            let mut kept = 0;
            for at in 0..slots.len() {
                if let Some(slot) = self.vectors.file.slot_of(slots[at]) {
                    slots[kept] = slot;
                    kept += 1;
                }
            }
            slots.truncate(kept);
        }
        true
    }
}
