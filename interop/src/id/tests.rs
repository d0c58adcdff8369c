use serde_json::json;

use super::*;

fn numbering(texts: Option<&str>) -> Numbering {
    Numbering::of(&ReadOptions {
        text_ids: texts.map(str::to_owned),
        ..ReadOptions::default()
    })
}

#[test]
fn texts_become_the_same_uuids_each_time_and_stay_in_the_payload() {
    let mut numbering = numbering(Some("key"));
    let mut payload = Some(Map::from_iter([("a".to_owned(), json!(1))]));
    let (id, numbered) = numbering
        .resolve(Some(Given::Text("doc-1".to_owned())), 0, &mut payload)
        .unwrap();
    // Whoever imports again must come to the same points.
    assert_eq!(id.to_string(), "6d306651-d9f3-5022-af20-db087b2f59d7");
    assert!(!numbered);
    assert_eq!(payload.map(Value::Object), Some(json!({"a": 1, "key": "doc-1"})));
    let mut none = None;
    let given = Given::of_json(&json!("7")).unwrap();
    assert_eq!(
        numbering.resolve(given, 1, &mut none).unwrap(),
        (PointId::Num(7), false)
    );
    assert_eq!(none, None);
    let given = Some(Given::Text("7".to_owned()));
    assert_eq!(
        numbering.resolve(given, 1, &mut none).unwrap(),
        (PointId::Num(7), false)
    );
    assert_eq!(none, None);
    let mut taken = Some(Map::from_iter([("key".to_owned(), json!(2))]));
    let error = numbering.resolve(Some(Given::Text("doc-2".to_owned())), 2, &mut taken);
    assert!(error.unwrap_err().to_string().contains("\"key\""));
}

#[test]
fn without_a_word_no_text_is_an_id() {
    let error = numbering(None).resolve(Some(Given::Text("doc-1".to_owned())), 0, &mut None);
    let message = error.unwrap_err().to_string();
    assert!(
        message.starts_with("\"doc-1\" is not an id") && message.contains("--text-ids"),
        "{message}"
    );
    assert_eq!(Given::of_json(&json!(null)).unwrap(), None);
    assert!(Given::of_json(&json!(-1)).is_err() && Given::of_json(&json!([])).is_err());
}

#[test]
fn where_texts_become_ids_every_row_has_one() {
    let mut numbering = numbering(Some("key"));
    for (given, expected) in [
        (Some(""), "\"\" is not an id, and --text-ids"),
        (Some(" \t"), "\" \\t\" is not an id, and --text-ids"),
        (
            None,
            "nothing is not an id, which --text-ids makes of a text: --id-column",
        ),
    ] {
        let mut payload = None;
        let given = given.map(|text| Given::Text(text.to_owned()));
        let message = numbering.resolve(given, 0, &mut payload).unwrap_err().to_string();
        assert!(message.starts_with(expected), "{message}");
        assert_eq!(payload, None);
    }
    // Rows that have ids are not the worse for it.
    let given = Some(Given::Id(PointId::Num(3)));
    assert_eq!(
        numbering.resolve(given, 1, &mut None).unwrap(),
        (PointId::Num(3), false)
    );
}
