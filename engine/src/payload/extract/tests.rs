use serde_json::{Value, json};
use std::sync::Arc;

use vdb_index::postings::{Class, Key, Kind, PostingsFile};
use vdb_storage::payload::{ObjectRef, encode_payload};
use vdb_vfs::MemDisk;

use super::IndexBuilder;
use crate::payload::PayloadIndexParams;

fn index(kind: Kind, path: &str, payloads: &[Value]) -> PostingsFile {
    let disk = MemDisk::new();
    let analysis = PayloadIndexParams::from(kind).analysis().unwrap().map(Arc::new);
    let path = path.parse().unwrap();
    let mut builder = IndexBuilder::new(kind, analysis.as_ref(), &path);
    for (row, payload) in (0..).zip(payloads) {
        let bytes = encode_payload(payload.as_object().unwrap()).unwrap();
        builder
            .row(row, ObjectRef::from_payload(&bytes).unwrap(), &path)
            .unwrap();
    }
    let rows = payloads.len() as u32;
    builder.finish(&disk, "index", rows).unwrap();
    PostingsFile::open(&disk, "index", rows).unwrap()
}

fn rows(found: vdb_index::Result<vdb_index::RowSet>) -> Vec<u32> {
    found.unwrap().iter().collect()
}

#[test]
fn each_kind_takes_the_values_of_its_type() {
    let payloads = [
        json!({"a": "x"}),
        json!({"a": 3}),
        json!({"a": 3.0}),
        json!({"a": u64::MAX}),
        json!({"a": true}),
        json!({"a": "2024-01-01"}),
        json!({"a": null}),
        json!({"a": {}}),
        json!({}),
        json!({"a": "67e55044-10b1-426f-9247-bb680e5fe0c8"}),
        json!({"a": "67E55044-10B1-426F-9247-BB680E5FE0C8"}),
        json!({"a": {"lon": 1, "lat": 2.5}}),
        json!({"a": {"lon": 181, "lat": 2.5}}),
    ];
    for (kind, present) in [
        (Kind::Keyword, vec![0, 5, 9, 10]),
        (Kind::Integer, vec![1]),
        (Kind::Float, vec![1, 2, 3]),
        (Kind::Bool, vec![4]),
        (Kind::Datetime, vec![5]),
        (Kind::Uuid, vec![9]),
        (Kind::Geo, vec![11]),
        (Kind::Text, vec![0, 5, 9, 10]),
    ] {
        let index = index(kind, "a", &payloads);
        let foreign: Vec<u32> = (0..13)
            .filter(|row| ![6, 8].contains(row) && !present.contains(row))
            .collect();
        assert_eq!(rows(index.present()), present, "{kind:?}");
        assert_eq!(rows(index.class(Class::Foreign)), foreign, "{kind:?}");
        assert_eq!(rows(index.class(Class::Null)), [6]);
        assert_eq!(
            rows(index.class(Class::Filled)),
            [0, 1, 2, 3, 4, 5, 7, 9, 10, 11, 12]
        );
    }
}

#[test]
fn elements_of_an_array_are_filed_one_by_one() {
    let index = index(
        Kind::Integer,
        "a[].b",
        &[
            json!({"a": [{"b": 1}, {"b": [2, null]}, 3]}),
            json!({"a": {"b": 1}}),
            json!({"a": [{"b": []}]}),
            json!({"a": [{"b": [[1]]}]}),
        ],
    );
    assert_eq!(rows(index.equals(Key::Integer(1))), [0]);
    assert_eq!(rows(index.equals(Key::Integer(2))), [0]);
    assert_eq!(rows(index.class(Class::Multiple)), [0]);
    assert_eq!(rows(index.class(Class::Null)), [0]);
    assert_eq!(rows(index.class(Class::Filled)), [0, 3]);
    assert_eq!(rows(index.class(Class::Foreign)), [3]);
}
