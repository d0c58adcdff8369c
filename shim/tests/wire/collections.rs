use qdrant_client::qdrant::{
    self as proto, CollectionStatus, CreateAliasBuilder, CreateCollectionBuilder,
    CreateFieldIndexCollectionBuilder, CreateShardKeyBuilder, CreateShardKeyRequestBuilder, Datatype,
    Distance, FieldType, HnswConfigDiffBuilder, IntegerIndexParamsBuilder, KeywordIndexParamsBuilder,
    OptimizersConfigDiffBuilder, RenameAliasBuilder, ScalarQuantizationBuilder, UpdateCollectionBuilder,
    VectorParamsBuilder, VectorsConfigBuilder,
};
use tonic::Code;

use super::fixture::{Both, same};

fn create(name: &str) -> CreateCollectionBuilder {
    CreateCollectionBuilder::new(name).vectors_config(VectorParamsBuilder::new(4, Distance::Cosine))
}

#[tokio::test]
async fn collections_come_are_listed_and_go() {
    let both = Both::start().await;
    assert!(same!(both.create_collection(create("b"))).unwrap().result);
    same!(both.create_collection(create("a"))).unwrap();
    let names = same!(both.list_collections()).unwrap().collections;
    assert_eq!(
        names.iter().map(|one| one.name.as_str()).collect::<Vec<_>>(),
        ["a", "b"]
    );
    let (code, text) = same!(both.create_collection(create("a"))).unwrap_err();
    assert_eq!(code, Code::AlreadyExists, "{text}");
    assert!(same!(both.collection_exists("a")).unwrap());
    assert!(same!(both.delete_collection("a")).unwrap().result);
    assert!(
        !same!(both.delete_collection("a")).unwrap().result,
        "it was gone before"
    );
    assert!(!same!(both.collection_exists("a")).unwrap());
    let (code, text) = same!(both.collection_info("a")).unwrap_err();
    assert_eq!(
        (code, text.as_str()),
        (Code::NotFound, "Not found: Collection `a` doesn't exist!")
    );
}

#[tokio::test]
async fn settings_are_told_as_they_were_given() {
    let both = Both::start().await;
    let mut vectors = VectorsConfigBuilder::default();
    vectors.add_named_vector_params(
        "image",
        VectorParamsBuilder::new(4, Distance::Euclid)
            .datatype(Datatype::Float16)
            .hnsw_config(HnswConfigDiffBuilder::default().m(24)),
    );
    vectors.add_named_vector_params("title", VectorParamsBuilder::new(8, Distance::Manhattan));
    let create = CreateCollectionBuilder::new("c")
        .vectors_config(vectors)
        .hnsw_config(HnswConfigDiffBuilder::default().ef_construct(64))
        .optimizers_config(OptimizersConfigDiffBuilder::default().deleted_threshold(0.5))
        .quantization_config(ScalarQuantizationBuilder::default().quantile(0.9))
        .metadata(std::collections::HashMap::from([(
            "owner".to_owned(),
            serde_json::json!("us"),
        )]));
    same!(both.create_collection(create)).unwrap();
    let info = same!(both.collection_info("c")).unwrap().result.unwrap();
    assert_eq!(info.status, i32::from(CollectionStatus::Green));
    let config = info.config.unwrap();
    let (hnsw, optimizer) = (config.hnsw_config.unwrap(), config.optimizer_config.unwrap());
    assert_eq!((hnsw.m, hnsw.ef_construct), (Some(16), Some(64)));
    assert_eq!(
        (optimizer.deleted_threshold, optimizer.indexing_threshold),
        (Some(0.5), Some(10_000))
    );
    assert!(config.quantization_config.is_some());
    assert_eq!(config.metadata["owner"], proto::Value::from("us"));
    let Some(proto::vectors_config::Config::ParamsMap(map)) =
        config.params.unwrap().vectors_config.unwrap().config
    else {
        panic!("two vectors are a map");
    };
    let image = &map.map["image"];
    assert_eq!((image.size, image.distance), (4, Distance::Euclid.into()));
    assert_eq!(image.datatype, Some(Datatype::Float16.into()));
    assert_eq!(image.hnsw_config.as_ref().unwrap().m, Some(24));
}

#[tokio::test]
async fn settings_change() {
    let both = Both::start().await;
    same!(both.create_collection(create("c"))).unwrap();
    let update = UpdateCollectionBuilder::new("c")
        .optimizers_config(OptimizersConfigDiffBuilder::default().indexing_threshold(77))
        .hnsw_config(HnswConfigDiffBuilder::default().m(32));
    assert!(same!(both.update_collection(update)).unwrap().result);
    let config = same!(both.collection_info("c"))
        .unwrap()
        .result
        .unwrap()
        .config
        .unwrap();
    assert_eq!(config.optimizer_config.unwrap().indexing_threshold, Some(77));
    assert_eq!(config.hnsw_config.unwrap().m, Some(32));
}

#[tokio::test]
async fn a_modifier_changes_while_it_is_in_use() {
    let both = Both::start().await;
    let words = |modifier: proto::Modifier| {
        let params = proto::SparseVectorParams {
            modifier: Some(modifier.into()),
            ..Default::default()
        };
        proto::SparseVectorConfig {
            map: [("words".to_owned(), params)].into(),
        }
    };
    let create = CreateCollectionBuilder::new("c").sparse_vectors_config(words(proto::Modifier::None));
    same!(both.create_collection(create)).unwrap();
    let ask = || {
        let params = proto::SearchParams {
            idf: Some(proto::IdfParams::default()),
            ..Default::default()
        };
        let nearest = proto::Query::new_nearest(proto::VectorInput::new_sparse(vec![1], vec![1.0]));
        proto::QueryPointsBuilder::new("c")
            .query(nearest)
            .using("words")
            .params(params)
    };
    let (code, text) = same!(both.query(ask())).unwrap_err();
    assert_eq!(code, Code::InvalidArgument, "{text}");
    let update = UpdateCollectionBuilder::new("c").sparse_vectors_config(words(proto::Modifier::Idf));
    assert!(same!(both.update_collection(update)).unwrap().result);
    let info = same!(both.collection_info("c")).unwrap().result.unwrap();
    let told = info.config.unwrap().params.unwrap().sparse_vectors_config;
    assert_eq!(told, Some(words(proto::Modifier::Idf)));
    assert!(same!(both.query(ask())).unwrap().result.is_empty());
}

#[tokio::test]
async fn what_cannot_be_is_refused_by_name() {
    let both = Both::start().await;
    for (create, expected) in [
        (
            CreateCollectionBuilder::new("c").vectors_config(VectorParamsBuilder::new(0, Distance::Dot)),
            "size",
        ),
        (
            CreateCollectionBuilder::new("c")
                .vectors_config(VectorParamsBuilder::new(4, Distance::UnknownDistance)),
            "vectors_config.params.distance",
        ),
        (create("c").shard_number(0), "shard_number"),
        (create("a/b"), "collection_name"),
    ] {
        let (code, text) = same!(both.create_collection(create)).unwrap_err();
        assert_eq!(code, Code::InvalidArgument, "{text}");
        assert!(
            text.starts_with("Validation error in body") && text.contains(expected),
            "{text}"
        );
    }
    let turbo = VectorParamsBuilder::new(4, Distance::Dot).datatype(Datatype::Turbo8);
    let ahead = CreateCollectionBuilder::new("c").vectors_config(turbo);
    let (code, text) = same!(both.create_collection(ahead)).unwrap_err();
    assert_eq!(code, Code::Unimplemented);
    assert!(text.contains("datatype"), "{text}");
}

#[tokio::test]
async fn aliases_stand_for_collections() {
    let both = Both::start().await;
    same!(both.create_collection(create("c"))).unwrap();
    same!(both.create_alias(CreateAliasBuilder::new("c", "x"))).unwrap();
    same!(both.rename_alias(RenameAliasBuilder::new("x", "y"))).unwrap();
    assert!(same!(both.collection_info("y")).is_ok());
    let all = same!(both.list_aliases()).unwrap().aliases;
    assert_eq!(all, same!(both.list_collection_aliases("c")).unwrap().aliases);
    assert_eq!(
        (all[0].alias_name.as_str(), all[0].collection_name.as_str()),
        ("y", "c")
    );
    let (code, _) = same!(both.rename_alias(RenameAliasBuilder::new("x", "z"))).unwrap_err();
    assert_eq!(code, Code::NotFound);
    same!(both.delete_alias("y")).unwrap();
    same!(both.delete_alias("y")).unwrap();
    let (code, _) = same!(both.create_alias(CreateAliasBuilder::new("none", "x"))).unwrap_err();
    assert_eq!(code, Code::NotFound);
}

#[tokio::test]
async fn payload_indexes_are_told_with_their_options() {
    let both = Both::with_birds().await;
    let plain = CreateFieldIndexCollectionBuilder::new("birds", "name", FieldType::Keyword).wait(true);
    same!(both.create_field_index(plain)).unwrap();
    let options = CreateFieldIndexCollectionBuilder::new("birds", "grams", FieldType::Integer)
        .field_index_params(IntegerIndexParamsBuilder::new(true, false).is_principal(true))
        .wait(true);
    same!(both.create_field_index(options)).unwrap();
    let schema = same!(both.collection_info("birds"))
        .unwrap()
        .result
        .unwrap()
        .payload_schema;
    assert_eq!((schema["name"].points, &schema["name"].params), (Some(4), &None));
    let Some(proto::payload_index_params::IndexParams::IntegerIndexParams(told)) =
        schema["grams"].params.clone().unwrap().index_params
    else {
        panic!("{schema:?}");
    };
    assert_eq!(
        (told.lookup, told.range, told.is_principal),
        (Some(true), Some(false), Some(true))
    );
    let wrong = CreateFieldIndexCollectionBuilder::new("birds", "name", FieldType::Integer)
        .field_index_params(KeywordIndexParamsBuilder::default());
    let (code, text) = same!(both.create_field_index(wrong)).unwrap_err();
    assert_eq!(code, Code::InvalidArgument, "{text}");
    same!(both.delete_field_index(proto::DeleteFieldIndexCollectionBuilder::new("birds", "name").wait(true)))
        .unwrap();
    let schema = same!(both.collection_info("birds"))
        .unwrap()
        .result
        .unwrap()
        .payload_schema;
    assert!(!schema.contains_key("name"));
}

#[tokio::test]
async fn one_machine_has_one_shard_and_no_cluster() {
    let both = Both::with_birds().await;
    assert!(
        same!(both.list_shard_keys("birds"))
            .unwrap()
            .shard_keys
            .is_empty()
    );
    let request = CreateShardKeyRequestBuilder::new("birds").request(CreateShardKeyBuilder::default());
    let (code, text) = same!(both.create_shard_key(request)).unwrap_err();
    assert_eq!(code, Code::Unimplemented, "{text}");
    for client in [&both.here, &both.there] {
        let info = client.collection_cluster_info("birds").await.unwrap();
        assert_eq!((info.shard_count, info.local_shards[0].points_count), (1, 5));
    }
}

#[tokio::test]
async fn a_server_says_which_version_it_answers_as() {
    let both = Both::start().await;
    let reply = same!(both.health_check()).unwrap();
    assert!(reply.version.starts_with("1.19."), "{reply:?}");
}

#[tokio::test]
async fn vectors_that_come_and_go_are_answered_alike() {
    let both = Both::with_birds().await;
    let dense = |name: &str, size| proto::CreateVectorNameRequest {
        collection_name: "birds".to_owned(),
        wait: Some(true),
        vector_name: name.to_owned(),
        vector_config: Some(proto::create_vector_name_request::VectorConfig::DenseConfig(
            proto::DenseVectorCreationConfig {
                size,
                distance: Distance::Cosine.into(),
                ..Default::default()
            },
        )),
        ..Default::default()
    };
    let _ = same!(both.create_vector_name(dense("image", 3)));
    let _ = same!(both.create_vector_name(dense("image", 3)));
    let _ = same!(both.create_vector_name(dense("image", 4)));
    same!(both.create_vector_name(dense("image", 0))).unwrap_err();
    // What was written before becomes a segment in the background, on each in its time.
    let config = |info: proto::GetCollectionInfoResponse| info.result.unwrap().config;
    let here = both.here.collection_info("birds").await.unwrap();
    let there = both.there.collection_info("birds").await.unwrap();
    assert_eq!(config(here), config(there));
    let delete = proto::DeleteVectorNameRequest {
        collection_name: "birds".to_owned(),
        wait: Some(true),
        vector_name: "none".to_owned(),
        ..Default::default()
    };
    assert_eq!(
        same!(both.delete_vector_name(delete)).unwrap_err().0,
        Code::InvalidArgument
    );
}
