use qdrant_client::Payload;
use qdrant_client::qdrant::{PointStruct, PointsSelector, PointsUpdateOperation};
use serde_json::json;
use vdb::{Condition, Filter};

use super::*;

fn ids(list: &[u64]) -> Option<PointsSelector> {
    let list: Vec<proto::PointId> = list.iter().map(|&id| id.into()).collect();
    Some(list.into())
}

#[test]
fn an_upsert_has_points_a_mode_and_a_filter() {
    let payload = Payload::try_from(json!({"a": 1})).unwrap();
    let sent = vec![PointStruct::new(7, vec![0.5, 0.5], payload)];
    let filter = proto::Filter::must([proto::Condition::is_empty("a")]);
    let read = upsert(
        sent,
        Some(filter),
        Some(proto::UpdateMode::InsertOnly.into()),
        &mut Models::default(),
    )
    .unwrap();
    assert_eq!(
        read,
        Operation::Upsert {
            points: vec![Point::new(7, [0.5, 0.5]).payload(json!({"a": 1})).unwrap()],
            mode: UpsertMode::InsertOnly,
            update_filter: Some(Filter::must([Condition::is_empty("a")])),
        }
    );
    assert!(upsert(Vec::new(), None, Some(7), &mut Models::default()).is_err());
}

#[test]
fn a_point_without_an_id_is_told_by_its_place() {
    let sent = vec![
        PointStruct::new(1, vec![1.0], Payload::new()),
        PointStruct::default(),
    ];
    let refused = upsert(sent, None, None, &mut Models::default()).unwrap_err();
    assert_eq!(refused, Rejection::invalid("points[1].id", "is required"));
}

#[test]
fn points_are_chosen_by_ids_or_by_a_filter() {
    assert_eq!(target("points", ids(&[3])).unwrap(), Target::from(vec![3u64]));
    let all: PointsSelector = proto::Filter::default().into();
    assert_eq!(
        target("points", Some(all)).unwrap(),
        Target::Filter(Filter::default())
    );
    for nothing in [None, Some(PointsSelector::default())] {
        assert_eq!(
            target("points", nothing),
            Err(Rejection::invalid("points", "is required"))
        );
    }
}

#[test]
fn payloads_are_overwritten_as_a_whole() {
    let with_key = overwrite_payload(Default::default(), ids(&[1]), Some("a".to_owned()));
    let without = overwrite_payload(Default::default(), ids(&[1]), None);
    assert_eq!(with_key.unwrap(), without.unwrap());
}

#[test]
fn timeouts_are_of_whole_seconds_and_not_of_none() {
    assert_eq!(timeout(Some(2)).unwrap(), Some(Duration::from_secs(2)));
    assert!(timeout(Some(0)).is_err());
    let waiting = manner(Some(true), Some(proto::WriteOrdering { r#type: 2 }), None).unwrap();
    assert!(waiting.wait && waiting.timeout.is_none());
    assert!(!manner(None, None, None).unwrap().wait);
    assert!(manner(None, Some(proto::WriteOrdering { r#type: 3 }), None).is_err());
}

#[test]
#[expect(deprecated, reason = "older clients send these operations")]
fn a_batch_knows_every_operation() {
    use update::Operation as Sent;
    let names = || {
        Some(proto::VectorsSelector {
            names: vec!["v".to_owned()],
        })
    };
    let point = proto::PointVectors {
        id: Some(1.into()),
        vectors: Some(vec![1.0].into()),
    };
    let sent = [
        Sent::Upsert(update::PointStructList::default()),
        Sent::DeleteDeprecated(ids(&[1]).unwrap()),
        Sent::SetPayload(update::SetPayload {
            points_selector: ids(&[1]),
            ..Default::default()
        }),
        Sent::OverwritePayload(update::OverwritePayload {
            points_selector: ids(&[1]),
            ..Default::default()
        }),
        Sent::DeletePayload(update::DeletePayload {
            points_selector: ids(&[1]),
            ..Default::default()
        }),
        Sent::ClearPayloadDeprecated(ids(&[1]).unwrap()),
        Sent::UpdateVectors(update::UpdateVectors {
            points: vec![point],
            ..Default::default()
        }),
        Sent::DeleteVectors(update::DeleteVectors {
            points_selector: ids(&[1]),
            vectors: names(),
            ..Default::default()
        }),
        Sent::DeletePoints(update::DeletePoints {
            points: ids(&[1]),
            ..Default::default()
        }),
        Sent::ClearPayload(update::ClearPayload {
            points: ids(&[1]),
            ..Default::default()
        }),
    ];
    let wrapped = sent.map(|operation| PointsUpdateOperation {
        operation: Some(operation),
    });
    let read = batch(wrapped.to_vec(), &mut Models::default()).unwrap();
    assert_eq!(read.len(), wrapped.len());
    assert_eq!(read[1], read[8], "both forms of a deletion");
    assert_eq!(read[5], read[9], "both forms of clearing");
    let empty = batch(vec![PointsUpdateOperation::default()], &mut Models::default()).unwrap_err();
    assert_eq!(
        empty,
        Rejection::invalid("operations[0].operation", "is required")
    );
}
