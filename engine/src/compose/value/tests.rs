use std::cmp::Ordering;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{Scalar, ValueKind};

fn read(value: &Value) -> Scalar {
    ValueKind::Any.read_json(value).unwrap().to_owned()
}

fn compare(a: Value, b: Value) -> Ordering {
    read(&a).compare(&read(&b))
}

#[test]
fn numbers_are_compared_without_rounding() {
    let beyond = i64::MAX as f64;
    assert_eq!(compare(json!(i64::MAX), json!(beyond)), Ordering::Less);
    assert_eq!(compare(json!(1u64 << 63), json!(beyond)), Ordering::Equal);
    assert_eq!(compare(json!(u64::MAX), json!(u64::MAX as f64)), Ordering::Less);
    assert_eq!(compare(json!(i64::MIN), json!(i64::MIN as f64)), Ordering::Equal);
    assert_eq!(compare(json!(i64::MIN), json!(-1e19)), Ordering::Greater);
    assert_eq!(
        compare(json!((1i64 << 53) + 1), json!((1i64 << 53) as f64)),
        Ordering::Greater
    );
    assert_eq!(compare(json!(0), json!(-0.0)), Ordering::Equal);
    assert_eq!(compare(json!(-2), json!(-2.5)), Ordering::Greater);
    assert_eq!(
        compare(json!(4_503_599_627_370_495i64), json!(4_503_599_627_370_495.5)),
        Ordering::Less
    );
}

#[test]
fn a_kind_takes_nothing_of_another() {
    let values = [
        json!(true),
        json!(1),
        json!(1.5),
        json!("x"),
        json!("2024-01-02"),
        json!(null),
        json!([1]),
        json!({}),
    ];
    let taken = |kind: ValueKind| -> Vec<Value> {
        let read = values.iter().filter_map(|value| kind.read_json(value));
        read.map(|scalar| scalar.to_json()).collect()
    };
    assert_eq!(taken(ValueKind::Any), values[..5]);
    assert_eq!(taken(ValueKind::Numbers), values[1..3]);
    assert_eq!(taken(ValueKind::Strings), values[3..5]);
    assert_eq!(taken(ValueKind::Datetimes), [json!("2024-01-02T00:00:00Z")]);
}

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        (-3i64..3).prop_map(Value::from),
        (-6i8..6).prop_map(|x| json!(f64::from(x) / 2.0)),
        any::<f64>().prop_filter_map("finite", |x| x.is_finite().then(|| json!(x))),
        Just(json!((1i64 << 53) as f64)),
        Just(json!((1i64 << 53) + 1)),
        Just(json!(i64::MAX as f64)),
        "[a-c]{0,2}".prop_map(Value::from),
    ]
}

proptest! {
    #[test]
    fn the_order_is_one_and_survives_json(a in value(), b in value(), c in value()) {
        let (x, y, z) = (read(&a), read(&b), read(&c));
        prop_assert_eq!(x.cmp(&y), y.cmp(&x).reverse());
        prop_assert_eq!(x.cmp(&x), Ordering::Equal);
        if x.cmp(&y).is_le() && y.cmp(&z).is_le() {
            prop_assert!(x.cmp(&z).is_le());
        }
        if x.cmp(&y).is_eq() {
            prop_assert_eq!(x.cmp(&z), y.cmp(&z));
        }
        prop_assert_eq!(read(&x.to_json()), x);
    }
}
