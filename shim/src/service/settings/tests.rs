use serde_json::json;

use super::*;

#[test]
fn what_is_out_of_range_is_told_by_its_place() {
    let settings: CollectionSettings = serde_json::from_value(json!({
        "vectors": {"a": {"size": 70_000, "distance": "Dot"}},
        "hnsw_config": {"ef_construct": 1},
        "shard_number": 0,
    }))
    .unwrap();
    assert_eq!(
        settings.validate().unwrap_err().message,
        "vectors.a.size: value 70000 invalid, must be from 1 to 65536; \
         shard_number: value 0 invalid, must be 1 or larger; \
         hnsw_config.ef_construct: value 1 invalid, must be 4 or larger"
    );
}

#[test]
fn a_single_vector_is_read_and_written_without_a_name() {
    let single = json!({"size": 4, "distance": "Cosine", "datatype": "float16"});
    let vectors: VectorsSettings = serde_json::from_value(single.clone()).unwrap();
    assert!(vectors.0.contains_key(""));
    assert_eq!(serde_json::to_value(&vectors).unwrap(), single);
    let named = json!({"size": {"size": 4, "distance": "Dot"}});
    let vectors: VectorsSettings = serde_json::from_value(named.clone()).unwrap();
    assert_eq!(serde_json::to_value(&vectors).unwrap(), named);
    assert!(serde_json::from_value::<VectorsSettings>(json!({"size": 4})).is_err());
}

#[test]
fn quantisation_is_an_object_of_its_kind() {
    for shape in [
        json!({"scalar": {"type": "int8", "quantile": 0.99, "always_ram": true}}),
        json!({"product": {"compression": "x16"}}),
        json!({"binary": {"encoding": "one_and_half_bits", "query_encoding": "scalar8bits"}}),
        json!({"turbo": {"bits": "bits1_5"}}),
    ] {
        let read: QuantizationSettings = serde_json::from_value(shape.clone()).unwrap();
        let written = serde_json::to_value(&read).unwrap();
        // Numbers of four bytes are longer when written with eight.
        assert_eq!(
            written.as_object().unwrap().keys().next(),
            shape.as_object().unwrap().keys().next()
        );
    }
}

#[test]
fn settings_of_optimizers_are_read_back_from_the_engine() {
    let database = vdb::Database::builder().open_in_memory().unwrap();
    let settings: CollectionSettings = serde_json::from_value(json!({
        "vectors": {"size": 2, "distance": "Dot"},
        "optimizers_config": {"indexing_threshold": 50, "deleted_threshold": 0.3, "memmap_threshold": 7},
    }))
    .unwrap();
    let collection = database
        .create_collection("c", settings.to_config().unwrap())
        .unwrap();
    let told = || kept::recall(&collection).optimizers_config;
    assert_eq!(told(), settings.optimizers_config, "what nobody gave is not told");
    let other = json!({"optimizers_config": {"deleted_threshold": 0.2, "max_segment_size": 900}});
    let update = vdb::CollectionUpdate::from_json(&other).unwrap();
    collection.update_config(&update).unwrap();
    let expected = OptimizerSettings {
        deleted_threshold: Some(0.2),
        max_segment_size: Some(900),
        ..settings.optimizers_config.unwrap()
    };
    assert_eq!(told(), Some(expected));
}

#[test]
fn sparse_vectors_are_told_as_the_engine_has_them() {
    let database = vdb::Database::builder().open_in_memory().unwrap();
    let settings: CollectionSettings = serde_json::from_value(json!({
        "sparse_vectors": {
            "s": {"index": {"datatype": "uint8", "full_scan_threshold": 7}, "modifier": "idf"},
            "plain": {"modifier": "none", "index": {"datatype": "float32"}},
        },
    }))
    .unwrap();
    let collection = database
        .create_collection("c", settings.to_config().unwrap())
        .unwrap();
    let told = || serde_json::to_value(kept::recall(&collection).sparse_vectors).unwrap();
    assert_eq!(told(), serde_json::to_value(&settings.sparse_vectors).unwrap());
    let other = json!({"sparse_vectors": {
        "s": {"modifier": "none", "datatype": "float32"},
        "plain": {"modifier": "idf", "datatype": "float16"},
    }});
    let update = vdb::CollectionUpdate::from_json(&other).unwrap();
    collection.update_config(&update).unwrap();
    let expected = json!({
        "s": {"index": {"full_scan_threshold": 7}},
        "plain": {"modifier": "idf", "index": {"datatype": "float16"}},
    });
    assert_eq!(told(), expected);
}

#[test]
fn nothing_is_kept_twice() {
    let settings: CollectionSettings = serde_json::from_value(json!({
        "vectors": {"a": {"size": 2, "distance": "Dot", "on_disk": true, "quantization_config": {"binary": {}}}},
        "quantization_config": {"scalar": {"type": "int8"}},
        "strict_mode_config": {"enabled": true},
        "metadata": {"owner": "birds"},
    }))
    .unwrap();
    let config = settings.to_config().unwrap();
    let expected = json!({"vectors": {"a": {"size": 2, "distance": "Dot", "on_disk": true}}});
    assert_eq!(config.hints["qdrant"], expected);
    assert_eq!(kept::of(&config), settings);
}
