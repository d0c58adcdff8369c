use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Map, Number, Value, json};
use vdb_vfs::{Disk, MemDisk};

use super::format::{KIND, Meta};
use super::*;
use crate::damage::{assert_found, assert_same_or_found, forge};
use crate::{Error, Result, ValueError};

const PATH: &str = "seg-00000007.payload";

fn numbers() -> impl Strategy<Value = Number> {
    prop_oneof![
        (0u64..300).prop_map(Number::from),
        any::<u64>().prop_map(Number::from),
        any::<i64>().prop_map(Number::from),
        any::<f64>().prop_filter_map("finite", Number::from_f64),
        (-3i64..3).prop_filter_map("finite", |n| Number::from_f64(n as f64)),
    ]
}

fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        numbers().prop_map(Value::Number),
        "\\PC{0,8}".prop_map(Value::String),
        "[a-z]{60,70}".prop_map(Value::String),
        "[a-z]{120,135}".prop_map(Value::String),
    ];
    leaf.prop_recursive(5, 60, 8, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..8).prop_map(Value::Array),
            object(inner).prop_map(Value::Object)
        ]
    })
}

fn object(values: impl Strategy<Value = Value>) -> impl Strategy<Value = Map<String, Value>> {
    vec(("[a-e]{0,2}|\\PC{0,3}", values), 0..8).prop_map(|entries| entries.into_iter().collect())
}

fn payloads() -> impl Strategy<Value = Map<String, Value>> {
    object(values())
}

/// `depth` objects inside each other; the first is the payload.
fn nested(depth: usize) -> Map<String, Value> {
    (1..depth).fold(Map::new(), |inner, _| {
        Map::from_iter([("k".to_owned(), Value::Object(inner))])
    })
}

/// Equal, with the order of keys and the kind of numbers.
fn same(a: &Map<String, Value>, b: &Map<String, Value>) -> bool {
    serde_json::to_string(a).unwrap() == serde_json::to_string(b).unwrap() && a == b
}

fn walk(value: ValueRef<'_>, steps: &mut usize) {
    *steps += 1;
    match value {
        ValueRef::Array(array) => {
            assert!(array.iter().count() <= array.len().max(1));
            array.iter().flatten().for_each(|item| walk(item, steps));
        }
        ValueRef::Object(object) => {
            assert!(object.iter().count() <= object.len().max(1));
            for (key, value) in object.iter().flatten() {
                walk(value, steps);
                assert!(object.get(key).is_ok_and(|found| found.is_some()));
            }
            let _ = object.get("k");
        }
        ValueRef::Null
        | ValueRef::Bool(_)
        | ValueRef::I64(_)
        | ValueRef::U64(_)
        | ValueRef::F64(_)
        | ValueRef::Str(_) => {}
    }
}

fn look_at_all(disk: &dyn Disk, path: &str) -> Result<()> {
    let reader = PayloadReader::open(disk, path)?;
    for row in (0..=reader.len().min(64)).chain([u32::MAX]) {
        if let Ok(object) = reader.object(row) {
            walk(ValueRef::Object(object), &mut 0);
            let _ = object.to_json();
        }
    }
    reader.verify(disk)
}

proptest! {
    #[test]
    fn payloads_come_back_as_they_were(payload in payloads()) {
        let bytes = encode_payload(&payload).unwrap();
        prop_assert_eq!(bytes.is_empty(), payload.is_empty());
        let back = decode_payload(&bytes).unwrap();
        prop_assert!(same(&back, &payload), "{:?} became {:?}", payload, back);
        let object = ObjectRef::from_payload(&bytes).unwrap();
        object.check().unwrap();
        prop_assert_eq!(object.len(), payload.len());
        for (key, value) in &payload {
            prop_assert_eq!(&object.get(key).unwrap().unwrap().to_json().unwrap(), value);
        }
        prop_assert!(object.get("no such key").unwrap().is_none());
    }

    #[test]
    fn values_come_back_as_they_were(value in values()) {
        let mut bytes = Vec::new();
        encode_value(&value, &mut bytes).unwrap();
        let read = ValueRef::decode(&bytes).unwrap();
        prop_assert_eq!(to_json(read).unwrap(), value);
        bytes.push(0);
        prop_assert!(ValueRef::decode(&bytes).is_err());
    }

    #[test]
    fn any_bytes_are_walked_without_panic_in_bounded_time(bytes in vec(prop_oneof![any::<u8>(), 0u8..10, 0x40u8..0x44], 0..80)) {
        let mut steps = 0;
        if let Ok(object) = ObjectRef::from_payload(&bytes) {
            walk(ValueRef::Object(object), &mut steps);
            prop_assert_eq!(object.check().is_ok(), object.to_json().is_ok());
        }
        if let Ok(value) = ValueRef::decode(&bytes) {
            walk(value, &mut steps);
        }
        // Every value takes a byte of its own and is visited once for each of the two readings.
        prop_assert!(steps <= 2 * bytes.len() + 2, "{} steps over {} bytes", steps, bytes.len());
    }

    #[test]
    fn a_damaged_payload_is_walked_without_panic(payload in payloads(), at: usize, bit in 0u8..8, cut: usize) {
        let mut bytes = encode_payload(&payload).unwrap();
        prop_assume!(!bytes.is_empty());
        let cut = &bytes[..cut % bytes.len()];
        prop_assert!(cut.is_empty() || ObjectRef::from_payload(cut).and_then(ObjectRef::check).is_err());
        let at = at % bytes.len();
        bytes[at] ^= 1 << bit;
        if let Ok(object) = ObjectRef::from_payload(&bytes) {
            walk(ValueRef::Object(object), &mut 0);
        }
    }

    #[test]
    fn every_row_finds_its_payload(payloads in vec(payloads(), 0..12)) {
        let disk = MemDisk::new();
        let mut writer = PayloadWriter::create(&disk, PATH).unwrap();
        for (row, payload) in (0..).zip(&payloads) {
            prop_assert_eq!(writer.push(&encode_payload(payload).unwrap()).unwrap(), row);
        }
        let info = writer.finish().unwrap();
        let reader = PayloadReader::open(&disk, PATH).unwrap();
        prop_assert_eq!(reader.info(), info);
        prop_assert_eq!(reader.len() as usize, payloads.len());
        for (row, payload) in (0..).zip(&payloads) {
            prop_assert_eq!(reader.get(row).unwrap(), encode_payload(payload).unwrap());
            prop_assert!(same(&reader.object(row).unwrap().to_json().unwrap(), payload));
        }
        for row in [reader.len(), u32::MAX] {
            let refused = matches!(reader.get(row), Err(Error::NoSuchRow { .. }));
            prop_assert!(refused);
        }
        reader.verify(&disk).unwrap();
    }

    #[test]
    fn forged_files_are_read_without_panic(
        blobs in vec(any::<u8>(), 0..40),
        offsets in vec(prop_oneof![0u64..45, any::<u64>()], 1..8),
        lie in prop_oneof![4 => Just(0u32), 1 => any::<u32>()],
    ) {
        let disk = MemDisk::new();
        let meta = Meta { rows: (offsets.len() as u32 - 1).wrapping_add(lie) };
        forge(&disk, PATH, KIND, &meta, &[&blobs, bytemuck::cast_slice(&offsets)]);
        let _ = look_at_all(&disk, PATH);
    }
}

#[test]
fn the_bytes_are_those_that_the_format_promises() {
    let mut long = vec![6, 64];
    long.extend([b'x'; 64]);
    for (value, expected) in [
        (json!(null), vec![0]),
        (json!(false), vec![1]),
        (json!(true), vec![2]),
        (json!(0), vec![0x80]),
        (json!(127), vec![0xFF]),
        (json!(128), vec![3, 0x80, 1]),
        (json!(-1), vec![4, 0]),
        (
            json!(i64::MIN),
            vec![4, 255, 255, 255, 255, 255, 255, 255, 255, 127],
        ),
        (
            json!(u64::MAX),
            vec![3, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1],
        ),
        (json!(1.5), vec![5, 0, 0, 0, 0, 0, 0, 0xF8, 0x3F]),
        (json!("hi"), vec![0x42, b'h', b'i']),
        (json!("x".repeat(64)), long),
        (json!([]), vec![7, 1, 0]),
        (json!([1, []]), vec![7, 5, 2, 0x81, 7, 1, 0]),
        (json!({"a": {}}), vec![8, 6, 1, 1, b'a', 8, 1, 0]),
    ] {
        let mut bytes = Vec::new();
        encode_value(&value, &mut bytes).unwrap();
        assert_eq!(bytes, expected, "{value}");
    }
    assert!(encode_payload(&Map::new()).unwrap().is_empty());
    assert_eq!(
        encode_payload(json!({"a": 1}).as_object().unwrap()).unwrap(),
        [1, 1, b'a', 0x81]
    );
}

#[test]
fn integers_and_floats_stay_apart() {
    let bytes = encode_payload(
        json!({"i": 2, "f": 2.0, "z": -0.0, "u": u64::MAX})
            .as_object()
            .unwrap(),
    )
    .unwrap();
    let object = ObjectRef::from_payload(&bytes).unwrap();
    let get = |key| object.get(key).unwrap().unwrap();
    assert!(matches!(get("i"), ValueRef::I64(2)));
    assert!(matches!(get("f"), ValueRef::F64(2.0)));
    assert!(matches!(get("z"), ValueRef::F64(zero) if zero.is_sign_negative()));
    assert!(matches!(get("u"), ValueRef::U64(u64::MAX)));
}

#[test]
fn nesting_is_limited_when_written_and_when_read() {
    let deepest = nested(MAX_DEPTH);
    let mut bytes = encode_payload(&deepest).unwrap();
    assert!(same(&decode_payload(&bytes).unwrap(), &deepest));
    assert!(matches!(
        encode_payload(&nested(MAX_DEPTH + 1)),
        Err(Error::TooDeep { limit: MAX_DEPTH })
    ));
    // An object of the one key `k`, whose value follows.
    for _ in 0..2 {
        let len = u8::try_from(bytes.len()).map_or_else(
            |_| vec![(bytes.len() & 0x7F) as u8 | 0x80, (bytes.len() >> 7) as u8],
            |len| if len < 0x80 { vec![len] } else { vec![len, 1] },
        );
        bytes = [&[1, 1, b'k', 8], &len[..], &bytes].concat();
    }
    let object = ObjectRef::from_payload(&bytes).unwrap();
    let too_deep = ValueError {
        what: "at most 64 nested containers",
    };
    assert_eq!(object.check().unwrap_err(), too_deep);
    assert_eq!(object.to_json().unwrap_err(), too_deep);
}

#[test]
fn damage_in_a_payload_is_reported_with_file_row_and_offset() {
    let disk = MemDisk::new();
    forge(
        &disk,
        PATH,
        KIND,
        &Meta { rows: 2 },
        &[&[1, 1, b'a', 0x20], bytemuck::cast_slice(&[0u64, 0, 4])],
    );
    let reader = PayloadReader::open(&disk, PATH).unwrap();
    let error = reader.verify(&disk).unwrap_err();
    let text = error.to_string();
    assert!(
        error.is_corruption() && text.contains(PATH) && text.contains("row 1"),
        "{text}"
    );
    assert!(
        text.contains("a known tag") && text.contains("offset 64"),
        "{text}"
    );
}

/// Three payloads, one of them empty.
fn three() -> MemDisk {
    let disk = MemDisk::new();
    let mut writer = PayloadWriter::create(&disk, PATH).unwrap();
    for value in [
        json!({"a": [1, 2.5, "x", null], "b": {"c": -7}}),
        json!({}),
        json!({"tag": "y".repeat(70)}),
    ] {
        writer
            .push(&encode_payload(value.as_object().unwrap()).unwrap())
            .unwrap();
    }
    writer.finish().unwrap();
    disk
}

#[test]
fn any_damage_is_found() {
    assert_found(&three(), PATH, |disk| look_at_all(disk, PATH));
}

#[test]
fn a_checked_payload_is_what_was_written() {
    let disk = three();
    let reader = PayloadReader::open(&disk, PATH).unwrap();
    for row in 0..3 {
        assert_eq!(reader.checked(row).unwrap(), reader.get(row).unwrap());
        assert_same_or_found(&disk, PATH, |disk| {
            Ok(PayloadReader::open(disk, PATH)?.checked(row)?.to_vec())
        });
    }
    assert!(matches!(reader.checked(3), Err(Error::NoSuchRow { .. })));
    // Checksums that fit do not make a payload.
    let offsets: Vec<u8> = [0u64, 3].iter().flat_map(|at| at.to_le_bytes()).collect();
    forge(&disk, PATH, KIND, &Meta { rows: 1 }, &[&[0xff; 3], &offsets]);
    let reader = PayloadReader::open(&disk, PATH).unwrap();
    assert!(reader.get(0).is_ok() && reader.checked(0).is_err_and(|error| error.is_corruption()));
}
