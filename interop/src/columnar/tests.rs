//! What is written is read back the same, and files of other programs are rows.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch, StringArray};
use proptest::prelude::*;
use serde_json::{Map, Value as Json, json};
use vdb::{
    CollectionConfig, Distance, Element, Modifier, MultiVectorComparator, PointId, SparseVector,
    SparseVectorParams, Vector, VectorParams, Vectors,
};

use super::*;
use crate::error::RowError;
use crate::input::Input;
use crate::options::{ColumnOptions, ReadOptions};
use crate::row::Row;
use crate::source::RowSource;

fn config() -> CollectionConfig {
    CollectionConfig::default()
        .vector("", VectorParams::new(3, Distance::Euclid))
        .vector("half", VectorParams::new(1, Distance::Dot).element(Element::F16))
        .vector(
            "many",
            VectorParams::new(2, Distance::Manhattan).multivector(MultiVectorComparator::MaxSim),
        )
        .sparse_vector("words", SparseVectorParams::new().modifier(Modifier::Idf))
}

type Point = (PointId, Vectors, Map<String, Json>);

fn number() -> impl Strategy<Value = f32> {
    any::<f32>().prop_map(|number| if number.is_finite() { number } else { 0.5 })
}

fn payload() -> impl Strategy<Value = Map<String, Json>> {
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        any::<i64>().prop_map(Json::from),
        any::<u64>().prop_map(Json::from),
        any::<f64>().prop_map(|float| serde_json::Number::from_f64(float).map_or(Json::Null, Json::Number)),
        any::<String>().prop_map(Json::from),
    ];
    let value = leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Json::from),
            prop::collection::vec((any::<String>(), inner), 0..4)
                .prop_map(|fields| Json::Object(fields.into_iter().collect())),
        ]
    });
    // Few names, so that a field has values in many points; also those that columns of ours have.
    let names = vec![
        "a",
        "b",
        "id",
        "vector",
        "vector.half",
        "payload",
        "payload.id",
        "payload.nulls",
        "",
    ];
    let name = prop_oneof![
        4 => prop::sample::select(names).prop_map(str::to_owned),
        1 => any::<String>(),
    ];
    prop::collection::vec((name, value), 0..6).prop_map(|fields| fields.into_iter().collect())
}

/// A field that is not there, null, a value of one type, or, under a name of its own, a list of such.
fn field(value: impl Strategy<Value = Json> + Clone + 'static) -> impl Strategy<Value = [Option<Json>; 2]> {
    let item = prop_oneof![3 => value.clone(), 1 => Just(Json::Null)];
    let list = prop::collection::vec(item, 0..4).prop_map(Json::from);
    let one = prop_oneof![3 => value, 1 => Just(Json::Null)];
    (prop::option::of(one), prop::option::of(list)).prop_map(<[Option<Json>; 2]>::from)
}

/// Payloads of which each field has values of one type.
fn uniform_payload() -> impl Strategy<Value = Map<String, Json>> {
    let fields = (
        field(any::<bool>().prop_map(Json::from)),
        field(any::<i64>().prop_map(Json::from)),
        field(any::<u64>().prop_map(Json::from)),
        field(number().prop_map(|float| json!(f64::from(float))).boxed()),
        field(any::<String>().prop_map(Json::from)),
    );
    fields.prop_map(|(boolean, integer, unsigned, float, text)| {
        let all = [
            ("boolean", boolean),
            ("integer", integer),
            ("unsigned", unsigned),
            ("float", float),
            ("text", text),
        ];
        let both = all
            .into_iter()
            .flat_map(|(name, [one, list])| [(name.to_owned(), one), (format!("{name}s"), list)]);
        both.filter_map(|(name, value)| Some((name, value?))).collect()
    })
}

fn vectors() -> impl Strategy<Value = Vectors> {
    let dense = prop::option::of(prop::collection::vec(number(), 3));
    let half = prop::option::of(prop::collection::vec(number(), 1));
    let many = prop::option::of(prop::collection::vec(prop::collection::vec(number(), 2), 1..4));
    let words = prop::option::of(prop::collection::btree_map(any::<u32>(), number(), 0..5));
    (dense, half, many, words).prop_map(|(dense, half, many, words)| {
        let words = words.map(|words| {
            let (indices, values) = words.into_iter().unzip();
            Vector::Sparse(SparseVector { indices, values })
        });
        let all = [
            ("", dense.map(Vector::Dense)),
            ("half", half.map(Vector::Dense)),
            ("many", many.map(Vector::Multi)),
            ("words", words),
        ];
        let there = all
            .into_iter()
            .filter_map(|(name, vector)| Some((name.to_owned(), vector?)));
        Vectors(there.collect())
    })
}

fn points(with_uuids: bool) -> impl Strategy<Value = Vec<Point>> {
    let uuid = any::<u128>().prop_map(|bits| PointId::Uuid(uuid::Uuid::from_u128(bits)));
    let number = any::<u64>().prop_map(PointId::Num);
    let id = if with_uuids {
        prop_oneof![number, uuid].boxed()
    } else {
        number.boxed()
    };
    (0..2).prop_flat_map(move |kind| {
        let payload = if kind == 0 {
            payload().boxed()
        } else {
            uniform_payload().boxed()
        };
        prop::collection::vec((id.clone(), vectors(), payload), 0..12)
    })
}

fn surveyed(points: &[Point]) -> PayloadSurvey {
    let mut survey = PayloadSurvey::default();
    points.iter().for_each(|(.., payload)| survey.note(payload));
    survey
}

fn written(config: &CollectionConfig, points: &[Point], ids: ParquetIds) -> Vec<u8> {
    let mut writer = ParquetWriter::new(Vec::new(), config, ids, &surveyed(points)).unwrap();
    for (id, vectors, payload) in points {
        writer.point(*id, vectors, payload).unwrap();
    }
    writer.finish().unwrap()
}

/// Reads bytes by way of a file.
fn opened(bytes: &[u8], options: &ReadOptions) -> Result<ColumnarRows, RowError> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.parquet");
    std::fs::write(&path, bytes).unwrap();
    ColumnarRows::parquet(&Input::open(&path).unwrap(), options)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn every_collection_survives(points in any::<bool>().prop_flat_map(points)) {
        let ids = if points.iter().any(|(id, ..)| matches!(id, PointId::Uuid(_))) { ParquetIds::Texts } else { ParquetIds::Numbers };
        let bytes = written(&config(), &points, ids);
        let rows = opened(&bytes, &ReadOptions::default()).unwrap();
        prop_assert_eq!(rows.config(), Some(config()));
        let read: Vec<Point> = rows
            .map(|row| row.map(|row| (row.id, row.vectors, row.payload.unwrap_or_default())))
            .collect::<Result<_, _>>()
            .unwrap();
        prop_assert_eq!(read, points);
    }

    #[test]
    fn changed_bytes_never_panic(points in points(true), at in any::<prop::sample::Index>(), value in any::<u8>()) {
        let mut bytes = written(&config(), &points, ParquetIds::Texts);
        let len = bytes.len();
        bytes[at.index(len)] = value;
        if let Ok(rows) = opened(&bytes, &ReadOptions::default()) {
            prop_assert!(rows.take(1000).count() <= 1000);
        }
    }
}

#[test]
fn more_fields_than_there_may_be_columns_are_all_kept() {
    let points: Vec<Point> = (0..1500u64)
        .map(|id| {
            let payload = json!({format!("field {id}"): id, "k".repeat(300): {"id": id}, "n": id});
            (
                PointId::Num(id),
                Vectors::default(),
                payload.as_object().unwrap().clone(),
            )
        })
        .collect();
    let rows = opened(
        &written(&config(), &points, ParquetIds::Numbers),
        &ReadOptions::default(),
    )
    .unwrap();
    for (row, (id, _, payload)) in rows.map(Result::unwrap).zip(&points) {
        assert_eq!((row.id, row.payload.as_ref()), (*id, Some(payload)));
    }
}

#[test]
fn cut_files_are_refused() {
    let points: Vec<Point> = (0..50)
        .map(|id| (PointId::Num(id), Vectors::from([1.0, 2.0, 3.0]), Map::new()))
        .collect();
    let bytes = written(
        &CollectionConfig::new(VectorParams::new(3, Distance::Dot)),
        &points,
        ParquetIds::Numbers,
    );
    for len in 0..bytes.len() {
        let error = opened(&bytes[..len], &ReadOptions::default()).unwrap_err();
        assert!(!error.is_skippable(), "{error}");
    }
}

#[test]
fn a_point_that_does_not_fit_is_named() {
    let config = CollectionConfig::new(VectorParams::new(2, Distance::Dot));
    let none = PayloadSurvey::default();
    let mut writer = ParquetWriter::new(Vec::new(), &config, ParquetIds::Numbers, &none).unwrap();
    let error = writer
        .point(4.into(), &Vectors::from([1.0]), &Map::new())
        .unwrap_err();
    assert!(error.to_string().contains("point 4"), "{error}");
    let other = json!({"a": 1});
    let error = writer
        .point(5.into(), &Vectors::default(), other.as_object().unwrap())
        .unwrap_err();
    assert!(error.to_string().contains("point 5: the payload"), "{error}");
}

// Files of other programs: `tests/data/interop/columnar/make.py` wrote them.

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../tests/data/interop/columnar")
        .join(name)
}

fn read(name: &str, columns: ColumnOptions, lossy: bool) -> Result<Vec<Row>, RowError> {
    let options = ReadOptions {
        columns,
        lossy,
        ..ReadOptions::default()
    };
    crate::open(&fixture(name), &options)?.collect()
}

fn of(vectors: &[&str]) -> ColumnOptions {
    ColumnOptions {
        vectors: vectors.iter().map(ToString::to_string).collect(),
        ..ColumnOptions::default()
    }
}

#[test]
fn files_of_every_writer_hold_the_same_rows() {
    let mut checked = 0;
    for name in [
        "pandas.parquet",
        "pyarrow_fixed.parquet",
        "pyarrow_zstd.parquet",
        "pyarrow_gzip_v2.parquet",
        "pyarrow_lz4.parquet",
        "polars.parquet",
        "polars.arrows",
        "polars.arrow",
        "polars_zstd.arrow",
        "feather_lz4.feather",
        "stream_zstd.arrows",
        "file.arrow",
    ] {
        let rows = read(name, ColumnOptions::default(), false).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(rows.len(), 5, "{name}");
        for (at, row) in rows.iter().enumerate() {
            assert_eq!(row.id, PointId::Num(10 + at as u64), "{name}");
            let vector = row.vectors.dense("").unwrap();
            assert_eq!(vector, [at as f32, at as f32 + 0.5, -1.0], "{name}");
        }
        let payload = rows[0].payload.clone().unwrap();
        let expected = json!({
            "word": "ä-0", "count": -3, "big": u64::MAX, "score": 0.25, "good": true,
            "tags": ["x", null], "nested": {"a": 1, "b": ["c"]}, "day": "2024-02-29",
            "at": "2024-05-01T12:30:00.25Z", "naive": "2024-05-01T12:30:00", "kind": "red",
        });
        assert_eq!(Json::Object(payload), expected, "{name}");
        // Null is a field that is not there.
        assert!(!rows[1].payload.as_ref().unwrap().contains_key("count"), "{name}");
        checked += 1;
    }
    assert_eq!(checked, 12);
}

#[test]
fn an_arrow_file_from_a_pipe_is_read_from_its_beginning() {
    for name in ["file.arrow", "feather_lz4.feather"] {
        let bytes = std::fs::read(fixture(name)).unwrap();
        let pipe = Input::from_reader("pipe", std::io::Cursor::new(bytes));
        let rows = ColumnarRows::arrow(pipe, &ReadOptions::default()).unwrap();
        let rows: Vec<String> = rows.map(|row| format!("{:?}", row.unwrap().payload)).collect();
        let of_file = read(name, ColumnOptions::default(), false).unwrap();
        let of_file: Vec<String> = of_file.iter().map(|row| format!("{:?}", row.payload)).collect();
        assert_eq!(rows, of_file, "{name}");
    }
}

#[test]
fn columns_are_chosen_or_asked_for() {
    let several = read("several.parquet", ColumnOptions::default(), false).unwrap();
    assert_eq!(several[0].vectors.0.keys().collect::<Vec<_>>(), ["image", "text"]);
    let one = read("several.parquet", of(&["text"]), false).unwrap();
    assert_eq!(one[0].vectors.dense("").unwrap().len(), 2);
    assert!(one[0].payload.as_ref().unwrap()["image"].is_array());
    let error = read("ambiguous.parquet", ColumnOptions::default(), false)
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("a, b") && error.contains("--vector-column"),
        "{error}"
    );
    let error = read("several.parquet", of(&["nothing"]), false)
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("\"nothing\"") && error.contains("\"text\""),
        "{error}"
    );
    let kinds = read(
        "kinds.parquet",
        of(&["half", "double", "bytes", "rows", "words"]),
        false,
    )
    .unwrap();
    let vectors = &kinds[0].vectors;
    assert_eq!(vectors.dense("half").unwrap(), [0.5, -2.0]);
    assert_eq!(vectors.dense("double").unwrap(), [0.1, 1e-3]);
    assert_eq!(vectors.dense("bytes").unwrap(), [0.0, 255.0]);
    assert_eq!(
        vectors.get("rows"),
        Some(&Vector::Multi(vec![vec![1.0, 2.0], vec![3.0, 4.0]]))
    );
    assert_eq!(
        vectors.get("words"),
        Some(&Vector::Sparse(SparseVector {
            indices: vec![7, 9],
            values: vec![0.5, 1.5]
        }))
    );
    assert!(kinds[1].vectors.get("half").is_none());
}

#[test]
fn what_payloads_do_not_hold_is_named() {
    let error = read("odd.parquet", ColumnOptions::default(), false)
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("\"took\"") && error.contains("--leave-out"),
        "{error}"
    );
    let without = || ColumnOptions {
        leave_out: vec!["took".to_owned()],
        ..ColumnOptions::default()
    };
    let error = read("odd.parquet", without(), false).unwrap_err();
    assert!(error.is_skippable());
    assert!(error.to_string().contains("row 0: blob: 3 bytes"), "{error}");
    let rows = read("odd.parquet", without(), true).unwrap();
    let payload = rows[0].payload.as_ref().unwrap();
    assert_eq!(
        (&payload["blob"], &payload["price"]),
        (&json!("AAEC"), &json!("12.50"))
    );
    assert_eq!(payload.get("ratio"), None);
}

#[test]
fn ids_are_numbers_uuids_or_none() {
    let rows = read("uuids.parquet", ColumnOptions::default(), false).unwrap();
    assert_eq!(rows[0].id.to_string(), "6f1b8f86-58a0-4c3a-9d7e-0a1b2c3d4e5f");
    assert_eq!(rows[1].id, PointId::Num(7));
    let error = read("texts.parquet", ColumnOptions::default(), false)
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("row 0: id: \"doc-1\"") && error.contains("--number-rows"),
        "{error}"
    );
    let numbered = ColumnOptions {
        number_rows: true,
        ..ColumnOptions::default()
    };
    let rows = read("texts.parquet", numbered, false).unwrap();
    assert!(rows[0].numbered);
    assert_eq!(rows[0].payload.as_ref().unwrap()["id"], "doc-1");
}

/// A file of others, of columns of text.
fn table(columns: &[(&str, &[Option<&str>])]) -> Vec<u8> {
    let columns = columns.iter().map(|(name, cells)| {
        let cells = StringArray::from(cells.to_vec());
        (*name, Arc::new(cells) as ArrayRef)
    });
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let mut writer = ::parquet::arrow::ArrowWriter::try_new(Vec::new(), batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.into_inner().unwrap()
}

#[test]
fn texts_are_vectors_and_become_ids_where_the_caller_says_so() {
    let bytes = table(&[
        ("id", &[Some("doc-1"), Some("7"), Some("doc-1 ")]),
        ("embedding", &[Some("[0.5, 1]"), Some("[0.5 1.]"), None]),
        ("word", &[Some("owl"), None, None]),
    ]);
    let options = ReadOptions {
        text_ids: Some("key".to_owned()),
        columns: of(&["embedding"]),
        ..ReadOptions::default()
    };
    let rows: Vec<Row> = opened(&bytes, &options).unwrap().map(Result::unwrap).collect();
    assert_eq!(rows[0].id, crate::id::of_text("doc-1"));
    assert_ne!(rows[0].id, rows[2].id);
    assert_eq!(rows[1].id, PointId::Num(7));
    let payloads: Vec<Json> = rows.iter().map(|row| json!(row.payload)).collect();
    assert_eq!(
        payloads,
        [
            json!({"word": "owl", "key": "doc-1"}),
            json!(null),
            json!({"key": "doc-1 "})
        ]
    );
    let vectors: Vec<_> = rows.iter().map(|row| row.vectors.dense("")).collect();
    assert_eq!(vectors, [Some(&[0.5, 1.0][..]), Some(&[0.5, 1.0][..]), None]);
    // A column of text is no vector unasked, and what is none is told.
    let unasked = opened(&bytes, &ReadOptions::default()).unwrap_err().to_string();
    assert!(unasked.contains("no column holds vectors"), "{unasked}");
    let bytes = table(&[("id", &[Some("1")]), ("embedding", &[Some("[0.5 owl]")])]);
    let wrong = opened(&bytes, &options)
        .unwrap()
        .next()
        .unwrap()
        .unwrap_err()
        .to_string();
    assert!(
        wrong.contains("row 0: embedding[1]: \"owl\" is not a number"),
        "{wrong}"
    );
}

#[test]
fn changed_files_of_others_are_errors_or_rows() {
    for name in [
        "file.arrow",
        "polars_zstd.arrow",
        "stream_zstd.arrows",
        "feather_lz4.feather",
        "pandas.parquet",
    ] {
        let bytes = std::fs::read(fixture(name)).unwrap();
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(name);
        let mut seed = 1u64;
        for _ in 0..300 {
            let mut changed = bytes.clone();
            for _ in 0..3 {
                seed = seed
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1_442_695_040_888_963_407);
                let at = (seed >> 33) as usize % changed.len();
                changed[at] = (seed >> 25) as u8;
            }
            std::fs::write(&path, &changed).unwrap();
            if let Ok(rows) = crate::open(&path, &ReadOptions::default()) {
                // Whatever comes, it comes to an end.
                assert!(rows.take(10_000).count() < 10_000, "{name}");
            }
        }
        for len in 0..bytes.len() {
            if len % 7 != 0 && len + 40 < bytes.len() {
                continue;
            }
            std::fs::write(&path, &bytes[..len]).unwrap();
            let rows =
                crate::open(&path, &ReadOptions::default()).map(|rows| rows.filter_map(Result::ok).count());
            assert!(rows.is_err() || rows.unwrap() <= 5, "{name}: {len} bytes");
        }
    }
}
