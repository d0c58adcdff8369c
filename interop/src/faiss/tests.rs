use std::io::Cursor;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use proptest::prelude::*;
use serde_json::Value;
use vdb::{Distance, Point};
use vdb_storage::PointId;

use super::*;
use crate::error::RowError;
use crate::options::ReadOptions;
use crate::row::Row;

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/data/interop")
}

fn expected() -> Vec<Value> {
    let text = std::fs::read_to_string(fixtures().join("expected/faiss.json")).unwrap();
    let all: Value = serde_json::from_str(&text).unwrap();
    all["files"].as_array().unwrap().clone()
}

fn path_of(entry: &Value) -> PathBuf {
    let path = fixtures().join(entry["file"].as_str().unwrap());
    if path.is_dir() {
        path.join("index.faiss")
    } else {
        path
    }
}

fn read(bytes: &[u8]) -> Result<Vec<Result<Row, RowError>>, RowError> {
    let reader = Box::new(Cursor::new(bytes.to_vec()));
    let rows = FaissRows::from_reader(Arc::from("test"), reader, &ReadOptions::default())?;
    Ok(rows.collect())
}

fn dense(row: &Row) -> Vec<f32> {
    row.vectors.dense("").unwrap().to_vec()
}

fn numbers(value: &Value) -> Vec<f32> {
    value
        .as_array()
        .unwrap()
        .iter()
        .map(|n| n.as_f64().unwrap() as f32)
        .collect()
}

#[test]
fn every_kind_of_index_yields_what_the_library_put_in() {
    let mut kinds = Vec::new();
    for entry in expected().iter().filter(|entry| entry["kind"] != "damaged") {
        let file = entry["file"].as_str().unwrap();
        let source = FaissRows::open(&path_of(entry), &ReadOptions::default()).unwrap();
        let layout = source.layout().clone();
        assert_eq!(layout.dim as u64, entry["dimension"].as_u64().unwrap(), "{file}");
        let metric = match entry["metric"].as_str().unwrap() {
            "inner product" => FaissMetric::InnerProduct,
            "l2" => FaissMetric::L2,
            "l1" => FaissMetric::L1,
            other => panic!("{other}"),
        };
        assert_eq!(layout.metric, metric, "{file}");
        let vectors: Vec<Vec<f32>> = entry["vectors"].as_array().unwrap().iter().map(numbers).collect();
        assert_eq!(layout.rows as usize, vectors.len(), "{file}");
        let ids = entry["ids"].as_array();
        assert_eq!(layout.ids, ids.is_some(), "{file}");
        let mut by_id: Vec<(i64, Vec<f32>)> = match ids {
            Some(ids) => ids.iter().map(|id| id.as_i64().unwrap()).zip(vectors).collect(),
            None => (0..).zip(vectors).collect(),
        };
        by_id.sort_by_key(|(id, _)| *id);
        let mut found = Vec::new();
        for row in source {
            match row {
                Ok(row) => {
                    let PointId::Num(id) = row.id else {
                        panic!("{file}: {}", row.id)
                    };
                    assert_eq!(row.numbered, !layout.ids);
                    found.push((id as i64, dense(&row)));
                }
                // The one id that no point can have.
                Err(error) => {
                    assert!(error.is_skippable(), "{error}");
                    assert!(error.to_string().contains("id: -"), "{error}");
                    by_id.retain(|(id, _)| *id >= 0);
                }
            }
        }
        found.sort_by_key(|(id, _)| *id);
        if entry["fourcc"] == "IxSQ" {
            // The library decodes with fused instructions.
            for ((_, a), (_, b)) in found.iter().zip(&by_id) {
                assert!(a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-6), "{file}");
            }
            assert_eq!(found.len(), by_id.len());
        } else {
            assert_eq!(found, by_id, "{file}");
        }
        kinds.push(layout.kind);
    }
    for kind in [
        "IndexFlat",
        "IndexIDMap2 of IndexFlatIP",
        "IndexHNSW of IndexFlatL2",
        "IndexIVFFlat",
        "IndexScalarQuantizer",
    ] {
        assert!(kinds.iter().any(|k| k == kind), "{kind} is not among {kinds:?}");
    }
}

#[test]
fn damaged_files_are_refused_with_a_reason() {
    for entry in expected().iter().filter(|entry| entry["kind"] == "damaged") {
        let file = entry["file"].as_str().unwrap();
        let bytes = std::fs::read(path_of(entry)).unwrap();
        match read(&bytes) {
            Ok(rows) => {
                assert_eq!(entry["must"], "accept", "{file}");
                assert!(rows.iter().all(Result::is_ok), "{file}");
            }
            Err(error) => {
                assert_eq!(entry["must"], "reject", "{file}: {error}");
                assert!(!error.is_skippable());
                assert!(error.to_string().contains("test"), "{error}");
            }
        }
    }
}

#[test]
fn every_cut_of_every_file_is_an_error() {
    for entry in expected().iter().filter(|entry| entry["kind"] == "index") {
        let bytes = std::fs::read(path_of(entry)).unwrap();
        for len in 0..bytes.len() {
            let cut = read(&bytes[..len]);
            assert!(
                cut.is_err(),
                "{}: {len} bytes of {} pass",
                entry["file"],
                bytes.len()
            );
        }
    }
}

#[test]
fn another_index_is_named() {
    let mut bytes = b"IxPQ".to_vec();
    bytes.extend_from_slice(&[0; 100]);
    let error = read(&bytes).unwrap_err().to_string();
    assert!(
        error.contains("\"IxPQ\"") && error.contains("reconstruct_n"),
        "{error}"
    );
}

#[test]
fn what_is_written_is_what_the_library_writes() {
    let stored = std::fs::read(fixtures().join("faiss/flatip_8/index.faiss")).unwrap();
    let rows = read(&stored).unwrap();
    let ip = FaissMetric::InnerProduct;
    let mut out = FaissWriter::new(Cursor::new(Vec::new()), 8, ip).unwrap();
    for row in rows {
        out.push(0, &dense(&row.unwrap())).unwrap();
    }
    assert_eq!(out.rows(), 12);
    assert!(out.push(0, &[1.0; 7]).is_err());
    assert_eq!(out.finish().unwrap().into_inner(), stored);
    let empty = FaissWriter::new(Cursor::new(Vec::new()), 8, ip)
        .unwrap()
        .finish()
        .unwrap();
    let stored = std::fs::read(fixtures().join("faiss/flatip_8_empty.faiss")).unwrap();
    assert_eq!(empty.into_inner(), stored);
}

#[test]
fn flat_indexes_of_all_metrics_and_with_ids_are_what_the_library_writes() {
    for (file, metric) in [
        ("flatl2_8", FaissMetric::L2),
        ("flatl1_8", FaissMetric::L1),
        ("idmap2_flatip_8", FaissMetric::InnerProduct),
    ] {
        let stored = std::fs::read(fixtures().join(format!("faiss/{file}.faiss"))).unwrap();
        let entry = expected();
        let entry = entry
            .iter()
            .find(|entry| entry["file"].as_str().unwrap().contains(file))
            .unwrap();
        let ids = entry["ids"].as_array();
        let to = Cursor::new(Vec::new());
        let mut out = match ids {
            Some(_) => FaissWriter::with_ids(to, 8, metric).unwrap(),
            None => FaissWriter::new(to, 8, metric).unwrap(),
        };
        for (at, vector) in entry["vectors"].as_array().unwrap().iter().enumerate() {
            let id = ids.map_or(0, |ids| ids[at].as_i64().unwrap());
            out.push(id, &numbers(vector)).unwrap();
        }
        assert_eq!(out.finish().unwrap().into_inner(), stored, "{file}");
    }
}

fn exported(points: &[Point], ids: FaissIds) -> Result<tempfile::TempDir, FaissWriteError> {
    let dir = tempfile::tempdir().unwrap();
    let file = |name: &str| std::fs::File::create(dir.path().join(name)).unwrap();
    let [index, metadata] = FaissExport::<std::fs::File, std::fs::File>::FILES;
    let mut export = FaissExport::new(file(index), file(metadata), 2, Distance::Euclid, ids)?;
    for point in points {
        export.point(point.id, point.vectors.dense("").unwrap(), &point.payload)?;
    }
    export.finish()?;
    Ok(dir)
}

fn imported(dir: &Path, id_key: Option<&str>) -> Vec<Point> {
    let options = FaissOptions {
        id_key: id_key.map(str::to_owned),
        ..FaissOptions::default()
    };
    let collection = FaissCollection::read(dir, &options, &mut |_, _| true).unwrap();
    assert_eq!(collection.described().warnings, Vec::<String>::new());
    assert_eq!(
        collection.described().config.vectors[0].1.distance,
        Distance::Euclid
    );
    collection.into_points().unwrap().map(Result::unwrap).collect()
}

fn point(id: impl Into<PointId>, payload: Value) -> Point {
    let mut point = Point::new(id.into(), [1.0, -0.0]);
    point.payload = payload.as_object().unwrap().clone();
    point
}

#[test]
fn ids_survive_as_positions_by_a_map_or_under_a_key() {
    let uuid: PointId = "6f1b8f86-58a0-4c3a-9d7e-0a1b2c3d4e5f".parse().unwrap();
    let json = serde_json::json!({"a": [1, -2, 2.0, null, {"ä": u64::MAX}]});
    let positions = [point(0, json.clone()), point(1, serde_json::json!({}))];
    assert_eq!(
        imported(exported(&positions, FaissIds::Positions).unwrap().path(), None),
        positions
    );
    let numbers = [point(3, json.clone()), point(i64::MAX as u64, json.clone())];
    assert_eq!(
        imported(exported(&numbers, FaissIds::Map).unwrap().path(), None),
        numbers
    );
    let any = [point(u64::MAX, json.clone()), point(uuid, json)];
    let key = FaissIds::Key("id".to_owned());
    assert_eq!(
        imported(exported(&any, key.clone()).unwrap().path(), Some("id")),
        any
    );

    let refused = |points: &[Point], ids| exported(points, ids).unwrap_err().to_string();
    assert!(refused(&any, FaissIds::Map).contains("18446744073709551615"));
    assert!(refused(&numbers, FaissIds::Positions).contains("point 3"));
    assert!(refused(&[point(1, serde_json::json!({"id": 1}))], key).contains("already"));
}

#[test]
fn ids_of_the_metadata_are_all_there_and_differ() {
    let dir = exported(
        &[
            point(0, serde_json::json!({"id": 4})),
            point(1, serde_json::json!({"id": 4})),
        ],
        FaissIds::Positions,
    )
    .unwrap();
    let read = |key: &str| {
        let options = FaissOptions {
            id_key: Some(key.to_owned()),
            ..FaissOptions::default()
        };
        FaissCollection::read(dir.path(), &options, &mut |_, _| true)
            .unwrap_err()
            .to_string()
    };
    assert!(read("id").contains("twice"), "{}", read("id"));
    assert!(read("other").contains("metadata.other"), "{}", read("other"));
}

#[test]
fn a_directory_of_the_wrapper_is_a_collection_with_payloads() {
    for entry in expected().iter().filter(|entry| entry["kind"] == "store") {
        let file = entry["file"].as_str().unwrap();
        let dir = fixtures().join(file);
        assert!(FaissCollection::is_at(&dir));
        let read = FaissCollection::read(&dir, &FaissOptions::default(), &mut |_, _| true);
        if entry["python_types"] == true {
            // What JSON has no equal of is named, with its place.
            let error = read.unwrap_err().to_string();
            assert!(error.contains("metadata.pkl"), "{error}");
            continue;
        }
        let collection = read.unwrap();
        assert_eq!(collection.described().warnings, Vec::<String>::new(), "{file}");
        let (_, params) = &collection.described().config.vectors[0];
        assert_eq!(
            (params.size as u64, params.distance),
            (entry["dimension"].as_u64().unwrap(), Distance::Dot)
        );
        let vectors: Vec<Vec<f32>> = entry["vectors"].as_array().unwrap().iter().map(numbers).collect();
        assert_eq!(collection.points() as usize, vectors.len());
        let points: Vec<Point> = collection.into_points().unwrap().map(Result::unwrap).collect();
        for (position, (point, vector)) in points.iter().zip(&vectors).enumerate() {
            assert_eq!(point.id, PointId::Num(position as u64));
            assert_eq!(point.vectors.dense("").unwrap(), vector);
            let said = entry["metadata"]
                .as_array()
                .unwrap()
                .iter()
                .find(|said| said["key"] == position);
            let said = said
                .and_then(|said| said["value"].as_object().cloned())
                .unwrap_or_default();
            assert_eq!(point.payload, said, "{file}: {position}");
        }
        assert_eq!(points.len(), vectors.len());
    }
}

#[test]
fn metadata_that_is_older_than_the_index_is_told() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::copy(
        fixtures().join("faiss/flatip_8/index.faiss"),
        dir.path().join("index.faiss"),
    )
    .unwrap();
    std::fs::copy(
        fixtures().join("faiss/flatip_384/metadata.pkl"),
        dir.path().join("metadata.pkl"),
    )
    .unwrap();
    let read = FaissCollection::read(dir.path(), &FaissOptions::default(), &mut |_, _| true).unwrap();
    let told = read.described().warnings.join("\n");
    for part in [
        "counts 20 vectors and the index has 12",
        "says 384 dimensions",
        "8 entries of metadata.pkl",
    ] {
        assert!(told.contains(part), "{part} is not in {told}");
    }
}

#[test]
fn payloads_that_stay_behind_are_told() {
    let warnings = |path: &Path| {
        let read = FaissCollection::read(path, &FaissOptions::default(), &mut |_, _| true).unwrap();
        read.described().warnings.join("\n")
    };
    let index = fixtures().join("faiss/flatip_8/index.faiss");
    let told = warnings(&index);
    assert!(told.contains("metadata.pkl beside it is not read"), "{told}");
    let dir = tempfile::tempdir().unwrap();
    let named = dir.path().join("posts.faiss");
    std::fs::copy(&index, &named).unwrap();
    assert_eq!(warnings(&named), "");
    std::fs::write(dir.path().join("posts.pkl"), b"").unwrap();
    let told = warnings(&named);
    assert!(told.contains("posts.pkl") && told.contains("index.pkl"), "{told}");
}

/// A directory with the twelve vectors of the wrapper and a pickle of `objects/`.
fn with_pickle(file: &str, name: &str) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (from, to) in [
        ("faiss/flatip_8/index.faiss".to_owned(), "index.faiss"),
        (format!("objects/{file}"), name),
    ] {
        std::fs::copy(fixtures().join(from), dir.path().join(to)).unwrap();
    }
    dir
}

#[test]
fn values_of_python_and_numpy_are_read_in_every_protocol() {
    for protocol in 0..6 {
        let dir = with_pickle(&format!("metadata_p{protocol}.pkl"), "metadata.pkl");
        let read = FaissCollection::read(dir.path(), &FaissOptions::default(), &mut |_, _| true).unwrap();
        assert_eq!(read.described().warnings, Vec::<String>::new());
        for (n, point) in read.into_points().unwrap().enumerate() {
            let expected = serde_json::json!({
                "score": n as f64 / 4.0, "rank": -(n as i64), "big": u64::MAX - n as u64, "even": n % 2 == 0, "half": 0.5,
                "seen": format!("2024-05-01T12:{n:02}:00Z"), "day": "2024-02-29", "local": "2024-05-01T00:00:01.25",
                "there": "1999-12-31T00:00:00-03:30", "pair": [n, "a"],
            });
            assert_eq!(
                Value::Object(point.unwrap().payload),
                expected,
                "protocol {protocol}"
            );
        }
    }
}

#[test]
fn documents_of_langchain_are_payloads_under_their_own_ids() {
    let read = |dir: &Path| {
        let read = FaissCollection::read(dir, &FaissOptions::default(), &mut |_, _| true)?;
        let warnings = read.described().warnings.clone();
        let points: Vec<Point> = read.into_points()?.map(Result::unwrap).collect();
        Ok::<_, RowError>((warnings, points))
    };
    let dir = with_pickle("index.pkl", "index.pkl");
    let (warnings, points) = read(dir.path()).unwrap();
    assert_eq!((warnings.len(), points.len()), (0, 12));
    assert_eq!(points[2].id.to_string(), "00000000-0000-0000-0000-0000000007a3");
    let payload = serde_json::json!({"page_content": "text 2", "metadata": {"n": 2}});
    assert_eq!(Value::Object(points[2].payload.clone()), payload);
    let payload = serde_json::json!({"page_content": "text 0"});
    assert_eq!(Value::Object(points[0].payload.clone()), payload);

    let dir = with_pickle("index_texts.pkl", "index.pkl");
    let (warnings, points) = read(dir.path()).unwrap();
    assert!(warnings.concat().contains("langchain_id"), "{warnings:?}");
    assert_eq!(points[3].id, PointId::Num(3));
    assert_eq!(points[3].payload["langchain_id"], "doc 3");

    // Another pickle of that name is no such pair, and metadata of the wrapper comes first.
    let dir = with_pickle("metadata_p4.pkl", "index.pkl");
    assert!(
        read(dir.path())
            .unwrap_err()
            .to_string()
            .contains("InMemoryDocstore")
    );
    let dir = with_pickle("index.pkl", "index.pkl");
    std::fs::copy(
        fixtures().join("faiss/flatip_8/metadata.pkl"),
        dir.path().join("metadata.pkl"),
    )
    .unwrap();
    let (warnings, _) = read(dir.path()).unwrap();
    assert!(
        warnings.concat().contains("index.pkl beside the index"),
        "{warnings:?}"
    );
}

proptest! {
    #[test]
    fn changed_bytes_never_panic(which in 0usize..9, at in any::<prop::sample::Index>(), value in any::<u8>(), more in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4)) {
        let entries: Vec<Value> = expected().into_iter().filter(|entry| entry["kind"] == "index").collect();
        let entry = &entries[which % entries.len()];
        let mut bytes = std::fs::read(path_of(entry)).unwrap();
        let len = bytes.len();
        bytes[at.index(len)] = value;
        for (at, value) in more {
            bytes[at.index(len)] = value;
        }
        if let Ok(rows) = read(&bytes) {
            prop_assert!(rows.len() <= len / 8);
        }
    }
}
