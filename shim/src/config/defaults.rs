//! Sections of `storage` that have the form of a collection's settings: those of collections that are created without.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::ConfigError;
use crate::service::settings::{CollectionDefaults, LIMITS, QuantizationSettings};

/// What `storage.hnsw_index` may say.
const HNSW: [&str; 9] = [
    "m",
    "ef_construct",
    "full_scan_threshold",
    "full_scan_threshold_kb",
    "max_indexing_threads",
    "on_disk",
    "memory",
    "payload_m",
    "inline_storage",
];

/// What `storage.optimizers` may say.
const OPTIMIZERS: [&str; 12] = [
    "deleted_threshold",
    "vacuum_min_vector_number",
    "default_segment_number",
    "max_segment_size",
    "max_segment_size_kb",
    "memmap_threshold",
    "memmap_threshold_kb",
    "indexing_threshold",
    "indexing_threshold_kb",
    "flush_interval_sec",
    "max_optimization_threads",
    "prevent_unoptimized",
];

/// What `storage.collection` may say.
const COLLECTION: [&str; 5] = [
    "replication_factor",
    "write_consistency_factor",
    "vectors",
    "quantization",
    "strict_mode",
];

/// What `storage.collection.vectors` may say.
const VECTORS: [&str; 1] = ["on_disk"];

/// What `storage.collection.quantization` may say, and what below it.
const QUANTIZATION: [(&str, &[&str]); 4] = [
    ("scalar", &["type", "quantile", "always_ram", "memory"]),
    ("product", &["compression", "always_ram", "memory"]),
    ("binary", &["always_ram", "memory", "encoding", "query_encoding"]),
    ("turbo", &["always_ram", "memory", "bits"]),
];

#[derive(Default, Deserialize)]
#[serde(default)]
struct Collection {
    replication_factor: Option<u32>,
    write_consistency_factor: Option<u32>,
    vectors: Option<Vectors>,
    quantization: Option<QuantizationSettings>,
    strict_mode: Option<Map<String, Value>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Vectors {
    on_disk: Option<bool>,
}

/// The defaults that settings name, and the names of keys among them that are not known.
pub(super) fn read(settings: &Value) -> Result<(CollectionDefaults, Vec<String>), ConfigError> {
    let mut unknown = Vec::new();
    let mut section = |name: &str, known: &[&str]| {
        let said = settings.pointer(&format!("/storage/{name}")).cloned();
        let said = typed(said.unwrap_or(Value::Null));
        let keys = said.as_object().into_iter().flat_map(Map::keys);
        let strange = keys.filter(|key| !known.contains(&key.as_str()));
        let place = name.replace('/', ".");
        unknown.extend(strange.map(|key| format!("storage.{place}.{key}")));
        said
    };
    let (hnsw, optimizers) = (section("hnsw_index", &HNSW), section("optimizers", &OPTIMIZERS));
    let collection = section("collection", &COLLECTION);
    section("collection/vectors", &VECTORS);
    section("collection/quantization", &QUANTIZATION.map(|(kind, _)| kind));
    for (kind, keys) in QUANTIZATION {
        section(&format!("collection/quantization/{kind}"), keys);
    }
    // What is no limit would be left out in silence, and what was to be limited would not be.
    section("collection/strict_mode", &LIMITS);
    let collection: Collection = of("collection", collection)?;
    let defaults = CollectionDefaults {
        hnsw: of("hnsw_index", hnsw)?,
        optimizers: of("optimizers", optimizers)?,
        on_disk_payload: of("on_disk_payload", section("on_disk_payload", &[]))?,
        vectors_on_disk: collection.vectors.and_then(|vectors| vectors.on_disk),
        replication_factor: collection.replication_factor,
        write_consistency_factor: collection.write_consistency_factor,
        quantization: collection.quantization,
        strict_mode: collection.strict_mode,
    };
    defaults
        .validate()
        .map_err(|error| ConfigError::Value(format!("storage: {error}")))?;
    Ok((defaults, unknown))
}

fn of<T: Default + DeserializeOwned>(name: &str, said: Value) -> Result<T, ConfigError> {
    if said.is_null() {
        return Ok(T::default());
    }
    serde_json::from_value(said).map_err(|error| ConfigError::Value(format!("storage.{name}: {error}")))
}

/// The environment has texts only: those that spell a number or a truth are taken for it, and an empty one says nothing.
fn typed(value: Value) -> Value {
    match value {
        Value::Object(map) => map.into_iter().map(|(key, value)| (key, typed(value))).collect(),
        Value::Array(list) => list.into_iter().map(typed).collect(),
        Value::String(text) => match text.trim() {
            "" => Value::Null,
            spelled => match serde_json::from_str(spelled) {
                Ok(scalar @ (Value::Null | Value::Bool(_) | Value::Number(_))) => scalar,
                Ok(Value::String(_) | Value::Array(_) | Value::Object(_)) | Err(_) => Value::String(text),
            },
        },
        scalar @ (Value::Null | Value::Bool(_) | Value::Number(_)) => scalar,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn sections_say_what_new_collections_are() {
        let settings = json!({"storage": {
            "hnsw_index": {"m": "8", "full_scan_threshold_kb": 100, "on_disk": "true", "mm": 1},
            "optimizers": {"indexing_threshold_kb": 500, "max_segment_size_kb": null, "deleted_threshold": "0.5"},
            "collection": {
                "vectors": {"on_disk": true, "on_dsk": false},
                "quantization": {"scalar": {"type": "int8", "always_rm": true}, "scaler": {}},
                "strict_mode": {"enabled": true, "max_query_limit": "10", "max_query_limits": 10},
            },
            "on_disk_payload": "",
        }});
        let (defaults, unknown) = read(&settings).unwrap();
        assert_eq!(defaults.hnsw.m, Some(8));
        assert_eq!(defaults.hnsw.full_scan_threshold, Some(100));
        assert_eq!(defaults.hnsw.on_disk, Some(true));
        assert_eq!(defaults.optimizers.indexing_threshold, Some(500));
        assert_eq!(defaults.optimizers.deleted_threshold, Some(0.5));
        assert_eq!(defaults.vectors_on_disk, Some(true));
        assert!(defaults.quantization.is_some());
        assert_eq!(defaults.strict_mode.unwrap()["max_query_limit"], 10);
        assert_eq!(defaults.on_disk_payload, None);
        assert_eq!(
            unknown,
            [
                "storage.hnsw_index.mm",
                "storage.collection.vectors.on_dsk",
                "storage.collection.quantization.scaler",
                "storage.collection.quantization.scalar.always_rm",
                "storage.collection.strict_mode.max_query_limits"
            ]
        );
        assert_eq!(
            read(&json!({})).unwrap(),
            (CollectionDefaults::default(), Vec::new())
        );
    }

    #[test]
    fn what_no_collection_can_be_is_refused() {
        for (storage, told) in [
            (json!({"hnsw_index": {"m": "many"}}), "storage.hnsw_index"),
            (json!({"hnsw_index": {"ef_construct": 1}}), "ef_construct"),
            (
                json!({"collection": {"quantization": {"scalar": {}}}}),
                "storage.collection",
            ),
            (
                json!({"collection": {"replication_factor": 0}}),
                "replication_factor",
            ),
            (
                json!({"collection": {"strict_mode": {"max_query_limit": "many"}}}),
                "max_query_limit",
            ),
            (json!({"collection": {"strict_mode": {"enabled": 1}}}), "enabled"),
        ] {
            let error = read(&json!({ "storage": storage })).unwrap_err().to_string();
            assert!(error.contains(told), "{error}");
        }
    }
}
