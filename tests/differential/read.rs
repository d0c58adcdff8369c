//! JSON to queries and operations.

use serde_json::Value;
use vdb::{
    CollectionConfig, ContextPair, Datetime, Distance, FeedbackExample, Filter, Fusion, LookupFrom, Modifier,
    MultiVectorComparator, NamedVectorParams, Operation, OrderBy, Payload, PayloadPath, PayloadSelector,
    Point, PointId, Prefetch, Query, QueryParams, QueryRequest, RecommendStrategy, Select, SparseVector,
    SparseVectorParams, Target, UpsertMode, Vector, VectorInput, VectorParams, VectorSelector, Vectors,
};

use crate::{formula, part, text};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn number(value: &Value) -> Result<f32> {
    let number = value.as_f64().ok_or_else(|| format!("not a number: {value}"))?;
    Ok(number as f32)
}

pub(crate) fn size(request: &Value, name: &str, default: usize) -> usize {
    part(request, name).as_u64().map_or(default, |size| size as usize)
}

pub(crate) fn id(value: &Value) -> Result<PointId> {
    Ok(match value {
        Value::String(text) => text.parse()?,
        other => other
            .as_u64()
            .ok_or_else(|| format!("not an id: {other}"))?
            .into(),
    })
}

pub(crate) fn ids(value: &Value) -> Result<Vec<PointId>> {
    list(value).map(id).collect()
}

pub(crate) fn filter(value: &Value) -> Result<Option<Filter>> {
    match value {
        Value::Null => Ok(None),
        filter => Ok(Some(Filter::from_json(filter)?)),
    }
}

/// Of a vector of any kind: a sparse one has no size.
pub(crate) fn vector_params(params: &Value) -> Result<NamedVectorParams> {
    if params.get("size").is_none() {
        let modifier = match part(params, "modifier").as_str() {
            Some("idf") => Modifier::Idf,
            Some(_) | None => Modifier::None,
        };
        return Ok(SparseVectorParams::new().modifier(modifier).into());
    }
    let distance: Distance = match text(params, "distance")? {
        "Euclid" => Distance::Euclid,
        "Manhattan" => Distance::Manhattan,
        other => other.parse()?,
    };
    let dense = VectorParams::new(size(params, "size", 0), distance);
    Ok(match part(params, "multivector_config") {
        Value::Null => dense.into(),
        _ => dense.multivector(MultiVectorComparator::MaxSim).into(),
    })
}

pub(crate) fn config(vectors: &Value) -> Result<CollectionConfig> {
    let named = vectors.as_object().into_iter().flatten();
    named
        .into_iter()
        .try_fold(CollectionConfig::default(), |config, (name, params)| {
            Ok(match vector_params(params)? {
                NamedVectorParams::Dense(params) => config.vector(name, params),
                NamedVectorParams::Sparse(params) => config.sparse_vector(name, params),
            })
        })
}

fn numbers(value: &Value) -> Result<Vec<f32>> {
    list(value).map(number).collect()
}

/// Numbers, lists of numbers, or an object with indices and values.
fn vector(value: &Value) -> Result<Vector> {
    if value.is_object() {
        let index = |index: &Value| Ok(u32::try_from(index.as_u64().ok_or("not an index")?)?);
        let indices = list(part(value, "indices"))
            .map(index)
            .collect::<Result<Vec<u32>>>()?;
        return Ok(SparseVector::new(indices, numbers(part(value, "values"))?).into());
    }
    if list(value).any(Value::is_array) {
        return Ok(list(value).map(numbers).collect::<Result<Vec<_>>>()?.into());
    }
    Ok(numbers(value)?.into())
}

/// What is no object is the unnamed vector.
fn vectors(value: &Value) -> Result<Vectors> {
    match value {
        Value::Object(named) => named
            .iter()
            .try_fold(Vectors::default(), |vectors, (name, value)| {
                Ok(vectors.with(name, vector(value)?))
            }),
        Value::Null => Ok(Vectors::default()),
        unnamed => Ok(vector(unnamed)?.into()),
    }
}

fn paths(value: &Value) -> Result<Vec<PayloadPath>> {
    let path = |value: &Value| Ok(PayloadPath::parse(value.as_str().unwrap_or_default())?);
    list(value).map(path).collect()
}

/// Payload by default, vectors not.
pub(crate) fn select(request: &Value) -> Result<Select> {
    let payload = match part(request, "with_payload") {
        Value::Null => PayloadSelector::All,
        Value::Bool(all) => PayloadSelector::from(*all),
        selector if selector.get("exclude").is_some() => {
            PayloadSelector::Exclude(paths(part(selector, "exclude"))?)
        }
        selector if selector.is_object() => PayloadSelector::Include(paths(part(selector, "include"))?),
        names => PayloadSelector::Include(paths(names)?),
    };
    let vectors = match part(request, "with_vector") {
        Value::Null => VectorSelector::None,
        Value::Bool(all) => VectorSelector::from(*all),
        names => {
            let name = |name: &Value| name.as_str().unwrap_or_default().to_owned();
            VectorSelector::Names(list(names).map(name).collect())
        }
    };
    Ok(Select { payload, vectors })
}

fn payload(value: &Value) -> Payload {
    value.as_object().cloned().unwrap_or_default()
}

fn target(request: &Value) -> Result<Target> {
    match filter(part(request, "filter"))? {
        Some(filter) => Ok(Target::Filter(filter)),
        None => Ok(Target::Ids(ids(part(request, "points"))?)),
    }
}

/// The write that a call is.
pub(crate) fn operation(call: &str, request: &Value) -> Result<Operation> {
    let names = |name| {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        list(part(request, name)).map(text).collect()
    };
    Ok(match call {
        "upsert" => {
            let point = |point: &Value| {
                let mut read = Point::new(id(part(point, "id"))?, vectors(part(point, "vector"))?);
                read.payload = payload(part(point, "payload"));
                Ok(read)
            };
            Operation::Upsert {
                points: list(part(request, "points")).map(point).collect::<Result<_>>()?,
                mode: match part(request, "update_mode").as_str() {
                    Some("insert_only") => UpsertMode::InsertOnly,
                    Some("update_only") => UpsertMode::UpdateOnly,
                    Some(_) | None => UpsertMode::Upsert,
                },
                update_filter: filter(part(request, "update_filter"))?,
            }
        }
        "update_vectors" => {
            let point = |point: &Value| Ok((id(part(point, "id"))?, vectors(part(point, "vector"))?));
            Operation::UpdateVectors {
                points: list(part(request, "points")).map(point).collect::<Result<_>>()?,
                update_filter: filter(part(request, "update_filter"))?,
            }
        }
        "delete" => Operation::Delete {
            target: target(request)?,
        },
        "delete_vectors" => Operation::DeleteVectors {
            names: names("vectors"),
            target: target(request)?,
        },
        "set_payload" => Operation::SetPayload {
            payload: payload(part(request, "payload")),
            target: target(request)?,
            key: part(request, "key").as_str().map(str::to_owned),
        },
        "overwrite_payload" => Operation::OverwritePayload {
            payload: payload(part(request, "payload")),
            target: target(request)?,
        },
        "delete_payload" => Operation::DeletePayload {
            keys: names("keys"),
            target: target(request)?,
        },
        "clear_payload" => Operation::ClearPayload {
            target: target(request)?,
        },
        other => return Err(format!("unknown call {other:?}").into()),
    })
}

fn input(value: &Value) -> Result<VectorInput> {
    match value {
        Value::Array(_) | Value::Object(_) => Ok(vector(value)?.into()),
        other => Ok(id(other)?.into()),
    }
}

fn inputs(value: &Value) -> Result<Vec<VectorInput>> {
    match value {
        Value::Array(items) if !items.iter().all(Value::is_f64) || items.is_empty() => {
            items.iter().map(input).collect()
        }
        Value::Null => Ok(Vec::new()),
        one => Ok(vec![input(one)?]),
    }
}

fn pairs(value: &Value) -> Result<Vec<ContextPair>> {
    let pair = |pair: &Value| {
        Ok(ContextPair {
            positive: input(part(pair, "positive"))?,
            negative: input(part(pair, "negative"))?,
        })
    };
    match value {
        Value::Object(_) => Ok(vec![pair(value)?]),
        several => list(several).map(pair).collect(),
    }
}

fn order_by(value: &Value) -> Result<Query> {
    let mut order = match value.as_str() {
        Some(key) => OrderBy::new(key),
        None => OrderBy::new(text(value, "key")?),
    };
    order.descending = part(value, "direction") == "desc";
    order.start_from = match part(value, "start_from") {
        Value::Null => None,
        Value::String(at) => Some(at.parse::<Datetime>()?.into()),
        number => match number.as_i64() {
            Some(integer) => Some(integer.into()),
            None => number.as_f64().map(Into::into),
        },
    };
    Ok(Query::OrderBy(order))
}

fn recommend(value: &Value) -> Result<Query> {
    Ok(Query::Recommend {
        positive: inputs(part(value, "positive"))?,
        negative: inputs(part(value, "negative"))?,
        strategy: match part(value, "strategy").as_str() {
            Some("best_score") => RecommendStrategy::BestScore,
            Some("sum_scores") => RecommendStrategy::SumScores,
            Some(_) | None => RecommendStrategy::AverageVector,
        },
    })
}

fn feedback(value: &Value) -> Result<Query> {
    let naive = part(part(value, "strategy"), "naive");
    let example = |example: &Value| {
        Ok(FeedbackExample {
            example: input(part(example, "example"))?,
            score: number(part(example, "score"))?,
        })
    };
    Ok(Query::Feedback {
        target: input(part(value, "target"))?,
        examples: list(part(value, "feedback"))
            .map(example)
            .collect::<Result<_>>()?,
        a: number(part(naive, "a"))?,
        b: number(part(naive, "b"))?,
        c: number(part(naive, "c"))?,
    })
}

fn fusion(value: &Value) -> Result<Query> {
    let rrf = part(value, "rrf");
    let weights = part(rrf, "weights");
    Ok(Query::Fusion(match part(value, "fusion").as_str() {
        Some("dbsf") => Fusion::Dbsf,
        Some(_) => Fusion::rrf(),
        None => Fusion::Rrf {
            k: size(rrf, "k", vdb::DEFAULT_RRF_K as usize) as u32,
            weights: (!weights.is_null()).then(|| numbers(weights)).transpose()?,
        },
    }))
}

fn query(value: &Value) -> Result<Option<Query>> {
    let Value::Object(object) = value else {
        return match value {
            Value::Null => Ok(None),
            vector => Ok(Some(Query::Nearest(input(vector)?))),
        };
    };
    let mmr = part(value, "mmr");
    let kind = object
        .keys()
        .find(|key| key.as_str() != "mmr")
        .map(String::as_str);
    Ok(Some(match kind {
        Some("nearest") if mmr.is_null() => Query::Nearest(input(part(value, "nearest"))?),
        Some("nearest") => Query::Mmr {
            target: input(part(value, "nearest"))?,
            diversity: part(mmr, "diversity").as_f64().unwrap_or(0.5) as f32,
            candidates: part(mmr, "candidates_limit").as_u64().map(|most| most as usize),
        },
        Some("recommend") => recommend(part(value, "recommend"))?,
        Some("discover") => {
            let discover = part(value, "discover");
            Query::Discover {
                target: input(part(discover, "target"))?,
                context: pairs(part(discover, "context"))?,
            }
        }
        Some("context") => Query::Context(pairs(part(value, "context"))?),
        Some("relevance_feedback") => feedback(part(value, "relevance_feedback"))?,
        Some("order_by") => order_by(part(value, "order_by"))?,
        Some("sample") => Query::Sample { seed: None },
        Some("fusion" | "rrf") => fusion(value)?,
        Some("formula" | "defaults") => Query::Formula(formula::read(value)?),
        Some(_) | None => return Err(format!("unknown query {value}").into()),
    }))
}

fn lookup(value: &Value) -> Result<Option<LookupFrom>> {
    if value.is_null() {
        return Ok(None);
    }
    Ok(Some(LookupFrom {
        collection: text(value, "collection")?.to_owned(),
        vector: part(value, "vector").as_str().map(str::to_owned),
    }))
}

fn prefetches(value: &Value) -> Result<Vec<Prefetch>> {
    match value {
        Value::Object(_) => Ok(vec![prefetch(value)?]),
        several => list(several).map(prefetch).collect(),
    }
}

fn threshold(value: &Value) -> Result<Option<f32>> {
    let threshold = part(value, "score_threshold");
    (!threshold.is_null()).then(|| number(threshold)).transpose()
}

fn prefetch(value: &Value) -> Result<Prefetch> {
    Ok(Prefetch {
        prefetch: prefetches(part(value, "prefetch"))?,
        query: query(part(value, "query"))?,
        using: part(value, "using").as_str().unwrap_or_default().to_owned(),
        filter: filter(part(value, "filter"))?,
        params: params(value),
        score_threshold: threshold(value)?,
        limit: size(value, "limit", 10),
        lookup_from: lookup(part(value, "lookup_from"))?,
    })
}

fn params(value: &Value) -> QueryParams {
    QueryParams {
        exact: part(part(value, "params"), "exact") == true,
        ..QueryParams::default()
    }
}

pub(crate) fn query_request(value: &Value) -> Result<QueryRequest> {
    Ok(QueryRequest {
        prefetch: prefetches(part(value, "prefetch"))?,
        query: query(part(value, "query"))?,
        using: part(value, "using").as_str().unwrap_or_default().to_owned(),
        filter: filter(part(value, "filter"))?,
        params: params(value),
        score_threshold: threshold(value)?,
        limit: size(value, "limit", 10),
        offset: size(value, "offset", 0),
        select: select(value)?,
        lookup_from: lookup(part(value, "lookup_from"))?,
        timeout: None,
    })
}
