//! A query with its prefetches.

use serde::Deserialize;
use vdb::{AcornSearch, Idf, LookupFrom, Prefetch, QuantizationSearch, QueryParams, QueryRequest};

use super::asked::Asked;
use super::{AsQuery, Reading};
use crate::inference::Models;
use crate::rest::envelope::Failure;
use crate::rest::reads::number;
use crate::rest::wire::{OneOrMany, ShardKeys, WireFilter, WithPayload, WithVector, optional, select};
use crate::service::{Problems, ServiceError};

/// Most points, where it is not said.
const LIMIT: usize = 10;

/// How quantised vectors are used.
#[derive(Debug, Default, Deserialize)]
pub(super) struct QuantizationParams {
    #[serde(default)]
    ignore: Option<bool>,
    rescore: Option<bool>,
    oversampling: Option<f64>,
}

/// How the nearest points are looked for.
#[derive(Debug, Default, Deserialize)]
pub(super) struct SearchParams {
    hnsw_ef: Option<u64>,
    #[serde(default)]
    exact: Option<bool>,
    quantization: Option<QuantizationParams>,
    #[serde(default)]
    indexed_only: Option<bool>,
    acorn: Option<AcornParams>,
    idf: Option<IdfBody>,
}

/// Of which points it is counted how rare a dimension is.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum IdfBody {
    Global,
    Corpus(WireFilter),
}

/// How a walk with a filter goes.
#[derive(Debug, Deserialize)]
pub(super) struct AcornParams {
    #[serde(default)]
    enable: Option<bool>,
    max_selectivity: Option<f64>,
}

impl SearchParams {
    pub(super) fn check(&self, place: &str, problems: &mut Problems) {
        problems.at_least(format_args!("{place}.hnsw_ef"), self.hnsw_ef, 1);
        if let Some(quantization) = &self.quantization {
            let oversampling = format!("{place}.quantization.oversampling");
            problems.at_least(oversampling, quantization.oversampling, 1.0);
        }
        if let Some(acorn) = &self.acorn {
            let selectivity = format!("{place}.acorn.max_selectivity");
            problems.within(selectivity, acorn.max_selectivity, 0.0, 1.0);
        }
    }

    /// The engine's parameters; `place` is what errors call these.
    pub(super) fn params(&self, place: &str) -> Result<QueryParams, ServiceError> {
        let idf = match self.idf.clone() {
            None => None,
            Some(IdfBody::Global) => Some(Idf::Global),
            Some(IdfBody::Corpus(filter)) => {
                Some(Idf::Corpus(filter.filter(&format!("{place}.idf.corpus"))?))
            }
        };
        let quantization = self.quantization.as_ref();
        Ok(QueryParams {
            ef: self.hnsw_ef.map(number),
            exact: self.exact.unwrap_or(false),
            quantization: QuantizationSearch {
                ignore: quantization.and_then(|codes| codes.ignore).unwrap_or(false),
                rescore: quantization.and_then(|codes| codes.rescore),
                oversampling: quantization
                    .and_then(|codes| codes.oversampling)
                    .map(|times| times.clamp(0.0, f64::from(f32::MAX)) as f32),
            },
            indexed_only: self.indexed_only.unwrap_or(false),
            acorn: self.acorn.as_ref().map(|acorn| AcornSearch {
                enable: acorn.enable.unwrap_or(false),
                max_selectivity: acorn.max_selectivity.map(|share| share as f32),
            }),
            idf,
        })
    }
}

/// Where ids have their vectors.
#[derive(Debug, Deserialize)]
pub(super) struct LookupLocation {
    collection: String,
    vector: Option<String>,
    shard_key: Option<ShardKeys>,
}

impl LookupLocation {
    pub(super) fn lookup(self) -> Result<LookupFrom, ServiceError> {
        ShardKeys::refuse_read(self.shard_key.as_ref())?;
        Ok(LookupFrom {
            collection: self.collection,
            vector: self.vector,
        })
    }
}

#[derive(Debug, Deserialize)]
struct PrefetchBody {
    prefetch: Option<Box<OneOrMany<PrefetchBody>>>,
    query: Option<Asked>,
    using: Option<String>,
    filter: Option<WireFilter>,
    params: Option<SearchParams>,
    score_threshold: Option<f32>,
    limit: Option<u64>,
    lookup_from: Option<LookupLocation>,
}

/// The body of a query.
#[derive(Debug, Deserialize)]
pub(super) struct QueryBody {
    prefetch: Option<OneOrMany<PrefetchBody>>,
    query: Option<Asked>,
    using: Option<String>,
    filter: Option<WireFilter>,
    params: Option<SearchParams>,
    score_threshold: Option<f32>,
    limit: Option<u64>,
    offset: Option<u64>,
    #[serde(alias = "with_vectors")]
    with_vector: Option<WithVector>,
    with_payload: Option<WithPayload>,
    lookup_from: Option<LookupLocation>,
    shard_key: Option<ShardKeys>,
}

fn params(
    params: Option<&SearchParams>,
    place: &str,
    problems: &mut Problems,
) -> Result<QueryParams, Failure> {
    let Some(params) = params else {
        return Ok(QueryParams::default());
    };
    params.check(place, problems);
    Ok(params.params(place)?)
}

fn prefetches(
    bodies: Option<OneOrMany<PrefetchBody>>,
    place: &str,
    depth: usize,
    reading: &mut Reading<'_, '_>,
) -> Result<Vec<Prefetch>, Failure> {
    if bodies.is_some() && depth >= vdb::MAX_PREFETCH_DEPTH {
        return Err(ServiceError::bad_request(format!(
            "prefetches are nested deeper than {} levels",
            vdb::MAX_PREFETCH_DEPTH
        ))
        .into());
    }
    let bodies = bodies.map_or_else(Vec::new, OneOrMany::into_vec);
    let mut prefetches = Vec::with_capacity(bodies.len());
    for (number, body) in bodies.into_iter().enumerate() {
        prefetches.push(body.prefetch(&format!("{place}.prefetch[{number}]"), depth, reading)?);
    }
    Ok(prefetches)
}

impl PrefetchBody {
    fn names_model(&self) -> bool {
        let inner = self.prefetch.as_deref();
        self.query.as_ref().is_some_and(Asked::names_model)
            || inner.is_some_and(|inner| inner.iter().any(PrefetchBody::names_model))
    }

    fn prefetch(self, place: &str, depth: usize, reading: &mut Reading<'_, '_>) -> Result<Prefetch, Failure> {
        reading
            .problems
            .at_least(format_args!("{place}.limit"), self.limit, 1);
        let inner = prefetches(self.prefetch.map(|inner| *inner), place, depth + 1, reading)?;
        let query = self
            .query
            .map(|query| query.query(&format!("{place}.query"), reading))
            .transpose()?;
        Ok(Prefetch {
            prefetch: inner,
            query,
            using: self.using.unwrap_or_default(),
            filter: optional(self.filter, &format!("{place}.filter"))?,
            params: params(
                self.params.as_ref(),
                &format!("{place}.params"),
                &mut reading.problems,
            )?,
            score_threshold: self.score_threshold,
            limit: self.limit.map_or(LIMIT, number),
            lookup_from: self.lookup_from.map(LookupLocation::lookup).transpose()?,
        })
    }
}

impl AsQuery for QueryBody {
    const PLACES: (&'static str, &'static str) = ("internal", "search_group_request");

    fn names_model(&self) -> bool {
        self.query.as_ref().is_some_and(Asked::names_model)
            || self
                .prefetch
                .as_ref()
                .is_some_and(|inner| inner.iter().any(PrefetchBody::names_model))
    }

    fn read(self, place: &str, limit: &str, models: &mut Models<'_>) -> Result<QueryRequest, Failure> {
        let mut reading = Reading::new(models);
        reading.problems.at_least(limit, self.limit, 1);
        let prefetch = prefetches(self.prefetch, place, 0, &mut reading)?;
        let query = self
            .query
            .map(|query| query.query(&format!("{place}.query"), &mut reading))
            .transpose()?;
        let mut problems = reading.problems;
        let params = params(self.params.as_ref(), &format!("{place}.params"), &mut problems)?;
        problems.finish()?;
        ShardKeys::refuse_read(self.shard_key.as_ref())?;
        Ok(QueryRequest {
            prefetch,
            query,
            using: self.using.unwrap_or_default(),
            filter: optional(self.filter, &format!("{place}.filter"))?,
            params,
            score_threshold: self.score_threshold,
            limit: self.limit.map_or(LIMIT, number),
            offset: self.offset.map_or(0, number),
            select: select(self.with_payload, self.with_vector, false),
            lookup_from: self.lookup_from.map(LookupLocation::lookup).transpose()?,
            timeout: None,
        })
    }
}
