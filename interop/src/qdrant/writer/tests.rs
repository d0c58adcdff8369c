use std::io::Cursor;

use proptest::prelude::*;
use serde_json::{Map, Value as Json};
use vdb::{MultiVectorComparator, Point, SparseVector};

use super::*;
use crate::qdrant::{Backup, ImportOptions};

fn json() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        any::<i64>().prop_map(Json::from),
        any::<u64>().prop_map(Json::from),
        (-300i64..300).prop_map(Json::from),
        any::<f64>().prop_filter("finite", |f| f.is_finite()).prop_map(Json::from),
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
    let hnsw = HnswParams {
        m: 8,
        quantization: Quantization::Int8,
        ..HnswParams::default()
    };
    CollectionConfig::new(VectorParams::new(3, Distance::Manhattan))
        .vector("half", VectorParams::new(2, Distance::Cosine).element(Element::F16).hnsw(hnsw))
        .vector("rows", VectorParams::new(2, Distance::Dot).multivector(MultiVectorComparator::MaxSim))
        .sparse_vector("words", SparseVectorParams::new().modifier(Modifier::Idf).element(Element::U8))
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
        Point::new(id, vectors).payload(Json::Object(payload.into_iter().collect())).unwrap()
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
    let backup = Backup::read(Cursor::new(bytes), "bytes", ImportOptions::default(), &mut |_, _| true).unwrap();
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
            for quantization in [Quantization::Auto, Quantization::Int8, Quantization::Binary] {
                let hnsw = HnswParams {
                    ef_construct: 321,
                    quantization,
                    ..HnswParams::default()
                };
                let params = VectorParams::new(7, distance).element(element).hnsw(hnsw);
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
    let points: Vec<Point> = (0u64..2001).map(|id| Point::new(id, if id % 500 == 0 { vector.clone() } else { Vec::new() })).collect();
    let points: Vec<Point> = points
        .into_iter()
        .map(|point| if point.vectors.dense("").is_some_and(<[f32]>::is_empty) { Point::new(point.id, Vectors::default()) } else { point })
        .collect();
    assert_eq!(read(write(&config, &points)).2, points);
}

#[test]
fn what_a_backup_cannot_say_is_told() {
    let hnsw = HnswParams {
        quantization: Quantization::Int2,
        ..HnswParams::default()
    };
    let config = CollectionConfig::new(VectorParams::new(2, Distance::Dot).hnsw(hnsw));
    assert_eq!(unkept(&config).len(), 1);
    assert_eq!(unkept(&self::config()), Vec::<String>::new());
}
