use qdrant_client::qdrant::{self as proto, Condition as Sent};
use serde_json::json;

use super::*;

fn read(message: proto::Filter) -> Filter {
    filter(message).unwrap()
}

#[test]
fn a_filter_of_messages_means_what_its_json_means() {
    let sent = proto::Filter {
        must: vec![
            Sent::matches("word", "owl".to_owned()),
            Sent::matches("count", 3),
            Sent::matches("night", true),
            Sent::matches("pos", vec!["noun".to_owned(), "verb".to_owned()]),
            Sent::matches("year", vec![1492, 1517]),
            Sent::range(
                "year",
                proto::Range {
                    gte: Some(1500.0),
                    lt: Some(1600.0),
                    ..Default::default()
                },
            ),
            Sent::values_count(
                "tags",
                proto::ValuesCount {
                    gt: Some(2),
                    ..Default::default()
                },
            ),
        ],
        should: vec![Sent::is_empty("a.b"), Sent::is_null("c"), Sent::has_id([1, 2])],
        must_not: vec![
            Sent::nested(
                "diet",
                proto::Filter::must([Sent::matches("food", "meat".to_owned())]),
            ),
            Sent::has_vector("image"),
            proto::Filter::must_not([Sent::matches("x", 1)]).into(),
        ],
        min_should: Some(proto::MinShould {
            conditions: vec![Sent::matches("z", 1)],
            min_count: 1,
        }),
    };
    let same = json!({
        "must": [
            {"key": "word", "match": {"value": "owl"}},
            {"key": "count", "match": {"value": 3}},
            {"key": "night", "match": {"value": true}},
            {"key": "pos", "match": {"any": ["noun", "verb"]}},
            {"key": "year", "match": {"any": [1492, 1517]}},
            {"key": "year", "range": {"gte": 1500.0, "lt": 1600.0}},
            {"key": "tags", "values_count": {"gt": 2}},
        ],
        "should": [{"is_empty": {"key": "a.b"}}, {"is_null": {"key": "c"}}, {"has_id": [1, 2]}],
        "must_not": [
            {"nested": {"key": "diet", "filter": {"must": [{"key": "food", "match": {"value": "meat"}}]}}},
            {"has_vector": "image"},
            {"must_not": [{"key": "x", "match": {"value": 1}}]},
        ],
        "min_should": {"conditions": [{"key": "z", "match": {"value": 1}}], "min_count": 1},
    });
    assert_eq!(read(sent), Filter::from_json(&same).unwrap());
}

#[test]
fn texts_are_matched_in_every_way() {
    let condition = |sought| {
        proto::Filter::must([Sent {
            condition_one_of: Some(ConditionOneOf::Field(proto::FieldCondition {
                key: "t".to_owned(),
                r#match: Some(proto::Match {
                    match_value: Some(sought),
                }),
                ..Default::default()
            })),
        }])
    };
    let text = || "old owl".to_owned();
    for (sought, key) in [
        (Sought::Text(text()), "text"),
        (Sought::TextAny(text()), "text_any"),
        (Sought::Phrase(text()), "phrase"),
        (Sought::Prefix(text()), "prefix"),
        (Sought::Substring(text()), "substring"),
    ] {
        let same = json!({"must": [{"key": "t", "match": {key: "old owl"}}]});
        assert_eq!(
            read(condition(sought)),
            Filter::from_json(&same).unwrap(),
            "{key}"
        );
    }
}

#[test]
fn an_empty_clause_is_no_clause() {
    assert_eq!(read(proto::Filter::default()), Filter::default());
}

#[test]
fn a_field_needs_a_predicate_and_of_several_any_may_hold() {
    let sent = proto::FieldCondition {
        key: "a".to_owned(),
        ..Default::default()
    };
    assert!(field(sent.clone()).is_err());
    let both = field(proto::FieldCondition {
        is_empty: Some(true),
        is_null: Some(true),
        ..sent
    });
    let Ok(Condition::Filter(any)) = both else {
        panic!("{both:?}");
    };
    assert_eq!(any.should.map(|conditions| conditions.len()), Some(2));
}

#[test]
fn moments_are_of_whole_microseconds_and_of_four_digit_years() {
    let at = |seconds, nanos| datetime(prost_types::Timestamp { seconds, nanos });
    assert_eq!(at(1, 1_999).unwrap().micros(), 1_000_001);
    assert_eq!(at(-1, 0).unwrap().micros(), -1_000_000);
    for (seconds, nanos) in [(i64::MAX, 0), (i64::MIN, 0), (0, -1), (0, i32::MAX), (1 << 40, 0)] {
        assert!(at(seconds, nanos).is_err(), "{seconds}, {nanos}");
    }
}

#[test]
fn positions_are_on_the_earth_and_rings_are_told_by_place() {
    let point = |lon, lat| proto::GeoPoint { lon, lat };
    let refused = polygon(proto::GeoPolygon {
        exterior: Some(proto::GeoLineString {
            points: vec![point(0.0, 0.0); 4],
        }),
        interiors: vec![proto::GeoLineString {
            points: vec![point(0.0, 91.0)],
        }],
    });
    assert!(
        format!("{refused:?}").contains("interiors[0].points[0]"),
        "{refused:?}"
    );
    assert!(
        bounding_box(proto::GeoBoundingBox {
            top_left: None,
            bottom_right: None
        })
        .is_err()
    );
}

#[test]
fn depth_is_bounded() {
    let deep = (0..MAX_FILTER_DEPTH + 2).fold(proto::Filter::default(), |inner, _| {
        proto::Filter::must([Sent::from(inner)])
    });
    assert!(filter(deep).is_err());
}
