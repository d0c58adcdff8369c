//! What JSON lacks and others write: refused by name, or changed if that is allowed.

use super::*;

#[test]
fn what_json_lacks_and_python_writes_is_refused_by_name_or_changed_if_allowed() {
    let lines = [
        r#"{"id": 1, "vector": [1], "payload": {"x": [NaN, -Infinity], "t": "NaN"}}"#,
        r#"{"id": 2, "payload": {"t": "a\ud83d b\ude00", "whole": "\ud83d\ude00"}}"#,
        r#"{"id": 3, "payload": {"t": "\ud83d"}}"#,
        r#"{"id": 4, "vector": [NaN], "payload": {}}"#,
    ];
    let strict: Vec<String> = read(lines.join("\n"))
        .into_iter()
        .map(|row| row.unwrap_err().to_string())
        .collect();
    for (message, expected) in strict.iter().zip([
        "rows.jsonl:1: payload: NaN is nothing that a payload holds; --lossy makes it null",
        "rows.jsonl:2: payload: half of a character",
        "rows.jsonl:3: payload: half of a character (a lone surrogate) is nothing that a payload holds; --lossy makes it U+FFFD",
        "rows.jsonl:4: vector[0]: NaN is not a finite",
    ]) {
        assert!(message.starts_with(expected), "{message}");
    }
    let options = ReadOptions {
        lossy: true,
        ..ReadOptions::default()
    };
    let input = Input::from_bytes("rows.jsonl", lines.join("\n").into());
    let mut rows = JsonLinesRows::new(input, &options).unwrap();
    let found: Vec<_> = rows.by_ref().collect();
    let payload = |row: usize| json!(found[row].as_ref().unwrap().payload);
    assert_eq!(payload(0), json!({"x": [null, null], "t": "NaN"}));
    assert_eq!(
        payload(1),
        json!({"t": "a\u{fffd} b\u{fffd}", "whole": "\u{1f600}"})
    );
    assert_eq!(payload(2), json!({"t": "\u{fffd}"}));
    assert!(
        found[3]
            .as_ref()
            .unwrap_err()
            .to_string()
            .contains("NaN is not a finite")
    );
    assert_eq!(rows.changed(), 5);
    // Of lines of others as well.
    let lines = "{\"id\": 1, \"emb\": [NaN]}\n{\"id\": 2, \"n\": NaN, \"emb\": null}\n";
    let messages: Vec<String> = of_others(lines, named(None, &["emb"]))
        .into_iter()
        .map(|row| row.unwrap_err().to_string())
        .collect();
    assert!(
        messages[0].starts_with("rows.jsonl:1: emb[0]: NaN is not a finite"),
        "{messages:?}"
    );
    assert!(
        messages[1].starts_with("rows.jsonl:2: n: NaN is nothing that a payload"),
        "{messages:?}"
    );
}

#[test]
fn nothing_but_payloads_is_changed() {
    let lossy = ReadOptions {
        lossy: true,
        text_ids: Some("key".to_owned()),
        ..ReadOptions::default()
    };
    let of_others = ReadOptions {
        columns: named(None, &["emb"]),
        ..lossy.clone()
    };
    for (line, options, expected) in [
        (
            r#"{"payload":{"x":NaN},"id":1,"vector":NaN}"#,
            &lossy,
            "vector: NaN is not a finite",
        ),
        (
            r#"{"vector":NaN,"id":1,"payload":{"x":NaN}}"#,
            &lossy,
            "vector: NaN is not a finite",
        ),
        (
            r#"{"payload":{"x":NaN},"id":NaN}"#,
            &lossy,
            "id: NaN is not an id",
        ),
        (r#"{"id":NaN}"#, &lossy, "id: NaN is not an id"),
        (
            r#"{"id":"a\ud83d","payload":{}}"#,
            &lossy,
            "id: half of a character (a lone surrogate) is not an id",
        ),
        (
            r#"{"payload":{"x":"\ud83d"},"id":"a\ud83d"}"#,
            &lossy,
            "id: half of a character (a lone surrogate) is not an id",
        ),
        (
            r#"{"id":1,"vector":{"a\ud83d":[1]}}"#,
            &lossy,
            "vector: half of a character (a lone surrogate) is not whole text",
        ),
        (
            r#"{"x":NaN,"id":"a\ud83d"}"#,
            &of_others,
            "id: half of a character (a lone surrogate) is not an id",
        ),
        (
            r#"{"x":NaN,"id":1,"emb":[NaN]}"#,
            &of_others,
            "emb[0]: NaN is not a finite",
        ),
    ] {
        let input = Input::from_bytes("rows.jsonl", line.into());
        let mut rows = JsonLinesRows::new(input, options).unwrap();
        let message = rows.next().unwrap().unwrap_err().to_string();
        assert!(
            message.starts_with(&format!("rows.jsonl:1: {expected}")) && !message.contains("--lossy"),
            "{line}: {message}"
        );
        assert_eq!(rows.changed(), 0, "{line}");
    }
    let line = r#"{"id":"7","x":NaN,"y\ud83d":1,"emb":[2]}"#;
    let row = read_as(line, &of_others).remove(0).unwrap();
    assert_eq!(row.id, PointId::Num(7));
    assert_eq!(
        row.payload.map(Value::Object),
        Some(json!({"x": null, "y\u{fffd}": 1}))
    );
}
