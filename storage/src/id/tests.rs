use proptest::prelude::*;

use super::*;

const UUID: &str = "936da01f-9abd-4d9d-80c7-02af85c822a8";

fn uuid() -> PointId {
    PointId::Uuid(Uuid::from_u128(0x936d_a01f_9abd_4d9d_80c7_02af_85c8_22a8))
}

fn ids() -> impl Strategy<Value = PointId> {
    prop_oneof![
        any::<u64>().prop_map(PointId::Num),
        any::<u128>().prop_map(|n| PointId::Uuid(Uuid::from_u128(n)))
    ]
}

#[test]
fn every_form_of_a_uuid_reads_as_the_same_id_and_writes_hyphenated() {
    for text in [
        UUID,
        "936DA01F-9ABD-4D9D-80C7-02AF85C822A8",
        "936da01f9abd4d9d80c702af85c822a8",
        "urn:uuid:936da01f-9abd-4d9d-80c7-02af85c822a8",
        "{936da01f-9abd-4d9d-80c7-02af85c822a8}",
    ] {
        assert_eq!(text.parse::<PointId>().unwrap(), uuid(), "{text}");
        let json = serde_json::to_string(text).unwrap();
        assert_eq!(serde_json::from_str::<PointId>(&json).unwrap(), uuid(), "{text}");
    }
    assert_eq!(uuid().to_string(), UUID);
    assert_eq!(serde_json::to_string(&uuid()).unwrap(), format!("\"{UUID}\""));
}

#[test]
fn text_of_digits_is_a_number_on_command_lines_and_no_id_in_json() {
    assert_eq!("0".parse::<PointId>().unwrap(), PointId::Num(0));
    assert_eq!("007".parse::<PointId>().unwrap(), PointId::Num(7));
    assert_eq!(
        "18446744073709551615".parse::<PointId>().unwrap(),
        PointId::Num(u64::MAX)
    );
    assert!(serde_json::from_str::<PointId>("\"7\"").is_err());
}

#[test]
fn thirty_two_digits_are_a_uuid() {
    let text = "00000000000000000000000000000001";
    assert_eq!(
        text.parse::<PointId>().unwrap(),
        PointId::Uuid(Uuid::from_u128(1))
    );
}

#[test]
fn other_text_is_refused_by_name() {
    for text in [
        "",
        " 1",
        "1 ",
        "-1",
        "+1",
        "1.0",
        "0x10",
        "18446744073709551616",
        "abc",
        &UUID[1..],
    ] {
        let error = text.parse::<PointId>().unwrap_err();
        assert!(
            error.to_string().contains(&format!("{text:?} is not a point id")),
            "{error}"
        );
    }
}

#[test]
fn json_that_is_neither_an_unsigned_integer_nor_a_uuid_is_refused() {
    for json in [
        "-1",
        "1.0",
        "18446744073709551616",
        "null",
        "true",
        "[]",
        "{}",
        "\"\"",
        "\"x\"",
        "1e3",
    ] {
        assert!(serde_json::from_str::<PointId>(json).is_err(), "{json}");
    }
}

#[test]
fn numbers_come_before_uuids() {
    let low = PointId::Uuid(Uuid::nil());
    assert!(PointId::Num(u64::MAX) < low && PointId::Num(1) < PointId::Num(2) && low < uuid());
}

proptest! {
    #[test]
    fn ids_survive_text_and_json(id in ids()) {
        prop_assert_eq!(id.to_string().parse::<PointId>().unwrap(), id);
        let json = serde_json::to_value(id).unwrap();
        prop_assert_eq!(serde_json::from_value::<PointId>(json).unwrap(), id);
    }

    #[test]
    fn order_is_numbers_by_value_then_uuids_by_bytes(a in ids(), b in ids()) {
        let key = |id| match id {
            PointId::Num(number) => (0, number, [0; 16]),
            PointId::Uuid(uuid) => (1, 0, *uuid.as_bytes()),
        };
        prop_assert_eq!(a.cmp(&b), key(a).cmp(&key(b)));
    }

    #[test]
    fn reading_any_text_never_panics(text in "\\PC*") {
        let _ = text.parse::<PointId>();
    }
}
