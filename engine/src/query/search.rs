//! A search as it is asked for.

use std::time::Duration;

use crate::error::{Error, Result, within};
use crate::filter::Filter;
use crate::limits::{MAX_EF, MAX_LIMIT};
use crate::payload::PayloadSelector;
use crate::point::{Select, Vector, VectorSelector};
use crate::setters::setters;

/// What becomes of codes in a search by graphs; where rows are scored one by one, full vectors are read in any case.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct QuantizationSearch {
    /// Walk on full vectors: slower, and what the codes rank low is found. Graphs over multivectors have codes alone: without
    /// them every point is compared.
    pub ignore: bool,
    /// Whether what is returned is scored with its full vectors, as it is unless this is `false`: then scores and their order
    /// are those of the codes, off by what the codes are off. Multivectors are compared in full in any case: codes of theirs
    /// nominate, and say nothing of scores.
    pub rescore: Option<bool>,
    /// How many times as many candidates as results are looked for on codes, at least 1: walks are at least that wide, and at
    /// least so many are scored in full. 1.5 by default, and more where the codes seem poor.
    pub oversampling: Option<f32>,
}

/// How graphs are walked under filters.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct AcornSearch {
    /// Where few rows match, walks look through those that do not for others behind them, as ACORN-1 does, with this or
    /// without; not under a filter that reads payloads, where each row that is asked costs one. With this,
    /// [`max_selectivity`](Self::max_selectivity) says what few are.
    pub enable: bool,
    /// The share of rows, 0 to 1, up to which that is done; 0.4 by default, as without all this.
    pub max_selectivity: Option<f32>,
}

/// How the nearest points are looked for.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct QueryParams {
    /// Width of the beam of approximate search, as [`SearchRequest::ef`].
    pub ef: Option<usize>,
    /// Compare with every point instead of walking a graph.
    pub exact: bool,
    /// What becomes of codes.
    pub quantization: QuantizationSearch,
    /// Leave out vectors that still wait for their graph, where there are so many that they are to have one: no search is slow,
    /// and new points may not be found yet. Of a segment none is left out where payload indexes tell that those which can match the
    /// filter would be too few for a graph; of what is in memory all count, whatever matches. Where what prefetches have found is
    /// scored, nothing is left out.
    pub indexed_only: bool,
    /// How graphs are walked under filters.
    pub acorn: Option<AcornSearch>,
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
    /// More is slower and finds more. Chosen by the engine by default. Of multivectors half of the beam at least is compared in
    /// full; by default it is 30 times as wide as hits are wanted, and at least 200.
    pub ef: Option<usize>,
    /// Compare with every point instead of walking a graph.
    pub exact: bool,
    /// What becomes of codes, as [`QueryParams::quantization`].
    pub quantization: QuantizationSearch,
    /// Leave out what waits for its graph, as [`QueryParams::indexed_only`].
    pub indexed_only: bool,
    /// How graphs are walked under filters, as [`QueryParams::acorn`].
    pub acorn: Option<AcornSearch>,
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
            quantization: QuantizationSearch::default(),
            indexed_only: false,
            acorn: None,
            idf: None,
            filter: None,
            select: Select::default(),
            timeout: None,
        }
    }

    setters! {
        /// Compares with this named vector.
        using(into String);
        /// Most points to return.
        limit(usize);
        /// Points to skip before the first one returned.
        offset(usize);
        /// Only points with a score above this (below it for Euclid and Manhattan).
        score_threshold(some f32);
        /// Width of the beam of approximate search.
        ef(some usize);
        /// Compares with every point instead of walking a graph.
        exact(bool);
        /// Of which points it is counted how rare a dimension is.
        idf(some Idf);
        /// Only points that match.
        filter(some Filter);
        /// How long the search may take.
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

    /// Sets how it is looked for: beam, codes and the rest.
    #[must_use]
    pub fn params(mut self, params: QueryParams) -> Self {
        self.ef = params.ef;
        self.exact = params.exact;
        self.quantization = params.quantization;
        self.indexed_only = params.indexed_only;
        self.acorn = params.acorn;
        self.idf = params.idf;
        self
    }

    /// How it is looked for.
    pub(crate) fn query_params(&self) -> QueryParams {
        QueryParams {
            ef: self.ef,
            exact: self.exact,
            quantization: self.quantization,
            indexed_only: self.indexed_only,
            acorn: self.acorn,
            idf: self.idf.clone(),
        }
    }

    /// Checks what needs no collection.
    pub(crate) fn validate(&self) -> Result<()> {
        check(
            self.limit,
            self.offset,
            &self.query_params(),
            self.score_threshold,
        )
    }
}

/// Checks the numbers of a search.
pub(crate) fn check(limit: usize, offset: usize, params: &QueryParams, threshold: Option<f32>) -> Result<()> {
    let ef = params.ef.unwrap_or(1);
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
    if let Some(times) = params.quantization.oversampling
        && !(times.is_finite() && times >= 1.0)
    {
        return Err(Error::InvalidRequest(format!(
            "the oversampling of a search must be at least 1, got {times}"
        )));
    }
    if let Some(share) = params.acorn.and_then(|acorn| acorn.max_selectivity)
        && !(0.0..=1.0).contains(&share)
    {
        return Err(Error::InvalidRequest(format!(
            "the max_selectivity of acorn must be 0 to 1, got {share}"
        )));
    }
    if threshold.is_some_and(f32::is_nan) {
        return Err(Error::InvalidRequest(
            "the score threshold must be a number, got NaN".into(),
        ));
    }
    Ok(())
}
