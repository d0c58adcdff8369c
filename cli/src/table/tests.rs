use serde_json::json;

use super::*;

fn record(id: u64, payload: Value) -> Record {
    let Value::Object(payload) = payload else {
        panic!("an object")
    };
    Record {
        id: id.into(),
        version: 1,
        payload: Some(payload),
        vectors: None,
    }
}

#[test]
fn a_cell_is_one_line_without_control_characters() {
    assert_eq!(readable(&json!("a\u{1b}[2J\nb")), "a [2J b");
    assert_eq!(readable(&json!(["owl", "bird", 3])), "owl, bird, 3");
    assert_eq!(readable(&json!(null)), "null");
}

#[test]
fn a_table_has_one_line_a_point_and_stays_within_its_width() {
    let gloss = "a very long explanation ".repeat(30);
    let records = [
        record(7, json!({"word": "owl", "gloss": gloss})),
        record(8, json!({"word": "bat"})),
    ];
    let text = points(&records);
    assert_eq!(text.lines().count(), 3);
    assert!(
        text.lines()
            .all(|line| line.chars().count() <= usize::from(WIDTH)),
        "{text}"
    );
    assert!(text.contains("owl") && text.contains("bat"));
}

#[test]
fn fields_that_do_not_fit_are_named_below() {
    let mut payload = serde_json::Map::new();
    for field in 0..40 {
        payload.insert(format!("field{field}"), json!("some text"));
    }
    let text = points(&[record(1, Value::Object(payload))]);
    assert!(text.contains("field0"));
    assert!(
        text.lines().last().is_some_and(|line| line.contains("field39")),
        "{text}"
    );
}

#[test]
fn no_points_is_said_in_words() {
    assert_eq!(points::<Record>(&[]), "no points");
}
