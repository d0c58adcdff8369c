use std::io::Cursor;

use proptest::prelude::*;
use serde_json::{Map, Value as Json};
use vdb::{
    CodePlacement, Compression, Distance, Element, HnswConfig, Modifier, MultiVectorComparator,
    OptimizerConfig, Point, QuantizationConfig, SparseVector, SparseVectorParams, StrictMode, TurboBits,
    VectorParams,
};

use super::*;
use crate::qdrant::{Backup, ImportOptions, unkept};

fn json() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        any::<i64>().prop_map(Json::from),
        any::<u64>().prop_map(Json::from),
        (-300i64..300).prop_map(Json::from),
        any::<f64>()
            .prop_filter("finite", |f| f.is_finite())
            .prop_map(Json::from),
        ".{0,12}".prop_map(Json::from),
        "[a-z]{255,257}".prop_map(Json::from),
    ];
    leaf.prop_recursive(4, 24, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Json::from),
            prop::collection::vec((".{0,6}", inner), 0..5)
                .prop_map(|entries| Json::Object(entries.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

fn number() -> impl Strategy<Value = f32> {
    any::<f32>().prop_filter("finite", |f| f.is_finite())
}

fn id() -> impl Strategy<Value = PointId> {
    prop_oneof![
        any::<u64>().prop_map(PointId::from),
        (0u64..400).prop_map(PointId::from),
        any::<u128>().prop_map(|bits| format!("{bits:032x}").parse().unwrap()),
    ]
}

fn config() -> CollectionConfig {
    let hnsw = HnswConfig {
        m: Some(8),
        full_scan_threshold: Some(77),
        payload_m: Some(9),
        ..HnswConfig::default()
    };
    CollectionConfig::new(VectorParams::new(3, Distance::Manhattan))
        .vector(
            "half",
            VectorParams::new(2, Distance::Cosine)
                .element(Element::F16)
                .hnsw_config(hnsw)
                .quantization(QuantizationConfig::scalar()),
        )
        .vector(
            "rows",
            VectorParams::new(2, Distance::Dot).multivector(MultiVectorComparator::MaxSim),
        )
        .sparse_vector(
            "words",
            SparseVectorParams::new()
                .modifier(Modifier::Idf)
                .element(Element::U8),
        )
}

fn point() -> impl Strategy<Value = Point> {
    let sparse = prop::collection::btree_map(any::<u32>(), number(), 0..5)
        .prop_map(|pairs| SparseVector::from(pairs.into_iter().collect::<Vec<_>>()));
    let vectors = (
        prop::option::of([number(), number(), number()]),
        prop::option::of([number(), number()]),
        prop::option::of(prop::collection::vec(prop::collection::vec(number(), 2), 1..4)),
        prop::option::of(sparse),
    );
    let payload = prop::collection::vec((".{0,8}", json()), 0..4);
    (id(), vectors, payload).prop_map(|(id, (plain, half, rows, words), payload)| {
        let mut vectors = Vectors::default();
        if let Some(vector) = plain {
            vectors = vectors.with("", vector);
        }
        if let Some(vector) = half {
            vectors = vectors.with("half", vector);
        }
        if let Some(vector) = rows {
            vectors = vectors.with("rows", vector);
        }
        if let Some(vector) = words {
            vectors = vectors.with("words", vector);
        }
        Point::new(id, vectors)
            .payload(Json::Object(payload.into_iter().collect()))
            .unwrap()
    })
}

fn write(config: &CollectionConfig, points: &[Point]) -> Vec<u8> {
    let mut writer = BackupWriter::new(Vec::new(), config).unwrap();
    for point in points {
        writer.point(point.id, &point.vectors, &point.payload).unwrap();
    }
    writer.finish().unwrap()
}

fn read(bytes: Vec<u8>) -> (CollectionConfig, Vec<String>, Vec<Point>) {
    let backup = Backup::read(
        Cursor::new(bytes),
        "bytes",
        ImportOptions::default(),
        &mut |_, _| true,
    )
    .unwrap();
    let described = backup.described().clone();
    let points = backup.into_points().unwrap().map(Result::unwrap).collect();
    (described.config, described.warnings, points)
}

proptest! {
    #[test]
    fn what_is_written_is_read_as_the_same(points in prop::collection::vec(point(), 0..8)) {
        let mut points = points;
        points.sort_by_key(|point| point.id);
        points.dedup_by_key(|point| point.id);
        let (described, _, found) = read(write(&config(), &points));
        prop_assert_eq!(described, config());
        prop_assert_eq!(found, points);
    }
}

#[test]
fn every_configuration_comes_back() {
    for distance in Distance::ALL {
        for element in [Element::F32, Element::F16, Element::U8] {
            let scalar = QuantizationConfig::Scalar {
                quantile: Some(0.99),
                placement: CodePlacement {
                    always_ram: Some(true),
                    memory: None,
                },
            };
            let product = QuantizationConfig::product(Compression::X16);
            for quantization in [
                None,
                Some(scalar),
                Some(product),
                Some(QuantizationConfig::binary()),
            ] {
                let hnsw = HnswConfig {
                    ef_construct: Some(321),
                    ..HnswConfig::default()
                };
                let mut params = VectorParams::new(7, distance).element(element).hnsw_config(hnsw);
                params.quantization = quantization;
                let config = CollectionConfig::new(params);
                let (described, warnings, _) = read(write(&config, &[]));
                assert_eq!((described, warnings), (config, Vec::new()));
            }
        }
    }
    let sparse = CollectionConfig::default().sparse_vector("words", SparseVectorParams::new());
    assert_eq!(read(write(&sparse, &[])).0, sparse);
}

#[test]
fn many_points_and_long_vectors_go_in_groups() {
    let config = CollectionConfig::new(VectorParams::new(2500, Distance::Dot));
    let vector: Vec<f32> = (0u16..2500).map(f32::from).collect();
    let points: Vec<Point> = (0u64..2001)
        .map(|id| Point::new(id, if id % 500 == 0 { vector.clone() } else { Vec::new() }))
        .collect();
    let points: Vec<Point> = points
        .into_iter()
        .map(|point| {
            if point.vectors.dense("").is_some_and(<[f32]>::is_empty) {
                Point::new(point.id, Vectors::default())
            } else {
                point
            }
        })
        .collect();
    assert_eq!(read(write(&config, &points)).2, points);
}

#[test]
fn what_a_backup_cannot_say_is_told() {
    let codes = QuantizationConfig::turbo(TurboBits::Two);
    let config = CollectionConfig::new(VectorParams::new(2, Distance::Dot).quantization(codes));
    assert_eq!(unkept(&config, &[]).len(), 1);
    assert_eq!(unkept(&self::config(), &[]), Vec::<String>::new());
}

#[test]
fn payload_indexes_come_back_as_far_as_every_client_can_say_them() {
    let json = |value: Json| PayloadIndexParams::from_json(&value).unwrap();
    let kept = vec![
        ("city".to_owned(), json("keyword".into())),
        ("n".to_owned(), json("integer".into())),
        (
            "text".to_owned(),
            json(
                serde_json::json!({"type": "text", "tokenizer": "prefix", "min_token_len": 2, "lowercase": false}),
            ),
        ),
    ];
    let mut indexes = kept.clone();
    let beyond = serde_json::json!({"type": "text", "stopwords": "english", "phrase_matching": true});
    indexes.push(("beyond".to_owned(), json(beyond)));
    indexes.push(("own".to_owned(), json("uuid".into())));
    indexes.push((
        "k".to_owned(),
        json(serde_json::json!({"type": "keyword", "is_tenant": true})),
    ));
    assert_eq!(
        unkept(&config(), &indexes),
        [
            "stopwords of the payload index \"beyond\" is not in the backup",
            "the payload index \"own\" of kind uuid is not in the backup",
            "is_tenant of the payload index \"k\" is not in the backup",
        ]
    );
    let writer = BackupWriter::new(Vec::new(), &config()).unwrap();
    let bytes = writer.payload_indexes(indexes).finish().unwrap();
    let options = ImportOptions::default();
    let backup = Backup::read(Cursor::new(bytes), "b", options, &mut |_, _| true).unwrap();
    let described = backup.described();
    assert_eq!(described.warnings, Vec::<String>::new());
    let mut expected = kept;
    let said = serde_json::json!({"type": "text", "phrase_matching": true});
    expected.push(("beyond".to_owned(), json(said)));
    expected.push(("k".to_owned(), json("keyword".into())));
    assert_eq!(described.payload_indexes, expected);
}

/// All points of a collection, as a page returns them.
fn stored(collection: &vdb::Collection) -> Vec<Point> {
    let request = vdb::ScrollRequest::new().select(vdb::Select::all()).limit(1000);
    let page = collection.scroll(&request).unwrap();
    let point = |record: vdb::Record| Point {
        id: record.id,
        vectors: record.vectors.unwrap(),
        payload: record.payload.unwrap(),
    };
    page.points.into_iter().map(point).collect()
}

fn filled(config: &CollectionConfig, points: Vec<Point>) -> Vec<Point> {
    let db = vdb::Database::builder()
        .background(false)
        .open_in_memory()
        .unwrap();
    let collection = db.create_collection("c", config.clone()).unwrap();
    if !points.is_empty() {
        collection.upsert(points).unwrap();
    }
    stored(&collection)
}

/// Equal but for the last bits of vectors, which under cosine distance are normalised again.
fn assert_near(found: &[Point], expected: &[Point]) {
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(expected) {
        assert_eq!((found.id, &found.payload), (expected.id, &expected.payload));
        for (name, vector) in &expected.vectors.0 {
            let (found, expected) = (found.vectors.dense(name).unwrap(), vector.as_dense().unwrap());
            for (found, expected) in found.iter().zip(expected) {
                assert!(
                    (found - expected).abs() <= 1e-3 * expected.abs().max(1e-3),
                    "{found} is not {expected}"
                );
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn a_collection_survives_every_format_that_can_hold_it(
        points in prop::collection::vec((id(), [0u8..255, 0u8..255, 0u8..255], any::<bool>(), json()), 0..12),
        distance in prop::sample::select(Distance::ALL.to_vec()),
        element in prop::sample::select(vec![Element::F32, Element::F16, Element::U8]),
    ) {
        let config = CollectionConfig::new(VectorParams::new(3, distance).element(element))
            .vector("other", VectorParams::new(2, Distance::Dot));
        let points = points.into_iter().map(|(id, [a, b, c], both, payload)| {
            let mut vectors = Vectors::from([f32::from(a), f32::from(b), f32::from(c)]);
            if both {
                vectors = vectors.with("other", [f32::from(a) / 3.0, -f32::from(b)]);
            }
            Point::new(id, vectors).payload(serde_json::json!({"value": payload})).unwrap()
        });
        let before = filled(&config, points.collect());

        let (described, _, found) = read(write(&config, &before));
        prop_assert_eq!(&described, &config);
        prop_assert_eq!(&found, &before);
        assert_near(&filled(&described, found), &before);

        let mut lines = crate::JsonLinesWriter::new(Vec::new());
        for point in &before {
            lines.point(point.id, &point.vectors, &point.payload).unwrap();
        }
        let input = crate::Input::from_bytes("lines", lines.into_inner());
        let rows = crate::read(input, crate::Format::JsonLines, &crate::ReadOptions::default()).unwrap();
        let found: Vec<Point> = rows.map(|row| {
            let row = row.unwrap();
            Point::new(row.id, row.vectors).payload(Json::Object(row.payload.unwrap())).unwrap()
        }).collect();
        prop_assert_eq!(&found, &before);

        let mut matrix = crate::NpyWriter::new(Vec::new(), before.len() as u64, 3).unwrap();
        for point in &before {
            matrix.row(point.vectors.dense("").unwrap()).unwrap();
        }
        let input = crate::Input::from_bytes("matrix", matrix.finish().unwrap());
        let rows = crate::read(input, crate::Format::Npy, &crate::ReadOptions::default()).unwrap();
        for (row, point) in rows.zip(&before) {
            let row = row.unwrap();
            prop_assert_eq!(row.vectors.dense(""), point.vectors.dense(""));
        }
    }
}

#[test]
fn a_matrix_of_another_size_than_it_says_is_an_error() {
    let mut matrix = crate::NpyWriter::new(Vec::new(), 2, 1).unwrap();
    assert!(matrix.row(&[1.0, 2.0]).is_err());
    matrix.row(&[1.0]).unwrap();
    assert!(matrix.finish().is_err());
    let mut matrix = crate::NpyWriter::new(Vec::new(), 0, 1).unwrap();
    assert!(matrix.row(&[1.0]).is_err());
}

#[test]
fn merging_strict_mode_and_metadata_are_kept() {
    let mut config = config();
    config.optimizer = OptimizerConfig {
        deleted_share: 0.3,
        vacuum_min_rows: 77,
        max_segment_size: Some(5000),
        indexing_threshold: Some(0),
        max_optimization_threads: Some(0),
        flush_interval_sec: Some(9),
        prevent_unoptimized: Some(true),
        ..OptimizerConfig::default()
    };
    config.strict_mode = Some(StrictMode {
        enabled: Some(true),
        max_query_limit: Some(10),
        search_max_oversampling: Some(2.5),
        max_vectors: [("many".to_owned(), 4)].into(),
        max_length: [("terms".to_owned(), 6)].into(),
        ..StrictMode::default()
    });
    config.metadata = serde_json::json!({"owner": "me", "n": [1, null, {"deep": 2.5}]})
        .as_object()
        .unwrap()
        .clone();
    assert_eq!(unkept(&config, &[]), Vec::<String>::new());
    let bytes = BackupWriter::new(Vec::new(), &config).unwrap().finish().unwrap();
    let options = ImportOptions::default();
    let backup = Backup::read(Cursor::new(bytes), "b", options, &mut |_, _| true).unwrap();
    let described = backup.described();
    assert_eq!(described.warnings, Vec::<String>::new());
    assert_eq!(described.config.optimizer, config.optimizer);
    assert_eq!(described.config.strict_mode, config.strict_mode);
    assert_eq!(described.config.metadata, config.metadata);

    // What the client makes up by itself cannot be told from what was said.
    config.optimizer.index_min_rows = 5;
    config.optimizer.flush_interval_sec = Some(5);
    let told = unkept(&config, &[]).join("\n");
    assert!(
        told.contains("index_min_rows") && told.contains("flush_interval_sec"),
        "{told}"
    );
}
