use vdb::Condition;

use super::*;
use crate::service::ErrorKind;

fn read(value: Value) -> Result<Filter, ServiceError> {
    WireFilter::from_value(value).unwrap().filter("filter")
}

#[test]
fn several_predicates_are_alternatives() {
    let two = json!({"must": [{"key": "a", "match": {"value": 1}, "range": {"gt": 5}, "other": 1}]});
    let either = Filter::should([
        Condition::matches("a", 1),
        Condition::range("a", (std::ops::Bound::Excluded(5.0), std::ops::Bound::Unbounded)),
    ]);
    assert_eq!(read(two), Ok(Filter::must([either.into()])));
}

#[test]
fn what_is_not_known_of_a_condition_is_passed_over() {
    let place = json!({"lon": 1.0, "lat": 2.0});
    let more = json!({"lon": 1.0, "lat": 2.0, "more": 1});
    let ring = json!([[0, 0], [0, 1], [1, 1], [0, 0]].map(|[lon, lat]| json!({"lon": lon, "lat": lat})));
    for (lax, strict) in [
        (json!({"has_id": [1], "more": 1}), json!({"has_id": [1]})),
        (
            json!({"min_should": {"conditions": [], "min_count": 1, "more": 1}}),
            json!({"min_should": {"conditions": [], "min_count": 1}}),
        ),
        (
            json!({"is_empty": {"key": "a", "more": 1}, "must": []}),
            json!({"is_empty": {"key": "a"}}),
        ),
        (
            json!({"nested": {"key": "a", "filter": {}, "more": 1}}),
            json!({"nested": {"key": "a", "filter": {}}}),
        ),
        (
            json!({"slice": {"total": 2, "index": 1, "more": 1}}),
            json!({"slice": {"total": 2, "index": 1}}),
        ),
        (
            json!({"key": "a", "match": {"any": [1], "value": 2, "more": 1}}),
            json!({"key": "a", "match": {"value": 2}}),
        ),
        (
            json!({"key": "a", "range": {"gt": 1, "more": 1}}),
            json!({"key": "a", "range": {"gt": 1}}),
        ),
        (
            json!({"key": "a", "geo_radius": {"center": more, "radius": 5, "more": 1}}),
            json!({"key": "a", "geo_radius": {"center": place, "radius": 5}}),
        ),
        (
            json!({"key": "a", "geo_polygon": {"exterior": {"points": ring, "more": 1}, "more": 1}}),
            json!({"key": "a", "geo_polygon": {"exterior": {"points": ring}}}),
        ),
    ] {
        let (lax, strict) = (json!({ "must": [lax] }), json!({ "must": [strict] }));
        assert_eq!(read(lax), Filter::from_json(&strict).map_err(ServiceError::from));
    }
}

#[test]
fn values_out_of_range_are_told_from_shapes() {
    for value in [
        json!({"must": {"key": "a"}}),
        json!({"should": [{"must_not": [{"key": "a", "match": null}]}]}),
        json!({"must": [{"slice": {"total": 2, "index": 2}}]}),
        json!({"min_should": {"conditions": [], "min_count": 0}}),
    ] {
        assert_eq!(
            read(value.clone()).unwrap_err().kind,
            ErrorKind::Validation,
            "{value}"
        );
    }
    for value in [
        json!({"must": [{"unknown": 1}]}),
        json!({"mast": []}),
        json!({"must": [{"key": "a", "match": {"value": 1.5}}]}),
        json!(7),
    ] {
        assert!(WireFilter::from_value(value.clone()).is_err(), "{value}");
    }
}

#[test]
fn depth_is_bounded() {
    let mut value = json!({});
    for _ in 0..200 {
        value = json!({ "must": [value] });
    }
    assert!(WireFilter::from_value(value).is_err());
}
