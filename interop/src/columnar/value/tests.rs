use std::sync::Arc;

use arrow_array::builder::{Int64Builder, MapBuilder, StringBuilder};
use arrow_array::types::Int8Type;
use arrow_array::*;
use arrow_schema::{DataType, Field};
use serde_json::json as j;

use super::*;

fn values(array: &dyn Array) -> Vec<Json> {
    check(array.data_type()).unwrap();
    let mut lossy = Lossy::default();
    (0..array.len())
        .map(|row| json(array, row, &mut lossy).unwrap())
        .collect()
}

fn error(array: &dyn Array, row: usize) -> String {
    let misfit = json(array, row, &mut Lossy::default()).unwrap_err();
    format!("{}: {}", misfit.path, misfit.problem)
}

#[test]
fn numbers_keep_their_kind_and_all_their_digits() {
    assert_eq!(
        values(&Int64Array::from(vec![Some(i64::MIN), None])),
        [j!(i64::MIN), j!(null)]
    );
    assert_eq!(values(&UInt64Array::from(vec![u64::MAX])), [j!(u64::MAX)]);
    assert_eq!(
        values(&Float32Array::from(vec![0.1f32, 2.0])),
        [j!(0.100_000_001_490_116_12), j!(2.0)]
    );
    assert!(values(&Float32Array::from(vec![2.0]))[0].is_f64());
    let decimals = Decimal128Array::from(vec![-12_345, 5])
        .with_precision_and_scale(10, 2)
        .unwrap();
    assert_eq!(values(&decimals), [j!("-123.45"), j!("0.05")]);
    assert!(
        error(&Float64Array::from(vec![f64::NAN]), 0)
            .contains("NaN is nothing that a payload holds; --lossy makes it null")
    );
}

#[test]
fn moments_are_text() {
    assert_eq!(values(&Date32Array::from(vec![0])), [j!("1970-01-01")]);
    assert_eq!(
        values(&Date64Array::from(vec![86_400_000, -1])),
        [j!("1970-01-02"), j!("1969-12-31T23:59:59.999")]
    );
    let moment = TimestampMillisecondArray::from(vec![1_500]);
    assert_eq!(values(&moment), [j!("1970-01-01T00:00:01.5")]);
    assert_eq!(
        values(&moment.with_timezone("Europe/Rome")),
        [j!("1970-01-01T00:00:01.5Z")]
    );
    assert_eq!(
        values(&Time64MicrosecondArray::from(vec![61_000_000])),
        [j!("00:01:01")]
    );
    assert!(error(&TimestampSecondArray::from(vec![i64::MAX]), 0).contains("point in time"));
}

#[test]
fn what_is_nested_is_nested() {
    let lists = ListArray::from_iter_primitive::<Int8Type, _, _>(vec![Some(vec![Some(1), None]), None]);
    assert_eq!(values(&lists), [j!([1, null]), j!(null)]);
    let of: ArrayRef = Arc::new(StringArray::from(vec![Some("x"), None]));
    let record = StructArray::from(vec![(Arc::new(Field::new("a", DataType::Utf8, true)), of)]);
    assert_eq!(values(&record), [j!({"a": "x"}), j!({"a": null})]);
    let words: DictionaryArray<Int8Type> = vec![Some("b"), None, Some("b")].into_iter().collect();
    assert_eq!(values(&words), [j!("b"), j!(null), j!("b")]);
    let mut map = MapBuilder::new(None, StringBuilder::new(), Int64Builder::new());
    for (key, value) in [("k", 1), ("l", 2)] {
        map.keys().append_value(key);
        map.values().append_value(value);
    }
    map.append(true).unwrap();
    map.keys().append_value("k");
    map.values().append_value(1);
    map.keys().append_value("k");
    map.values().append_value(2);
    map.append(true).unwrap();
    let map = map.finish();
    assert_eq!(
        json(&map, 0, &mut Lossy::default()).unwrap(),
        j!({"k": 1, "l": 2})
    );
    assert!(error(&map, 1).contains("twice"));
}

#[test]
fn bytes_need_a_word() {
    let bytes = BinaryArray::from(vec![&b"\xff\x00"[..], b"", b"abc"]);
    assert!(error(&bytes, 0).contains("2 bytes is nothing that a payload holds; --lossy makes it base64"));
    let mut lossy = Lossy {
        is_allowed: true,
        changed: 0,
    };
    let shown: Vec<Json> = (0..3).map(|row| json(&bytes, row, &mut lossy).unwrap()).collect();
    assert_eq!((shown, lossy.changed), (vec![j!("/wA="), j!(""), j!("YWJj")], 3));
    assert!(check(&DataType::Duration(TimeUnit::Second)).is_err());
}
