//! A search as it is asked for.

use std::time::Duration;

use crate::error::{Error, Result, within};
use crate::filter::Filter;
use crate::limits::{MAX_EF, MAX_LIMIT};
use crate::payload::PayloadSelector;
use crate::point::{Select, Vector, VectorSelector};

/// How the nearest points are looked for.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct QueryParams {
    /// Width of the beam of approximate search, as [`SearchRequest::ef`].
    pub ef: Option<usize>,
    /// Compare with every point instead of walking a graph.
    pub exact: bool,
    /// Of which points it is counted how rare a dimension is, as [`SearchRequest::idf`].
    pub idf: Option<Idf>,
}

/// Of which points it is counted how rare a dimension of a sparse vector is ([`Modifier::Idf`](crate::Modifier::Idf)).
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Idf {
    /// All of the collection.
    #[default]
    Global,
    /// Those that match. Each of them is looked at.
    Corpus(Filter),
}

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
    /// The vector to be near to, of the kind and size of the collection's vectors; a dense one stands for a multivector of
    /// one.
    pub vector: Vector,
    /// Which named vector to compare with; empty for the default one.
    pub using: String,
    /// Most points to return: 1 to [`MAX_LIMIT`].
    pub limit: usize,
    /// Points to skip before the first one returned, at most [`MAX_LIMIT`].
    pub offset: usize,
    /// Only points with a score above this (below it for Euclid and Manhattan).
    pub score_threshold: Option<f32>,
    /// Width of the beam of approximate search, where the data are as usual; it goes from a third of this to twice.
    /// More is slower and finds more. Chosen by the engine by default.
    pub ef: Option<usize>,
    /// Compare with every point instead of walking a graph.
    pub exact: bool,
    /// Of which points it is counted how rare a dimension is; of all by default. Only for sparse vectors with
    /// [`Modifier::Idf`](crate::Modifier::Idf).
    pub idf: Option<Idf>,
    /// Only points that match.
    pub filter: Option<Filter>,
    /// What comes back with each point.
    pub select: Select,
    /// How long it may take, else [`Error::Timeout`]; as the database says
    /// ([`read_timeout`](crate::DatabaseBuilder::read_timeout)) by default. In a batch one that is late fails them all.
    pub timeout: Option<Duration>,
}

impl SearchRequest {
    /// The ten nearest points, without payloads or vectors.
    pub fn new(vector: impl Into<Vector>) -> Self {
        SearchRequest {
            vector: vector.into(),
            using: String::new(),
            limit: 10,
            offset: 0,
            score_threshold: None,
            ef: None,
            exact: false,
            idf: None,
            filter: None,
            select: Select::default(),
            timeout: None,
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

    /// Of which points it is counted how rare a dimension is.
    #[must_use]
    pub fn idf(mut self, idf: Idf) -> Self {
        self.idf = Some(idf);
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

    /// How long the search may take.
    #[must_use]
    pub fn timeout(mut self, limit: Duration) -> Self {
        self.timeout = Some(limit);
        self
    }

    /// Checks what needs no collection.
    pub(crate) fn validate(&self) -> Result<()> {
        check(self.limit, self.offset, self.ef, self.score_threshold)
    }
}

/// Checks the numbers of a search.
pub(crate) fn check(limit: usize, offset: usize, ef: Option<usize>, threshold: Option<f32>) -> Result<()> {
    let ef = ef.unwrap_or(1);
    if let Some((name, _)) = [("limit", limit), ("ef", ef)]
        .into_iter()
        .find(|&(_, value)| value == 0)
    {
        return Err(Error::InvalidRequest(format!(
            "the {name} of a search must be at least 1"
        )));
    }
    within("limit of a search", MAX_LIMIT, limit)?;
    within("offset of a search", MAX_LIMIT, offset)?;
    within("ef of a search", MAX_EF, ef)?;
    if threshold.is_some_and(f32::is_nan) {
        return Err(Error::InvalidRequest(
            "the score threshold must be a number, got NaN".into(),
        ));
    }
    Ok(())
}
