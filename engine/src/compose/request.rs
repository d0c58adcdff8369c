//! A query as it is asked for.

use std::time::Duration;

use super::kind::Query;
use crate::filter::Filter;
use crate::payload::PayloadSelector;
use crate::point::{Select, VectorSelector};
use crate::query::search::{Idf, QueryParams, SearchRequest};
use crate::setters::setters;

/// A query, of all points or of what other queries have found before it.
///
/// ```
/// # use vdb::{CollectionConfig, Database, Distance, Point, VectorParams};
/// use vdb::{Condition, Filter, Fusion, Prefetch, Query, QueryRequest};
/// # let db = Database::builder().open_in_memory()?;
/// # let config = CollectionConfig::new(VectorParams::new(2, Distance::Cosine));
/// # let birds = db.create_collection("birds", config)?;
/// # birds.upsert((1u64..9).map(|id| Point::new(id, [id as f32, 1.0])).collect())?;
/// let request = QueryRequest::new(Query::Fusion(Fusion::rrf()))
///     .prefetch(Prefetch::new(Query::nearest([0.1, 0.9])).limit(20))
///     .prefetch(Prefetch::new(Query::recommend([3u64], [])).limit(20))
///     .filter(Filter::must_not([Condition::matches("extinct", true)]))
///     .limit(5);
/// let hits = birds.query(&request)?;
/// assert_eq!(hits.len(), 5);
/// // What is given as an example is not a result.
/// assert!(hits.iter().all(|hit| hit.id != 3.into()));
/// # Ok::<_, vdb::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct QueryRequest {
    /// What is done first. Where there is any, the query is of what they found, all together.
    pub prefetch: Vec<Prefetch>,
    /// What is asked for. None gives points in the order of their ids, each with the score 1; not with prefetches.
    pub query: Option<Query>,
    /// The named vector that it is about; empty for the default one, and for queries that are not about vectors. Of a query by
    /// text the payload path that has an index of texts.
    pub using: String,
    /// Only points that match, in prefetches too.
    pub filter: Option<Filter>,
    /// How the nearest points are looked for. Where all points are scored anyway, only
    /// [`indexed_only`](QueryParams::indexed_only) makes a difference. Prefetches have their own.
    pub params: QueryParams,
    /// Only points with a score above this. Where scores are distances, below it; for fusions and formulas, this score too.
    /// Scores made of several similarities go by the distance as well, as they do with Qdrant: over Euclid and Manhattan all
    /// are found if the best is below this, else none. Not for orders, samples and ids.
    pub score_threshold: Option<f32>,
    /// Most points to return: 1 to [`MAX_LIMIT`](crate::MAX_LIMIT).
    pub limit: usize,
    /// Points to skip before the first one returned, at most [`MAX_LIMIT`](crate::MAX_LIMIT).
    pub offset: usize,
    /// What comes back with each point.
    pub select: Select,
    /// Where the ids of the query have their vectors; in this collection by default. Prefetches have their own. Not for queries
    /// that are not about vectors.
    pub lookup_from: Option<LookupFrom>,
    /// How long it may take, else [`Error::Timeout`](crate::Error::Timeout); as the database says by default.
    pub timeout: Option<Duration>,
}

/// A query whose results another one is of.
#[derive(Clone, Debug, PartialEq)]
pub struct Prefetch {
    /// What is done before it.
    pub prefetch: Vec<Prefetch>,
    /// As in [`QueryRequest`].
    pub query: Option<Query>,
    /// The named vector that it is about; empty for the default one, and for queries that are not about vectors. Of a query by
    /// text the payload path that has an index of texts.
    pub using: String,
    /// Only points that match this too, in its own prefetches as well.
    pub filter: Option<Filter>,
    /// How the nearest points are looked for.
    pub params: QueryParams,
    /// As in [`QueryRequest`].
    pub score_threshold: Option<f32>,
    /// Most points that are found: 1 to [`MAX_LIMIT`](crate::MAX_LIMIT).
    pub limit: usize,
    /// Where the ids of the query have their vectors.
    pub lookup_from: Option<LookupFrom>,
}

/// Where ids have their vectors.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LookupFrom {
    /// The collection, by name or alias.
    pub collection: String,
    /// The named vector there; of the same name as the query's by default.
    pub vector: Option<String>,
}

/// The methods that a query and a prefetch have in common.
macro_rules! builders {
    () => {
        /// Adds one that is done first.
        #[must_use]
        pub fn prefetch(mut self, prefetch: Prefetch) -> Self {
            self.prefetch.push(prefetch);
            self
        }

        setters! {
            /// About this named vector.
            using(into String);
            /// Only points that match.
            filter(some Filter);
            /// Sets how the nearest points are looked for: beam, codes and the rest.
            params(QueryParams);
            /// Only points with a score above this.
            score_threshold(some f32);
            /// Most points.
            limit(usize);
            /// Where the ids of the query have their vectors.
            lookup_from(some LookupFrom);
        }

        /// Width of the beam of approximate search.
        #[must_use]
        pub fn ef(mut self, ef: usize) -> Self {
            self.params.ef = Some(ef);
            self
        }

        /// Compares with every point instead of walking a graph.
        #[must_use]
        pub fn exact(mut self, exact: bool) -> Self {
            self.params.exact = exact;
            self
        }

        /// Of which points it is counted how rare a dimension is.
        #[must_use]
        pub fn idf(mut self, idf: Idf) -> Self {
            self.params.idf = Some(idf);
            self
        }
    };
}

/// Points that a query gives, where nobody says.
const DEFAULT_LIMIT: usize = 10;

impl QueryRequest {
    builders!();

    /// The ten best points, without payloads or vectors.
    pub fn new(query: impl Into<Option<Query>>) -> Self {
        QueryRequest {
            prefetch: Vec::new(),
            query: query.into(),
            using: String::new(),
            filter: None,
            params: QueryParams::default(),
            score_threshold: None,
            limit: DEFAULT_LIMIT,
            offset: 0,
            select: Select::default(),
            lookup_from: None,
            timeout: None,
        }
    }

    setters! {
        /// Points to skip before the first one returned.
        offset(usize);
        /// How long it may take.
        timeout(some Duration);
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

    pub(crate) fn stage(&self) -> Stage<'_> {
        // Diverse results are chosen for a list of the limit's length.
        let skipped = match self.query {
            Some(Query::Mmr { .. }) => 0,
            Some(_) | None => self.offset,
        };
        Stage {
            prefetch: &self.prefetch,
            query: self.query.as_ref(),
            using: &self.using,
            filter: self.filter.as_ref(),
            params: &self.params,
            score_threshold: self.score_threshold,
            want: self.limit.saturating_add(skipped),
            lookup_from: self.lookup_from.as_ref(),
        }
    }
}

impl From<SearchRequest> for QueryRequest {
    fn from(search: SearchRequest) -> Self {
        QueryRequest {
            params: search.query_params(),
            using: search.using,
            filter: search.filter,
            score_threshold: search.score_threshold,
            limit: search.limit,
            offset: search.offset,
            select: search.select,
            timeout: search.timeout,
            ..QueryRequest::new(Query::nearest(search.vector))
        }
    }
}

impl Prefetch {
    builders!();

    /// The ten best points.
    pub fn new(query: impl Into<Option<Query>>) -> Self {
        Prefetch {
            prefetch: Vec::new(),
            query: query.into(),
            using: String::new(),
            filter: None,
            params: QueryParams::default(),
            score_threshold: None,
            limit: DEFAULT_LIMIT,
            lookup_from: None,
        }
    }

    pub(crate) fn stage(&self) -> Stage<'_> {
        Stage {
            prefetch: &self.prefetch,
            query: self.query.as_ref(),
            using: &self.using,
            filter: self.filter.as_ref(),
            params: &self.params,
            score_threshold: self.score_threshold,
            want: self.limit,
            lookup_from: self.lookup_from.as_ref(),
        }
    }
}

/// A query or a prefetch: what is run.
#[derive(Clone, Copy)]
pub(crate) struct Stage<'a> {
    pub(crate) prefetch: &'a [Prefetch],
    pub(crate) query: Option<&'a Query>,
    pub(crate) using: &'a str,
    pub(crate) filter: Option<&'a Filter>,
    pub(crate) params: &'a QueryParams,
    pub(crate) score_threshold: Option<f32>,
    /// Results wanted.
    pub(crate) want: usize,
    pub(crate) lookup_from: Option<&'a LookupFrom>,
}
