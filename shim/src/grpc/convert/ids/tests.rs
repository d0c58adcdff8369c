use proptest::prelude::*;

use super::*;

const HYPHENATED: &str = "936da01f-9abd-4d9d-80c7-02af85c822a8";

fn uuid(text: &str) -> proto::PointId {
    proto::PointId {
        point_id_options: Some(PointIdOptions::Uuid(text.to_owned())),
    }
}

#[test]
fn every_form_of_a_uuid_is_one_id() {
    for text in [
        HYPHENATED,
        "936DA01F9ABD4D9D80C702AF85C822A8",
        "urn:uuid:936da01f-9abd-4d9d-80c7-02af85c822a8",
        "{936da01f-9abd-4d9d-80c7-02af85c822a8}",
    ] {
        assert_eq!(
            to_proto(point_id(uuid(text)).unwrap()),
            uuid(HYPHENATED),
            "{text}"
        );
    }
}

#[test]
fn what_is_no_id_is_refused_with_its_place() {
    let refused = point_ids("ids", vec![uuid(HYPHENATED), uuid("7")]).unwrap_err();
    assert_eq!(
        refused,
        Rejection::invalid("ids[1].uuid", "Unable to parse UUID: 7")
    );
    let empty = proto::PointId {
        point_id_options: None,
    };
    assert!(required_id("id", Some(empty)).is_err());
    assert_eq!(
        required_id("id", None),
        Err(Rejection::invalid("id", "is required"))
    );
}

proptest! {
    #[test]
    fn ids_survive_the_way_there_and_back(number: u64, bytes: u128) {
        for id in [PointId::Num(number), PointId::Uuid(Uuid::from_u128(bytes))] {
            prop_assert_eq!(point_id(to_proto(id)).unwrap(), id);
        }
    }
}
