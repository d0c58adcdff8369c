//! Limits on what may be asked for. The service has them in the shape of REST, which names them as the messages do.

use std::collections::HashMap;

use qdrant_client::qdrant as proto;
use serde_json::{Map, Value, json};

/// The limits that are given.
#[expect(deprecated, reason = "clients still send `max_resident_memory_percent`")]
pub(super) fn read(message: proto::StrictModeConfig) -> Map<String, Value> {
    let proto::StrictModeConfig {
        enabled,
        max_query_limit,
        max_timeout,
        unindexed_filtering_retrieve,
        unindexed_filtering_update,
        search_max_hnsw_ef,
        search_allow_exact,
        search_max_oversampling,
        upsert_max_batchsize,
        search_max_batchsize,
        max_collection_vector_size_bytes,
        read_rate_limit,
        write_rate_limit,
        max_collection_payload_size_bytes,
        filter_max_conditions,
        condition_max_size,
        multivector_config,
        sparse_config,
        max_points_count,
        max_payload_index_count,
        max_resident_memory_percent,
    } = message;
    let multivectors = multivector_config.map(|config| {
        let one = |(name, limit): (String, proto::StrictModeMultivector)| {
            (
                name,
                given([("max_vectors", limit.max_vectors.map(Value::from))]).into(),
            )
        };
        config
            .multivector_config
            .into_iter()
            .map(one)
            .collect::<Map<String, Value>>()
    });
    let sparse = sparse_config.map(|config| {
        let one = |(name, limit): (String, proto::StrictModeSparse)| {
            (
                name,
                given([("max_length", limit.max_length.map(Value::from))]).into(),
            )
        };
        config
            .sparse_config
            .into_iter()
            .map(one)
            .collect::<Map<String, Value>>()
    });
    given([
        ("enabled", enabled.map(Value::from)),
        ("max_query_limit", max_query_limit.map(Value::from)),
        ("max_timeout", max_timeout.map(Value::from)),
        (
            "unindexed_filtering_retrieve",
            unindexed_filtering_retrieve.map(Value::from),
        ),
        (
            "unindexed_filtering_update",
            unindexed_filtering_update.map(Value::from),
        ),
        ("search_max_hnsw_ef", search_max_hnsw_ef.map(Value::from)),
        ("search_allow_exact", search_allow_exact.map(Value::from)),
        (
            "search_max_oversampling",
            search_max_oversampling.map(|times| json!(times)),
        ),
        ("upsert_max_batchsize", upsert_max_batchsize.map(Value::from)),
        ("search_max_batchsize", search_max_batchsize.map(Value::from)),
        (
            "max_collection_vector_size_bytes",
            max_collection_vector_size_bytes.map(Value::from),
        ),
        ("read_rate_limit", read_rate_limit.map(Value::from)),
        ("write_rate_limit", write_rate_limit.map(Value::from)),
        (
            "max_collection_payload_size_bytes",
            max_collection_payload_size_bytes.map(Value::from),
        ),
        ("filter_max_conditions", filter_max_conditions.map(Value::from)),
        ("condition_max_size", condition_max_size.map(Value::from)),
        ("multivector_config", multivectors.map(Value::from)),
        ("sparse_config", sparse.map(Value::from)),
        ("max_points_count", max_points_count.map(Value::from)),
        (
            "max_payload_index_count",
            max_payload_index_count.map(Value::from),
        ),
        (
            "max_resident_memory_percent",
            max_resident_memory_percent.map(Value::from),
        ),
    ])
}

fn given<const N: usize>(entries: [(&str, Option<Value>); N]) -> Map<String, Value> {
    let some = entries
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), value?)));
    some.collect()
}

/// The message of limits.
#[expect(deprecated, reason = "it is told as it was sent")]
pub(super) fn to_proto(limits: &Map<String, Value>) -> proto::StrictModeConfig {
    let truth = |name: &str| limits.get(name).and_then(Value::as_bool);
    let long = |name: &str| limits.get(name).and_then(Value::as_u64);
    let short = |name: &str| long(name).map(|number| u32::try_from(number).unwrap_or(u32::MAX));
    proto::StrictModeConfig {
        enabled: truth("enabled"),
        max_query_limit: short("max_query_limit"),
        max_timeout: short("max_timeout"),
        unindexed_filtering_retrieve: truth("unindexed_filtering_retrieve"),
        unindexed_filtering_update: truth("unindexed_filtering_update"),
        search_max_hnsw_ef: short("search_max_hnsw_ef"),
        search_allow_exact: truth("search_allow_exact"),
        search_max_oversampling: limits
            .get("search_max_oversampling")
            .and_then(Value::as_f64)
            .map(|times| times as f32),
        upsert_max_batchsize: long("upsert_max_batchsize"),
        search_max_batchsize: long("search_max_batchsize"),
        max_collection_vector_size_bytes: long("max_collection_vector_size_bytes"),
        read_rate_limit: short("read_rate_limit"),
        write_rate_limit: short("write_rate_limit"),
        max_collection_payload_size_bytes: long("max_collection_payload_size_bytes"),
        filter_max_conditions: long("filter_max_conditions"),
        condition_max_size: long("condition_max_size"),
        multivector_config: by_name(limits, "multivector_config", "max_vectors", |max_vectors| {
            proto::StrictModeMultivector { max_vectors }
        })
        .map(|multivector_config| proto::StrictModeMultivectorConfig { multivector_config }),
        sparse_config: by_name(limits, "sparse_config", "max_length", |max_length| {
            proto::StrictModeSparse { max_length }
        })
        .map(|sparse_config| proto::StrictModeSparseConfig { sparse_config }),
        max_points_count: long("max_points_count"),
        max_payload_index_count: long("max_payload_index_count"),
        max_resident_memory_percent: short("max_resident_memory_percent"),
    }
}

/// A limit of each of some vectors.
fn by_name<T>(
    limits: &Map<String, Value>,
    name: &str,
    limit: &str,
    of: impl Fn(Option<u64>) -> T,
) -> Option<HashMap<String, T>> {
    let map = limits.get(name)?.as_object()?.iter();
    Some(
        map.map(|(vector, one)| (vector.clone(), of(one.get(limit).and_then(Value::as_u64))))
            .collect(),
    )
}
