use super::*;

#[test]
fn an_index_of_a_kind_that_is_not_known_is_left_out_and_told() {
    let index = |data_type: i32| proto::PayloadSchemaInfo {
        data_type,
        ..proto::PayloadSchemaInfo::default()
    };
    let info = proto::CollectionInfo {
        payload_schema: HashMap::from([
            ("city".to_owned(), index(proto::PayloadSchemaType::Keyword.into())),
            // A server of tomorrow.
            ("smell".to_owned(), index(99)),
            (
                "taste".to_owned(),
                index(proto::PayloadSchemaType::UnknownType.into()),
            ),
        ]),
        ..proto::CollectionInfo::default()
    };
    let made = indexes(&info, "birds");
    let paths: Vec<&str> = made.iter().map(|message| message.field_name.as_str()).collect();
    assert_eq!(paths, ["city"]);
    assert_eq!(made[0].field_type, Some(proto::FieldType::Keyword.into()));
    for place in [Place::Directory, Place::Server] {
        let (_, lost) = Settings::of(&info, place);
        assert_eq!(lost.len(), 2, "{lost:?}");
        assert!(
            lost[0].contains("path smell ") && lost[1].contains("path taste "),
            "{lost:?}"
        );
    }
}

#[test]
fn a_directory_has_defaults_of_its_own() {
    let told = |ef_construct, vacuum| proto::CollectionInfo {
        config: Some(proto::CollectionConfig {
            hnsw_config: Some(proto::HnswConfigDiff {
                m: Some(16),
                ef_construct: Some(ef_construct),
                full_scan_threshold: Some(10_000),
                payload_m: Some(16),
                ..proto::HnswConfigDiff::default()
            }),
            optimizer_config: Some(proto::OptimizersConfigDiff {
                deleted_threshold: Some(0.2),
                vacuum_min_vector_number: Some(vacuum),
                indexing_threshold: Some(10_000),
                ..proto::OptimizersConfigDiff::default()
            }),
            ..proto::CollectionConfig::default()
        }),
        ..proto::CollectionInfo::default()
    };
    let made = |info: &proto::CollectionInfo, place| {
        let message = Settings::of(info, place)
            .0
            .create("birds", &Options::default(), false);
        (message.hnsw_config.unwrap(), message.optimizers_config.unwrap())
    };
    let (hnsw, optimizers) = made(&told(100, 1_000), Place::Directory);
    assert_eq!(
        hnsw,
        proto::HnswConfigDiff {
            payload_m: Some(16),
            ..proto::HnswConfigDiff::default()
        }
    );
    assert_eq!(optimizers, proto::OptimizersConfigDiff::default());
    // What somebody asked for goes along.
    let (hnsw, optimizers) = made(&told(101, 999), Place::Directory);
    assert_eq!((hnsw.m, hnsw.ef_construct), (None, Some(101)));
    assert_eq!(optimizers.vacuum_min_vector_number, Some(999));
    // On a server these are the defaults.
    let (hnsw, optimizers) = made(&told(100, 1_000), Place::Server);
    assert_eq!((hnsw.m, hnsw.ef_construct), (Some(16), Some(100)));
    assert_eq!(optimizers.indexing_threshold, Some(10_000));
}
