use serde_json::json;
use vdb::{Datetime, PointId, Vectors};

use super::*;

fn hit(order: Option<OrderValue>) -> ScoredPoint {
    ScoredPoint {
        id: 7.into(),
        version: 3,
        score: 0.5,
        order,
        payload: json!({"a": 1}).as_object().cloned(),
        vectors: Some(Vectors::from([1.0])),
    }
}

#[test]
fn datetimes_are_ordered_by_microseconds() {
    let at: Datetime = "1970-01-01T00:00:01Z".parse().unwrap();
    let place = |hit| scored(hit).order_value.and_then(|value| value.variant);
    assert_eq!(place(hit(Some(at.into()))), Some(Place::Int(1_000_000)));
    assert_eq!(place(hit(Some(0.5.into()))), Some(Place::Float(0.5)));
    assert_eq!(place(hit(None)), None);
}

#[test]
fn a_point_of_a_page_keeps_all_that_a_stored_one_has() {
    let hit = hit(None);
    let record = Record {
        id: hit.id,
        version: hit.version,
        payload: hit.payload,
        vectors: hit.vectors,
    };
    let point = scrolled(ScrolledPoint {
        record,
        order_value: Some(4i64.into()),
    });
    assert_eq!(point.id, Some(ids::to_proto(7.into())));
    assert!(point.vectors.is_some() && point.payload.contains_key("a") && point.order_value.is_some());
}

#[test]
fn groups_of_numbers_are_unsigned_unless_negative() {
    let kind = |id| {
        let group = vdb::Group { id, hits: Vec::new() };
        super::group(GroupHits { group, lookup: None })
            .id
            .and_then(|id| id.kind)
    };
    assert_eq!(kind(GroupId::Integer(5)), Some(group_id::Kind::UnsignedValue(5)));
    assert_eq!(kind(GroupId::Integer(-5)), Some(group_id::Kind::IntegerValue(-5)));
    assert_eq!(
        kind(GroupId::Unsigned(u64::MAX)),
        Some(group_id::Kind::UnsignedValue(u64::MAX))
    );
    assert_eq!(kind("a".into()), Some(group_id::Kind::StringValue("a".into())));
}

#[test]
fn both_forms_of_a_matrix_say_the_same() {
    let ids: Vec<PointId> = vec![1.into(), 5.into()];
    let matrix = DistanceMatrix {
        ids,
        rows: vec![vec![(1, 0.25)], vec![(0, 0.25)]],
    };
    let pairs = pairs(&matrix).pairs;
    let offsets = offsets(matrix);
    let from_offsets: Vec<_> = (0..offsets.scores.len())
        .map(|at| proto::SearchMatrixPair {
            a: Some(offsets.ids[offsets.offsets_row[at] as usize].clone()),
            b: Some(offsets.ids[offsets.offsets_col[at] as usize].clone()),
            score: offsets.scores[at],
        })
        .collect();
    assert_eq!(pairs, from_offsets);
}
