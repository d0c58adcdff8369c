use std::cmp::Ordering;

use proptest::prelude::*;

use super::compare;
use crate::filter::Datetime;
use crate::point::OrderValue;

fn value() -> impl Strategy<Value = OrderValue> {
    let integers = prop_oneof![
        any::<i64>(),
        -3i64..3,
        Just(i64::MAX),
        Just(i64::MIN),
        Just((1 << 53) + 1)
    ];
    let floats = prop_oneof![
        any::<f64>().prop_filter("a number", |x| !x.is_nan()),
        (-6i8..6).prop_map(|x| f64::from(x) / 2.0),
        Just(-0.0),
        Just((1i64 << 53) as f64),
        Just(i64::MAX as f64),
        Just(i64::MIN as f64),
    ];
    prop_oneof![
        integers.prop_map(OrderValue::Integer),
        floats.prop_map(OrderValue::Float),
        (0i64..3).prop_map(|micros| OrderValue::Datetime(Datetime::from_micros(micros).unwrap())),
    ]
}

#[test]
fn integers_are_not_rounded() {
    let beyond = i64::MAX as f64;
    assert_eq!(compare(i64::MAX.into(), beyond.into()), Ordering::Less);
    assert_eq!(
        compare(i64::MIN.into(), (i64::MIN as f64).into()),
        Ordering::Equal
    );
    assert_eq!(
        compare(((1i64 << 53) + 1).into(), ((1i64 << 53) as f64).into()),
        Ordering::Greater
    );
    assert_eq!(compare(0i64.into(), (-0.0).into()), Ordering::Equal);
    assert_eq!(compare(0.0.into(), (-0.0).into()), Ordering::Equal);
    assert_eq!(compare(2i64.into(), 2.5.into()), Ordering::Less);
    assert_eq!(compare((-2i64).into(), (-2.5).into()), Ordering::Greater);
}

proptest! {
    #[test]
    fn the_order_is_one(a in value(), b in value(), c in value()) {
        prop_assert_eq!(compare(a, b), compare(b, a).reverse());
        prop_assert_eq!(compare(a, a), Ordering::Equal);
        if compare(a, b).is_le() && compare(b, c).is_le() {
            prop_assert!(compare(a, c).is_le());
        }
        if compare(a, b).is_eq() {
            prop_assert_eq!(compare(a, c), compare(b, c));
        }
    }
}
