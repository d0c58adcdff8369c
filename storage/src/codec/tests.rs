use proptest::prelude::*;

use super::*;
use crate::schema::{PayloadIndexRecord, SchemaRecord};

#[test]
fn integers_are_little_endian_of_fixed_width() {
    let record = PayloadIndexRecord {
        number: 0x0102,
        path: "a".to_owned(),
        kind: 3,
        options: None,
    };
    assert_eq!(
        encode(&record).unwrap(),
        [2, 1, 1, 0, 0, 0, 0, 0, 0, 0, b'a', 3, 0]
    );
}

#[test]
fn bytes_left_over_are_corruption_that_names_file_and_offset() {
    let mut bytes = encode(&7u32).unwrap();
    bytes.push(0);
    let text = decode::<u32>(&bytes, "some/file", 64).unwrap_err().to_string();
    assert!(text.contains("some/file") && text.contains("offset 64"), "{text}");
}

#[test]
fn a_length_that_cannot_be_true_is_refused_before_memory_is_taken() {
    let bytes = u64::MAX.to_le_bytes();
    assert!(decode::<Vec<u64>>(&bytes, "f", 0).unwrap_err().is_corruption());
    assert!(decode::<String>(&bytes, "f", 0).unwrap_err().is_corruption());
    let bytes = (1u64 << 40).to_le_bytes();
    assert!(decode::<Vec<String>>(&bytes, "f", 0).unwrap_err().is_corruption());
}

#[test]
fn a_record_too_large_is_refused_when_written() {
    let record = vec![0u8; MAX_RECORD_BYTES];
    assert!(matches!(encode(&record), Err(Error::Encode { .. })));
}

#[test]
fn records_that_stand_one_after_another_are_read_one_by_one() {
    let mut bytes = Vec::new();
    append(&7u32, &mut bytes).unwrap();
    append(&(true, 9u64), &mut bytes).unwrap();
    assert_eq!(
        bytes,
        [encode(&7u32).unwrap(), encode(&(true, 9u64)).unwrap()].concat()
    );
    let mut rest = bytes.as_slice();
    assert_eq!(take::<u32>(&mut rest, "f", 0).unwrap(), 7);
    assert_eq!(take::<(bool, u64)>(&mut rest, "f", 4).unwrap(), (true, 9));
    let text = take::<u8>(&mut rest, "some/file", 13).unwrap_err().to_string();
    assert!(text.contains("some/file") && text.contains("offset 13"), "{text}");
}

proptest! {
    #[test]
    fn decoding_any_bytes_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = decode::<SchemaRecord>(&bytes, "f", 0);
    }
}
