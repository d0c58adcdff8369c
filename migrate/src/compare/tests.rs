use std::collections::BTreeMap;

use vdb::PointId;

use super::*;

fn schema(distance: proto::Distance, datatype: proto::Datatype) -> Schema {
    let kind = Kind::Dense {
        size: 3,
        distance,
        datatype,
        multi: false,
    };
    Schema(BTreeMap::from([(String::new(), kind)]))
}

fn point(vector: Numbers, payload: &[(&str, proto::Value)]) -> Point {
    Point {
        id: PointId::Num(1),
        payload: payload
            .iter()
            .map(|(key, value)| ((*key).to_owned(), value.clone()))
            .collect(),
        vectors: BTreeMap::from([(String::new(), vector)]),
        bytes: 0,
        beyond: None,
        exact: None,
    }
}

fn dense(numbers: [f32; 3]) -> Point {
    point(Numbers::Dense(numbers.to_vec()), &[])
}

#[test]
fn exact_vectors_are_compared_bit_for_bit() {
    let schema = schema(proto::Distance::Dot, proto::Datatype::Float32);
    let here = dense([1.0, 2.0, 3.0]);
    assert_eq!(difference(&schema, &here, &here), None);
    let there = dense([1.0, f32::from_bits(2.0_f32.to_bits() + 1), 3.0]);
    let told = difference(&schema, &here, &there).unwrap();
    assert!(told.contains("number 1"), "{told}");
    assert!(difference(&schema, &here, &point(Numbers::Dense(vec![1.0]), &[])).is_some());
    assert!(difference(&schema, &here, &point(Numbers::Sparse(Vec::new()), &[])).is_some());
}

#[test]
fn vectors_of_the_cosine_are_the_same_at_any_length() {
    let cosine = schema(proto::Distance::Cosine, proto::Datatype::Float32);
    let (long, unit) = (dense([3.0, 4.0, 0.0]), dense([0.6, 0.8, 0.0]));
    assert_eq!(difference(&cosine, &long, &unit), None);
    assert!(difference(&cosine, &long, &dense([0.6, 0.8, 0.001])).is_some());
    let zero = dense([0.0; 3]);
    assert_eq!(difference(&cosine, &zero, &zero), None);
    assert!(difference(&cosine, &zero, &unit).is_some());
}

#[test]
fn numbers_of_sixteen_bits_may_be_rounded_and_bytes_may_not() {
    let half = schema(proto::Distance::Euclid, proto::Datatype::Float16);
    let here = dense([0.1, 100.0, 0.0]);
    assert_eq!(difference(&half, &here, &dense([0.09998, 100.0625, 0.0])), None);
    assert!(difference(&half, &here, &dense([0.1, 101.0, 0.0])).is_some());
    // What has been rounded before is not rounded again.
    let held = dense([0.099_975_586, 100.0, 1.0 / 16_777_216.0]);
    assert_eq!(difference(&half, &held, &held), None);
    assert!(
        difference(
            &half,
            &held,
            &dense([0.099_975_586, 100.0625, 1.0 / 16_777_216.0])
        )
        .is_some()
    );
    assert!(difference(&half, &held, &dense([0.099_975_586, 100.0, 0.0])).is_some());
    let cosine = schema(proto::Distance::Cosine, proto::Datatype::Float16);
    assert_eq!(
        difference(&cosine, &dense([3.0, 4.0, 0.0]), &dense([0.6001, 0.8, 0.0])),
        None
    );
    let byte = schema(proto::Distance::Cosine, proto::Datatype::Uint8);
    assert!(difference(&byte, &dense([1.0, 2.0, 3.0]), &dense([2.0, 4.0, 6.0])).is_some());
}

#[test]
fn payloads_are_compared_in_depth() {
    let schema = schema(proto::Distance::Dot, proto::Datatype::Float32);
    let with = |payload: serde_json::Value| {
        let payload: HashMap<String, proto::Value> =
            qdrant_client::Payload::try_from(payload).unwrap().into();
        Point {
            payload,
            ..dense([0.0; 3])
        }
    };
    let here = with(serde_json::json!({"a": {"b": [1, 2.5, null, "x"]}, "c": true}));
    assert_eq!(difference(&schema, &here, &here.clone()), None);
    for other in [
        serde_json::json!({"a": {"b": [1, 2.5, null]}, "c": true}),
        serde_json::json!({"a": {"b": [1.0, 2.5, null, "x"]}, "c": true}),
        serde_json::json!({"a": {}, "c": true}),
        serde_json::json!({"a": {"b": [1, 2.5, null, "x"], "d": null}, "c": true}),
    ] {
        let told = difference(&schema, &here, &with(other)).unwrap();
        assert!(told.contains("\"a\""), "{told}");
    }
    // A null that is spelled as nothing at all is null.
    let empty = proto::Value { kind: None };
    let null = proto::Value {
        kind: Some(ValueKind::NullValue(0)),
    };
    assert!(same_value(&empty, &null));
}

#[test]
fn sparse_and_multivectors_are_compared_part_by_part() {
    let schema = Schema(BTreeMap::from([(
        String::new(),
        Kind::Sparse {
            datatype: proto::Datatype::Float32,
            idf: false,
        },
    )]));
    let sparse = |pairs: &[(u32, f32)]| point(Numbers::Sparse(pairs.to_vec()), &[]);
    let here = sparse(&[(1, 0.5), (7, 0.25)]);
    assert_eq!(difference(&schema, &here, &here), None);
    assert!(difference(&schema, &here, &sparse(&[(1, 0.5), (8, 0.25)])).is_some());
    assert!(difference(&schema, &here, &sparse(&[(1, 0.5), (7, 0.3)])).is_some());
    let multi = |rows: &[[f32; 2]]| point(Numbers::Multi(rows.iter().map(|row| row.to_vec()).collect()), &[]);
    let here = multi(&[[1.0, 0.0], [0.0, 1.0]]);
    assert_eq!(difference(&Schema::default(), &here, &here), None);
    assert!(difference(&Schema::default(), &here, &multi(&[[0.0, 1.0], [1.0, 0.0]])).is_some());
    assert!(difference(&Schema::default(), &here, &multi(&[[1.0, 0.0]])).is_some());
}

#[test]
fn vectors_that_only_one_side_has_are_named() {
    let named = |name: &str| Point {
        vectors: BTreeMap::from([(name.to_owned(), Numbers::Dense(vec![1.0]))]),
        ..dense([0.0; 3])
    };
    let told = difference(&Schema::default(), &named("image"), &named("title")).unwrap();
    assert!(told.contains("image"), "{told}");
    let none = Point {
        vectors: BTreeMap::new(),
        ..dense([0.0; 3])
    };
    assert!(
        difference(&Schema::default(), &none, &named("title"))
            .unwrap()
            .contains("title")
    );
}
