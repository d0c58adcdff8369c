//! Indexes of texts, and queries by them.

use serde_json::json;

use crate::harness::Place;

fn birds() -> Place {
    let place = Place::new();
    let rows = br#"{"id": 1, "vector": [1], "payload": {"text": "The owls hunt at night", "other": "wren"}}
{"id": 2, "vector": [2], "payload": {"text": "An owl is hunting mice by night, every night"}}
{"id": 3, "vector": [3], "payload": {"text": ["Wrens sing", null]}}
"#;
    place.vdb(&["create", "db", "birds", "--dim", "1"]).succeeded();
    place
        .vdb_with_stdin(&["load", "db", "birds", "-"], rows)
        .succeeded();
    place
}

#[test]
fn texts_are_indexed_with_options_and_asked() {
    let place = birds();
    let message = place
        .vdb(&["query", "db", "birds", "--text", "owl"])
        .failed_with(1);
    assert!(message.contains("--kind text"), "{message}");
    let index = [
        "index",
        "db",
        "birds",
        "text",
        "--kind",
        "text",
        "--language",
        "english",
        "--phrases",
    ];
    let answer = place.json(&index);
    assert_eq!((&answer["kind"], &answer["held"]), (&json!("text"), &json!(3)));
    assert_eq!(
        place.json(&["info", "db", "birds"])["payload_indexes"],
        json!([{"field": "text", "kind": "text", "params": {
            "type": "text", "stopwords": "english", "phrase_matching": true,
            "stemmer": {"type": "snowball", "language": "english"},
        }}])
    );
    let ids = |arguments: &[&str]| {
        let command = [&["query", "db", "birds", "--text"], arguments].concat();
        let points = place.json(&command)["points"].clone();
        let list = points
            .as_array()
            .map(|points| points.iter().map(|point| point["id"].clone()).collect::<Vec<_>>());
        list.unwrap_or_default()
    };
    // The second has "night" twice, and is twice as long.
    assert_eq!(ids(&["owls at night"]), [json!(1), json!(2)]);
    assert_eq!(ids(&["the wren"]), [json!(3)]);
    assert_eq!(ids(&["night", "--using", "text", "--limit", "1"]), [json!(2)]);
    let phrase = r#"{"must": [{"key": "text", "match": {"phrase": "owl hunting"}}]}"#;
    assert_eq!(
        place.json(&["count", "db", "birds", "--filter", phrase]),
        json!({"count": 2})
    );

    place
        .vdb(&[
            "index",
            "db",
            "birds",
            "other",
            "--kind",
            "text",
            "--tokenizer",
            "prefix",
        ])
        .succeeded();
    let message = place
        .vdb(&["query", "db", "birds", "--text", "owl"])
        .failed_with(1);
    assert!(
        message.contains("other, text") || message.contains("text, other"),
        "{message}"
    );
    assert_eq!(ids(&["wr", "--using", "other"]), [json!(1)]);
}

#[test]
fn options_that_do_not_fit_are_refused() {
    let place = birds();
    let refused = |arguments: &[&str], code| {
        let command = [&["index", "db", "birds", "text"], arguments].concat();
        place.vdb(&command).failed_with(code)
    };
    assert!(refused(&["--phrases"], 1).contains("an index of kind keyword has no option phrase_matching"));
    assert!(refused(&["--kind", "text", "--language", "klingon"], 2).contains("klingon"));
    assert!(refused(&["--kind", "text", "--options", "[]"], 2).contains("no JSON object"));
    let number = r#"{"type": 7}"#;
    assert!(refused(&["--options", number], 1).contains("`type`"));
    let reversed = r#"{"min_token_len": 3, "max_token_len": 2}"#;
    assert!(refused(&["--kind", "text", "--options", reversed], 1).contains("min_token_len is 3"));
}

fn index<'a>(arguments: &[&'a str]) -> Vec<&'a str> {
    [&["index", "db", "birds", "n"][..], arguments].concat()
}

#[test]
fn the_kind_of_an_index_is_what_its_options_say() {
    let place = birds();
    let of_options = index(&["--options", r#"{"type": "integer", "range": null}"#]);
    assert_eq!(place.json(&of_options)["kind"], "integer");
    let both = index(&[
        "--kind",
        "float",
        "--options",
        r#"{"type": "float"}"#,
        "--replace",
    ]);
    assert_eq!(place.json(&both)["kind"], "float");
    assert_eq!(
        place.json(&index(&["--replace", "--options", r#"{"type": null}"#]))["kind"],
        "keyword"
    );
    let kept = place.json(&["info", "db", "birds"])["payload_indexes"].clone();
    // Two that say different things leave nothing to be done.
    let cases: [(&[&str], &str); 5] = [
        (&["--kind", "keyword"], r#"{"type": "integer"}"#),
        (
            &["--kind", "text", "--language", "english"],
            r#"{"stopwords": "german"}"#,
        ),
        (
            &["--kind", "text", "--language", "english"],
            r#"{"stemmer": {"type": "snowball", "language": "german"}}"#,
        ),
        (
            &["--kind", "text", "--tokenizer", "prefix"],
            r#"{"tokenizer": "word"}"#,
        ),
        (&["--kind", "text", "--phrases"], r#"{"phrase_matching": false}"#),
    ];
    for (arguments, options) in cases {
        let command = [&index(arguments)[..], &["--replace", "--options", options]].concat();
        let message = place.vdb(&command).failed_with(2);
        assert!(message.contains("--options says"), "{message}");
        let last = arguments.iter().rfind(|argument| argument.starts_with("--"));
        assert!(message.contains(last.unwrap()), "{message}");
    }
    assert_eq!(place.json(&["info", "db", "birds"])["payload_indexes"], kept);
}
