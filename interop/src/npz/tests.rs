//! `tests/data/interop/columnar/make.py` wrote the files.

use std::path::PathBuf;

use serde_json::json;
use vdb_storage::PointId;

use super::*;
use crate::options::ColumnOptions;

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../tests/data/interop/columnar")
        .join(name)
}

fn read(path: &Path, columns: ColumnOptions) -> Result<Vec<Row>, RowError> {
    let options = ReadOptions {
        columns,
        ..ReadOptions::default()
    };
    crate::open(path, &options)?.collect()
}

#[test]
fn arrays_side_by_side_are_rows() {
    for name in ["stored.npz", "deflated.npz"] {
        let rows = read(&fixture(name), ColumnOptions::default()).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(rows.len(), 4, "{name}");
        assert_eq!(rows[1].id, PointId::Num(101));
        assert_eq!(rows[1].vectors.dense("").unwrap(), [3.0, 4.0, 5.0]);
        let expected = json!({
            "word": "ä1", "code": "b1", "count": -1, "score": 0.5, "good": false, "at": "2024-05-01T12:30:01",
            "day": "2024-05-02", "pair": [2, 3],
        });
        assert_eq!(json!(rows[1].payload), expected, "{name}");
    }
}

#[test]
fn texts_become_ids_where_the_caller_says_so() {
    let by_word = |text_ids: Option<&str>| {
        let options = ReadOptions {
            text_ids: text_ids.map(str::to_owned),
            columns: ColumnOptions {
                id: Some("word".to_owned()),
                ..ColumnOptions::default()
            },
            ..ReadOptions::default()
        };
        crate::open(&fixture("stored.npz"), &options)
            .unwrap()
            .collect::<Result<Vec<Row>, _>>()
    };
    let rows = by_word(Some("name")).unwrap();
    assert_eq!(rows[1].id, id::of_text("ä1"));
    let payload = rows[1].payload.as_ref().unwrap();
    assert_eq!((&payload["name"], &payload["ids"]), (&json!("ä1"), &json!(101)));
    let error = by_word(None).unwrap_err().to_string();
    assert!(error.contains("row 0: word: \"ä0\" is not an id"), "{error}");
}

#[test]
fn arrays_are_chosen_or_left_out() {
    let several = fixture("several.npz");
    let error = read(&several, ColumnOptions::default()).unwrap_err().to_string();
    assert!(
        error.contains("a, b") && error.contains("--vector-column"),
        "{error}"
    );
    let both = ColumnOptions {
        vectors: vec!["a".to_owned(), "b".to_owned()],
        leave_out: vec!["short".to_owned(), "objects".to_owned()],
        ..ColumnOptions::default()
    };
    let rows = read(&several, both.clone()).unwrap();
    assert_eq!(rows[0].vectors.0.keys().collect::<Vec<_>>(), ["a", "b"]);
    let longer = ColumnOptions {
        leave_out: vec!["objects".to_owned()],
        ..both.clone()
    };
    let error = read(&several, longer).unwrap_err().to_string();
    assert!(error.contains("\"short\" 1"), "{error}");
    let pickled = ColumnOptions {
        leave_out: vec!["short".to_owned()],
        ..both
    };
    let error = read(&several, pickled).unwrap_err().to_string();
    assert!(error.contains("\"objects\"") && error.contains("|O"), "{error}");
}

#[test]
fn damage_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.npz");
    for name in ["stored.npz", "deflated.npz"] {
        let bytes = std::fs::read(fixture(name)).unwrap();
        for len in (0..bytes.len()).step_by(5) {
            std::fs::write(&path, &bytes[..len]).unwrap();
            assert!(
                read(&path, ColumnOptions::default()).is_err(),
                "{name}: {len} bytes pass"
            );
        }
        // A flipped bit of the content is found by the checksum of its array; names, dates and attributes have none.
        let vectors = |rows: &[Row]| rows.iter().map(|row| row.vectors.clone()).collect::<Vec<_>>();
        let sound = vectors(&read(&fixture(name), ColumnOptions::default()).unwrap());
        for at in (0..bytes.len()).step_by(3) {
            let mut changed = bytes.clone();
            changed[at] ^= 0x10;
            std::fs::write(&path, &changed).unwrap();
            if let Ok(rows) = read(&path, ColumnOptions::default()) {
                assert_eq!(vectors(&rows), sound, "{name}: byte {at}");
            }
        }
    }
}

#[test]
fn an_array_that_is_to_be_left_out_is_there() {
    let columns = ColumnOptions {
        leave_out: vec!["wrod".to_owned()],
        ..ColumnOptions::default()
    };
    let error = read(&fixture("stored.npz"), columns).unwrap_err().to_string();
    assert!(
        error.contains("\"wrod\"") && error.contains("\"word\""),
        "{error}"
    );
}

/// An archive of stored arrays, each with its type, its shape and its bytes.
fn stored(arrays: &[(&str, &str, &str, Vec<u8>)]) -> Vec<u8> {
    let number = |length: usize| u32::try_from(length).unwrap().to_le_bytes();
    let (mut file, mut directory) = (Vec::new(), Vec::new());
    for (name, descr, shape, bytes) in arrays {
        let text = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}\n");
        let length = u16::try_from(text.len()).unwrap().to_le_bytes();
        let content = [&b"\x93NUMPY\x01\x00"[..], &length[..], text.as_bytes(), bytes].concat();
        let name = format!("{name}.npy");
        let mut crc = flate2::Crc::new();
        crc.update(&content);
        // Version, flags, method, time and date, then what both records have in common.
        let common = [
            &[20, 0, 0, 0, 0, 0, 0, 0, 0, 0][..],
            &crc.sum().to_le_bytes(),
            &number(content.len()),
            &number(content.len()),
            &u16::try_from(name.len()).unwrap().to_le_bytes(),
            &[0; 2],
        ]
        .concat();
        let at = number(file.len());
        directory.extend(
            [
                &b"PK\x01\x02\x14\0"[..],
                &common[..],
                &[0; 10],
                &at,
                name.as_bytes(),
            ]
            .concat(),
        );
        file.extend([&b"PK\x03\x04"[..], &common[..], name.as_bytes(), &content].concat());
    }
    let count = u16::try_from(arrays.len()).unwrap().to_le_bytes();
    let (size, at) = (number(directory.len()), number(file.len()));
    file.extend(directory);
    file.extend(
        [
            &b"PK\x05\x06\0\0\0\0"[..],
            &count[..],
            &count,
            &size,
            &at,
            &[0; 2],
        ]
        .concat(),
    );
    file
}

#[test]
fn ids_are_never_changed_whatever_payloads_may_be() {
    let numbers = |numbers: &[u32]| {
        numbers
            .iter()
            .flat_map(|number| number.to_le_bytes())
            .collect::<Vec<u8>>()
    };
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.npz");
    let half = 0xd83d;
    for (descr, bytes) in [("<U1", numbers(&[half, 'b'.into()])), ("|S1", vec![0xff, b'b'])] {
        let arrays = [
            ("ids", descr, "(2,)", bytes),
            ("v", "<f4", "(2, 1)", numbers(&[1f32.to_bits(), 2f32.to_bits()])),
            ("word", "<U1", "(2,)", numbers(&['a'.into(), half])),
        ];
        std::fs::write(&path, stored(&arrays)).unwrap();
        let options = ReadOptions {
            lossy: true,
            text_ids: Some("key".to_owned()),
            ..ReadOptions::default()
        };
        let mut rows = crate::open(&path, &options).unwrap();
        let error = rows.next().unwrap().unwrap_err();
        let told = error.to_string();
        assert!(error.is_skippable(), "{told}");
        assert!(
            told.contains("row 0: ids: ") && told.contains(" is not an id"),
            "{told}"
        );
        // The next row has an id, and a payload that was changed.
        let row = rows.next().unwrap().unwrap();
        assert_eq!(row.id, id::of_text("b"));
        assert_eq!(row.payload.unwrap()["word"], "\u{fffd}");
        assert!(rows.next().is_none());
        assert_eq!(rows.changed(), 1);
    }
}
