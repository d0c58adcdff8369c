use super::*;

#[test]
fn an_index_of_a_kind_that_is_not_known_is_left_out_and_told() {
    let index = |data_type: i32| proto::PayloadSchemaInfo {
        data_type,
        ..proto::PayloadSchemaInfo::default()
    };
    let info = proto::CollectionInfo {
        payload_schema: HashMap::from([
            ("city".to_owned(), index(proto::PayloadSchemaType::Keyword.into())),
            // A server of tomorrow.
            ("smell".to_owned(), index(99)),
            (
                "taste".to_owned(),
                index(proto::PayloadSchemaType::UnknownType.into()),
            ),
        ]),
        ..proto::CollectionInfo::default()
    };
    let made = indexes(&info, "birds");
    let paths: Vec<&str> = made.iter().map(|message| message.field_name.as_str()).collect();
    assert_eq!(paths, ["city"]);
    assert_eq!(made[0].field_type, Some(proto::FieldType::Keyword.into()));
    for place in [Place::Directory, Place::Server] {
        let (_, lost) = Settings::of(&info, place);
        assert_eq!(lost.len(), 2, "{lost:?}");
        assert!(
            lost[0].contains("path smell ") && lost[1].contains("path taste "),
            "{lost:?}"
        );
    }
}
