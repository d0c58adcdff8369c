use proptest::prelude::*;
use serde_json::{Map, Value, json};
use vdb_index::Quantization;
use vdb_sys::element::Element;

use super::*;
use crate::config::vectors::SparseVectorParams;
use crate::config::{CollectionConfig, Distance, VectorParams};
use crate::error::Error;

fn object(value: Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

#[test]
fn quantisation_is_told_back_as_it_was_said_and_means_what_the_table_says() {
    use Quantization::{Binary, Int2, Int4, Int8};
    for (said, codes) in [
        (json!({"scalar": {"type": "int8"}}), Int8),
        (
            json!({"scalar": {"type": "int8", "quantile": 0.99, "always_ram": true, "memory": "pinned"}}),
            Int8,
        ),
        (json!({"product": {"compression": "x4"}}), Int8),
        (
            json!({"product": {"compression": "x8", "always_ram": false}}),
            Int4,
        ),
        (json!({"product": {"compression": "x16"}}), Int2),
        (json!({"product": {"compression": "x32"}}), Binary),
        (json!({"product": {"compression": "x64"}}), Binary),
        (json!({"binary": {}}), Binary),
        (
            json!({"binary": {"encoding": "one_bit", "query_encoding": "scalar4bits"}}),
            Binary,
        ),
        (json!({"binary": {"encoding": "one_and_half_bits"}}), Int2),
        (json!({"binary": {"encoding": "two_bits"}}), Int2),
        (json!({"turbo": {}}), Int4),
        (json!({"turbo": {"bits": "bits1"}}), Binary),
        (json!({"turbo": {"bits": "bits1_5"}}), Int2),
        (json!({"turbo": {"bits": "bits2"}}), Int2),
        (json!({"turbo": {"bits": "bits4", "memory": "cold"}}), Int4),
        (json!({"codes": "off"}), Quantization::Off),
    ] {
        let read = QuantizationConfig::from_json(&said).unwrap();
        assert_eq!((read.to_json(), read.codes()), (said, codes));
    }
}

#[test]
fn quantisation_that_is_none_is_refused_with_its_place() {
    for (said, word) in [
        (json!({}), "0 were given"),
        (json!({"turbo": {}, "binary": {}}), "2 were given"),
        (
            json!({"scalar": {"type": "int4"}}),
            "quantization_config.scalar.type",
        ),
        (json!({"scalar": {"quantile": 0.4}}), "0.5 to 1"),
        (json!({"product": {}}), "compression"),
        (json!({"product": {"compression": "x5"}}), "one of x4, x8"),
        (json!({"binary": {"bits": 1}}), "quantization_config.binary.bits"),
        (json!({"ternary": {}}), "unknown key"),
        (json!([1]), "expected an object"),
    ] {
        let error = QuantizationConfig::from_json(&said).unwrap_err().to_string();
        assert!(error.contains(word), "{said}: {error}");
    }
}

fn config() -> CollectionConfig {
    CollectionConfig::new(VectorParams::new(4, Distance::Dot))
        .vector("own", VectorParams::new(8, Distance::Euclid))
}

/// Everything that can be said.
fn all() -> Value {
    json!({
        "vectors": {"own": {"hnsw_config": {"m": 6, "seed": u64::MAX}, "quantization_config": {"turbo": {"bits": "bits2"}}}},
        "hnsw_config": {"m": 24, "ef_construct": 77, "ef_refine": 50, "alpha": 1.15, "seed": 3, "full_scan_threshold": 100},
        "quantization_config": {"binary": {"encoding": "two_bits", "always_ram": true}},
        "optimizers_config": {"index_min_rows": 9, "indexing_threshold": 10, "max_segment_rows": 1000, "max_segment_size": 50,
            "deleted_threshold": 0.3, "vacuum_min_vector_number": 70, "merge_fan_in": 5, "max_optimization_threads": 2,
            "default_segment_number": 3, "flush_interval_sec": 7, "prevent_unoptimized": true},
        "strict_mode_config": {"enabled": true, "unindexed_filtering_retrieve": false, "unindexed_filtering_update": true,
            "search_allow_exact": false, "max_query_limit": 1, "max_timeout": 2, "search_max_hnsw_ef": 3,
            "upsert_max_batchsize": 4, "search_max_batchsize": 5, "max_collection_vector_size_bytes": 6,
            "max_collection_payload_size_bytes": 7, "max_points_count": 8, "read_rate_limit": 9, "write_rate_limit": 10,
            "filter_max_conditions": 11, "condition_max_size": 12, "max_payload_index_count": 13,
            "max_resident_memory_percent": 14, "search_max_oversampling": 1.1,
            "multivector_config": {"own": {"max_vectors": 15}}, "sparse_config": {"s": {"max_length": 16}}},
        "metadata": {"owner": "me", "deep": {"er": [1, null]}},
        "hints": {"params": {"shard_number": 1}, "wal_config": {"wal_capacity_mb": 32}},
    })
}

#[test]
fn everything_that_can_be_said_is_told_back() {
    let mut config = config();
    config
        .update(&CollectionUpdate::from_json(&all()).unwrap())
        .unwrap();
    assert_eq!(Value::Object(config.settings_json()), all());
    // Once more changes nothing.
    let before = config.clone();
    config
        .update(&CollectionUpdate::from_json(&all()).unwrap())
        .unwrap();
    assert_eq!(config, before);
    config.update(&CollectionUpdate::new()).unwrap();
    assert_eq!(config, before);
}

#[test]
fn sparse_vectors_are_changed_by_their_names() {
    let mut config = config()
        .sparse_vector("words", SparseVectorParams::new())
        .sparse_vector("other", SparseVectorParams::new());
    let change = |said: Value| CollectionUpdate::from_json(&json!({"sparse_vectors": said}));
    let said = json!({"words": {"modifier": "idf", "datatype": "float16"}, "other": {}});
    config.update(&change(said).unwrap()).unwrap();
    let words = SparseVectorParams::new()
        .modifier(Modifier::Idf)
        .element(Element::F16);
    assert_eq!(config.sparse_vectors[0].1, words);
    assert_eq!(config.sparse_vectors[1].1, SparseVectorParams::new());
    config
        .update(&change(json!({"words": {"modifier": "none"}})).unwrap())
        .unwrap();
    assert_eq!(config.sparse_vectors[0].1, words.modifier(Modifier::None));
    for (said, word) in [
        (json!({"words": {"modifier": "idfs"}}), "one of none, idf"),
        (
            json!({"words": {"datatype": "turbo4"}}),
            "one of float32, float16, uint8",
        ),
        (json!({"words": {"on_disk": true}}), "unknown key"),
        (json!({"own": {}}), "\"words\", \"other\""),
    ] {
        let outcome = change(said.clone()).and_then(|update| config.update(&update));
        let error = outcome.unwrap_err().to_string();
        assert!(error.contains(word), "{said}: {error}");
    }
}

#[test]
fn an_unknown_key_anywhere_is_refused() {
    let paths = [
        "",
        "/vectors/own",
        "/vectors/own/hnsw_config",
        "/hnsw_config",
        "/quantization_config",
        "/quantization_config/binary",
        "/optimizers_config",
        "/strict_mode_config",
        "/strict_mode_config/sparse_config/s",
    ];
    for path in paths {
        let mut said = all();
        let at = said.pointer_mut(path).and_then(Value::as_object_mut).unwrap();
        at.insert("zzz".to_owned(), json!(1));
        let error = CollectionUpdate::from_json(&said).unwrap_err().to_string();
        assert!(error.contains("zzz: unknown key"), "{path}: {error}");
    }
}

#[test]
fn what_a_vector_says_counts_before_what_its_collection_says() {
    let mut config = config();
    let graph = |config: &CollectionConfig, at: usize| config.vectors[at].1.graph(config).unwrap();
    assert_eq!(graph(&config, 0), vdb_index::hnsw::HnswParams::default());
    let said = json!({"hnsw_config": {"m": 24, "ef_construct": 50}, "quantization_config": {"scalar": {}},
        "vectors": {"own": {"hnsw_config": {"m": 8}}}});
    config
        .update(&CollectionUpdate::from_json(&said).unwrap())
        .unwrap();
    assert_eq!((graph(&config, 0).m, graph(&config, 1).m), (24, 8));
    assert_eq!(graph(&config, 1).ef_construct, 50);
    assert_eq!(graph(&config, 1).quantization, Quantization::Int8);
    let own = json!({"vectors": {"own": {"quantization_config": {"binary": {}}}}});
    config
        .update(&CollectionUpdate::from_json(&own).unwrap())
        .unwrap();
    assert_eq!(graph(&config, 0).quantization, Quantization::Int8);
    assert_eq!(graph(&config, 1).quantization, Quantization::Binary);
    // Taken back, it follows again.
    let own = json!({"vectors": {"own": {"quantization_config": "Disabled"}}, "quantization_config": {"turbo": {}}});
    config
        .update(&CollectionUpdate::from_json(&own).unwrap())
        .unwrap();
    assert_eq!(graph(&config, 1).quantization, Quantization::Int4);
    let none = json!({"hnsw_config": {"m": 0}});
    config
        .update(&CollectionUpdate::from_json(&none).unwrap())
        .unwrap();
    assert_eq!(config.vectors[0].1.graph(&config), None);
    assert_eq!(graph(&config, 1).m, 8);
}

#[test]
fn what_is_not_allowed_is_refused() {
    for (said, word) in [
        (json!({"hnsw_config": {"m": 1}}), "2..=256"),
        (json!({"hnsw_config": {"m": 70_000}}), "fits 16 bits"),
        (
            json!({"hnsw_config": {"m": 0, "ef_construct": 0}}),
            "ef_construct",
        ),
        (json!({"hnsw_config": {"alpha": "much"}}), "hnsw_config.alpha"),
        (json!({"vectors": {"no": {}}}), "no"),
        (json!({"vectors": {"own": {"hnsw_config": {"m": 1}}}}), "own"),
        (
            json!({"optimizers_config": {"deleted_threshold": 1.5}}),
            "deleted_share",
        ),
        (
            json!({"optimizers_config": {"max_segment_size": 0}}),
            "max_segment_size",
        ),
        (
            json!({"strict_mode_config": {"max_query_limit": 0}}),
            "max_query_limit",
        ),
        (
            json!({"strict_mode_config": {"max_resident_memory_percent": 101}}),
            "at most 100",
        ),
        (json!({"metadata": 5}), "metadata"),
    ] {
        let outcome = CollectionUpdate::from_json(&said).and_then(|update| config().update(&update));
        let error = outcome.unwrap_err();
        assert!(
            matches!(error, Error::InvalidRequest(_) | Error::UnknownVector { .. }),
            "{said}: {error:?}"
        );
        assert!(error.to_string().contains(word), "{said}: {error}");
    }
}

#[test]
fn thresholds_in_kilobytes_count_before_rows_until_rows_are_said_again() {
    let mut optimizer = OptimizerConfig::default();
    assert_eq!(optimizer.index_min_rows(100), Some(2_000));
    let kilobytes = OptimizerUpdate {
        indexing_threshold: Some(10),
        max_segment_size: Some(1),
        ..OptimizerUpdate::default()
    };
    kilobytes.apply(&mut optimizer);
    assert_eq!(optimizer.index_min_rows(100), Some(103));
    assert_eq!(optimizer.max_segment_rows(100), 11);
    // Nothing is known of rows without vectors.
    assert_eq!(optimizer.max_segment_rows(0), 50_000_000);
    let never = OptimizerUpdate {
        indexing_threshold: Some(0),
        ..OptimizerUpdate::default()
    };
    never.apply(&mut optimizer);
    assert_eq!(optimizer.index_min_rows(100), None);
    let rows = OptimizerUpdate {
        index_min_rows: Some(5),
        max_segment_rows: Some(6),
        ..OptimizerUpdate::default()
    };
    rows.apply(&mut optimizer);
    assert_eq!(
        (optimizer.index_min_rows(100), optimizer.max_segment_rows(100)),
        (Some(5), 6)
    );
}

#[test]
fn threads_can_be_set_and_left_to_the_database_again() {
    let read = |value| OptimizerUpdate::from_json(&json!({"max_optimization_threads": value})).unwrap();
    let mut optimizer = OptimizerConfig::default();
    read(json!(0)).apply(&mut optimizer);
    assert!(optimizer.is_idle());
    read(json!(null)).apply(&mut optimizer);
    assert!(optimizer.is_idle());
    read(json!("auto")).apply(&mut optimizer);
    assert_eq!(optimizer.max_optimization_threads, None);
}

#[test]
fn limits_of_strict_mode_are_added_to_those_that_are_there() {
    let read = |value| StrictMode::from_json(&value).unwrap();
    let mut held =
        read(json!({"enabled": true, "max_query_limit": 5, "sparse_config": {"a": {"max_length": 1}}}));
    let change = json!({"max_timeout": 3, "max_query_limit": 6, "sparse_config": {"b": {"max_length": 2}}});
    held.merge(&read(change));
    let both = json!({"enabled": true, "max_query_limit": 6, "max_timeout": 3,
        "sparse_config": {"a": {"max_length": 1}, "b": {"max_length": 2}}});
    assert_eq!(Value::Object(held.to_json()), both);
    held.merge(&read(json!({"enabled": false})));
    assert!(!held.is_enabled());
    assert_eq!(held.max_query_limit, Some(6));
}

#[test]
fn limits_of_strict_mode_are_taken_back_one_by_one() {
    let mut held = StrictMode::from_json(
        &json!({"enabled": true, "max_query_limit": 5, "search_max_oversampling": 2.5,
        "search_allow_exact": false, "multivector_config": {"m": {"max_vectors": 3}},
        "sparse_config": {"a": {"max_length": 1}, "b": {"max_length": 2}}}),
    )
    .unwrap();
    let change = |value: Value, held: &mut StrictMode| {
        let update = CollectionUpdate::from_json(&json!({"strict_mode_config": value})).unwrap();
        update.strict_mode.unwrap().apply(held)
    };
    let taken = json!({"max_query_limit": null, "max_timeout": 7, "search_allow_exact": null, "sparse_config": {"a": null}});
    change(taken, &mut held).unwrap();
    let left = json!({"enabled": true, "max_timeout": 7, "search_max_oversampling": 2.5,
        "multivector_config": {"m": {"max_vectors": 3}}, "sparse_config": {"b": {"max_length": 2}}});
    assert_eq!(Value::Object(held.to_json()), left);
    let rest = json!({"search_max_oversampling": null, "multivector_config": null, "sparse_config": {"b": null, "c": null}});
    change(rest, &mut held).unwrap();
    assert_eq!(
        Value::Object(held.to_json()),
        json!({"enabled": true, "max_timeout": 7})
    );
    let limits =
        json!({"multivector_config": {"m": {"max_vectors": 3}}, "sparse_config": {"a": {"max_length": 1}}});
    change(limits, &mut held).unwrap();
    let within = json!({"multivector_config": {"m": {"max_vectors": null}}, "sparse_config": {"a": {"max_length": null}}});
    change(within, &mut held).unwrap();
    assert_eq!(
        Value::Object(held.to_json()),
        json!({"enabled": true, "max_timeout": 7})
    );
    assert!(CollectionUpdate::from_json(&json!({"strict_mode_config": {"none": null}})).is_err());
    // Of vectors there is nothing to take back.
    assert!(CollectionUpdate::from_json(&json!({"vectors": {"a": null}})).is_err());
    let before = held.clone();
    let wrong = StrictModeUpdate::default()
        .unset("max_timeout")
        .unset("none")
        .apply(&mut held);
    assert!(wrong.unwrap_err().to_string().contains("none") && held == before);
}

#[test]
fn metadata_merges_at_the_top_and_hints_all_the_way_down() {
    let mut metadata = object(json!({"a": {"x": 1, "y": 2}, "b": 1}));
    merge_metadata(&mut metadata, &object(json!({"a": {"x": 3}, "b": null, "c": []})));
    assert_eq!(Value::Object(metadata), json!({"a": {"x": 3}, "c": []}));
    let mut hints = object(json!({"a": {"x": 1, "y": 2}, "b": 1}));
    let change = object(json!({"a": {"x": null, "z": {"n": null, "w": 1}}, "b": {"c": 1}}));
    merge_hints(&mut hints, &change);
    assert_eq!(
        Value::Object(hints),
        json!({"a": {"y": 2, "z": {"w": 1}}, "b": {"c": 1}})
    );
}

/// JSON of the keys that there are, in their places and in others.
fn some_json() -> impl Strategy<Value = Value> {
    const KEYS: [&str; 20] = [
        "vectors",
        "own",
        "hnsw_config",
        "m",
        "alpha",
        "quantization_config",
        "scalar",
        "quantile",
        "turbo",
        "bits",
        "codes",
        "optimizers_config",
        "indexing_threshold",
        "deleted_threshold",
        "strict_mode_config",
        "enabled",
        "max_timeout",
        "sparse_config",
        "metadata",
        "hints",
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (0u64..70_000).prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        prop::sample::select(vec!["int8", "bits2", "int4", "Disabled", "auto", "x"]).prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 40, 8, |inner| {
        let key = prop::sample::select(KEYS.to_vec()).prop_map(str::to_owned);
        prop_oneof![
            4 => prop::collection::hash_map(key, inner.clone(), 0..6)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
            1 => prop::collection::vec(inner, 0..3).prop_map(Value::Array),
        ]
    })
}

proptest! {
    #[test]
    fn any_json_is_refused_or_makes_settings_that_are_told_back(said in some_json()) {
        let mut made = config();
        if let Ok(update) = CollectionUpdate::from_json(&said)
            && made.update(&update).is_ok()
        {
            let told = Value::Object(made.settings_json());
            let mut again = config();
            again.update(&CollectionUpdate::from_json(&told).unwrap()).unwrap();
            prop_assert_eq!(&made.optimizer, &again.optimizer);
            prop_assert_eq!(told, Value::Object(again.settings_json()));
        }
    }
}
