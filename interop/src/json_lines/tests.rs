use proptest::prelude::*;
use serde_json::json;

use vdb::SparseVector;
use vdb_storage::PointId;

use super::*;
use crate::options::ColumnOptions;

mod lossy;

fn read_as(text: impl Into<Vec<u8>>, options: &ReadOptions) -> Vec<Result<Row, RowError>> {
    let input = Input::from_bytes("rows.jsonl", text.into());
    JsonLinesRows::new(input, options).unwrap().collect()
}

fn read(text: impl Into<Vec<u8>>) -> Vec<Result<Row, RowError>> {
    read_as(text, &ReadOptions::default())
}

fn message(text: &str) -> String {
    read(text).remove(0).unwrap_err().to_string()
}

#[test]
fn a_row_has_an_id_a_vector_and_a_payload() {
    let row = read(r#"{"id":7,"vector":[1,0.5,-2e3],"payload":{"n":2,"x":2.0}}"#)
        .remove(0)
        .unwrap();
    assert_eq!(row.id, PointId::Num(7));
    assert_eq!(row.vectors, Vectors::from([1.0, 0.5, -2000.0]));
    assert_eq!(row.payload.map(Value::Object), Some(json!({"n": 2, "x": 2.0})));
    assert_eq!(row.place.to_string(), "rows.jsonl:1");
}

#[test]
fn vectors_may_be_named() {
    let row = read(r#"{"vector":{"title":[1],"body":[2,3]}}"#)
        .remove(0)
        .unwrap();
    assert_eq!(
        row.vectors,
        Vectors::default().with("title", [1.0]).with("body", [2.0, 3.0])
    );
}

#[test]
fn vectors_may_be_of_every_kind() {
    let row = read(
        r#"{"vector":{"rows":[[1,2],[3,4.5]],"words":{"indices":[7,3],"values":[0.5,-1]},"plain":[9]}}"#,
    )
    .remove(0)
    .unwrap();
    let expected = Vectors::default()
        .with("rows", vec![vec![1.0, 2.0], vec![3.0, 4.5]])
        .with("words", SparseVector::new([7, 3], [0.5, -1.0]))
        .with("plain", [9.0]);
    assert_eq!(row.vectors, expected);
    let row = read(r#"{"vector":[[1],[2]]}"#).remove(0).unwrap();
    assert_eq!(row.vectors, vec![vec![1.0], vec![2.0]].into());
    for (line, part) in [
        (r#"{"vector":[[1,"x"]]}"#, "vector[0][1]: "),
        (r#"{"vector":[[1],[2,null]]}"#, "vector[1][1]: "),
        (r#"{"vector":[[1],2]}"#, "vector[1]: "),
        (r#"{"vector":[1,[2]]}"#, "vector[1]: "),
        (r#"{"vector":[[1],[1e39]]}"#, "vector[1][0]: "),
        (
            r#"{"vector":{"w":{"indices":[1],"values":[1e39]}}}"#,
            "vector.w.values[0]: ",
        ),
        (r#"{"vector":{"w":{"indices":[1,2],"values":[1]}}}"#, "vector.w: "),
        (
            r#"{"vector":{"w":{"indices":[-1],"values":[1]}}}"#,
            "vector.w.indices: ",
        ),
        (
            r#"{"vector":{"w":{"indices":[1],"value":[1]}}}"#,
            "vector.w.value: ",
        ),
    ] {
        let message = message(line);
        assert!(message.contains(part), "{part:?} is not in {message}");
    }
}

#[test]
fn what_is_left_out_or_null_is_absent() {
    for line in ["{}", r#"{"id":null,"vector":null,"payload":null}"#] {
        let row = read(line).remove(0).unwrap();
        assert_eq!(
            (row.id, row.vectors.0.len(), row.payload),
            (PointId::Num(0), 0, None)
        );
    }
}

#[test]
fn uuids_are_ids_and_numbers_in_quotes_are_not() {
    let row = read(r#"{"id":"C56A4180-65AA-42EC-A945-5FD21DEC0538"}"#)
        .remove(0)
        .unwrap();
    assert_eq!(row.id.to_string(), "c56a4180-65aa-42ec-a945-5fd21dec0538");
    for bad in ["-1", "1.5", "18446744073709551616", "[]"] {
        let message = message(&format!(r#"{{"id":{bad}}}"#));
        assert!(
            message.starts_with("rows.jsonl:1: id: ") && message.contains("ids are whole numbers from 0"),
            "{message}"
        );
    }
    let message = message(r#"{"id":"7"}"#);
    assert!(
        message.starts_with(r#"rows.jsonl:1: id: "7" is not an id"#),
        "{message}"
    );
}

#[test]
fn rows_are_numbered_by_their_place_among_rows_bad_ones_included() {
    let rows = read("\u{feff}{}\r\n\n  \n{bad\n{}");
    assert_eq!(rows.len(), 3);
    assert_eq!(rows[0].as_ref().unwrap().id, PointId::Num(0));
    let error = rows[1].as_ref().unwrap_err();
    assert!(
        error.is_skippable() && error.to_string().starts_with("rows.jsonl:4: "),
        "{error}"
    );
    let last = rows[2].as_ref().unwrap();
    assert_eq!(
        (last.id, last.place.to_string()),
        (PointId::Num(2), "rows.jsonl:5".to_owned())
    );
}

#[test]
fn ids_and_numbering_do_not_mix() {
    let rows = read("{\"id\":1}\n{}\n{\"id\":2}");
    assert!(
        rows[1]
            .as_ref()
            .unwrap_err()
            .to_string()
            .contains("the row has no id and the rows before it have one")
    );
    assert!(rows[2].is_ok());
    let rows = read("{}\n{\"id\":0}");
    assert!(
        rows[1]
            .as_ref()
            .unwrap_err()
            .to_string()
            .starts_with("rows.jsonl:2: id: the row has an id and")
    );
}

#[test]
fn errors_name_the_line_and_the_field() {
    let cases = [
        (
            r#"{"vector":[1,"x"]}"#,
            "rows.jsonl:1: vector[1]: invalid type: string \"x\", expected f32",
        ),
        (r#"{"vector":[[[1]]]}"#, "vector[0][0]: invalid type: sequence"),
        (r#"{"vector":"[1]"}"#, "vector: invalid type: string"),
        (
            r#"{"vector":{"a":[1],"a":[2]}}"#,
            "vector.a: the name is used twice",
        ),
        (r#"{"vector":{"a":[1,null]}}"#, "vector.a[1]: invalid type: null"),
        (
            r#"{"vector":{"a":3}}"#,
            "vector.a: invalid type: integer `3`, expected an array of numbers",
        ),
        (
            r#"{"payload":[1]}"#,
            "payload: invalid type: sequence, expected a map",
        ),
        (r#"{"id":1,"id":2}"#, "id: the key is given twice"),
        (
            r#"{"title":"x"}"#,
            "title: unknown key: a row has id, vector and payload",
        ),
        (
            "[1,2]",
            "invalid type: sequence, expected an object with the keys id, vector and payload",
        ),
        ("{} {}", "trailing characters (byte 4 of the line)"),
        (r#"{"vector":[1,"#, "this line is not JSON: EOF while parsing"),
        (
            "hello",
            "this line is not JSON: expected value (byte 1 of the line); \
             each line must be an object with id, vector and payload",
        ),
        (
            r#"{"vector":[1,NaN]}"#,
            "vector[1]: NaN is not a finite 32-bit number",
        ),
        (r#"{"vector":[NaN]}"#, "vector[0]: NaN is not"),
        (r#"{"vector":[1, -Infinity]}"#, "vector[1]: -Infinity is not"),
        (r#"{"vector":[Infinity,1]}"#, "vector[0]: Infinity is not"),
        (r#"{"vector":[1,1e39]}"#, "vector[1]: number out of range"),
        (r#"{"vector":{"a":[1e39]}}"#, "vector.a[0]: number out of range"),
        (r#"{"vector":[1e999]}"#, "vector[0]: number out of range"),
        (
            "{\"payload\":{\"a\":\"\u{1}\"}}",
            "payload: this line is not JSON: control character",
        ),
    ];
    for (line, expected) in cases {
        let message = message(line);
        assert!(
            message.starts_with("rows.jsonl:1: ") && message.contains(expected),
            "{line}: {message}"
        );
        assert!(!message.contains("at line 1"), "{message}");
    }
    let invalid = read(b"{\"payload\":{\"a\":\"\xff\"}}".to_vec())
        .remove(0)
        .unwrap_err();
    assert!(
        invalid
            .to_string()
            .contains("payload: this line is not JSON: invalid unicode"),
        "{invalid}"
    );
}

#[test]
fn a_vector_longer_than_any_database_takes_is_cut_off_early() {
    let line = format!("{{\"vector\":[{}0]}}", "0,".repeat(crate::MAX_DIM));
    assert!(message(&line).contains("vector: a vector has at most 65536 numbers"));
}

#[test]
fn a_line_over_the_limit_costs_that_line_only() {
    let options = ReadOptions {
        max_row_bytes: 10,
        ..ReadOptions::default()
    };
    let text = format!(
        "{{}}\n{{{}}}\n{{       }}\n{{        }}\r\n{{}}",
        " ".repeat(1_000_000)
    );
    let rows = read_as(text, &options);
    let good: Vec<bool> = rows.iter().map(Result::is_ok).collect();
    assert_eq!(good, [true, false, true, true, true]);
    let error = rows[1].as_ref().unwrap_err();
    assert_eq!(
        error.to_string(),
        "rows.jsonl:2: the row is longer than 10 bytes, the most that is read (--max-row-bytes); raise it if the row is \
         meant to be so long"
    );
    assert!(error.is_skippable());
}

#[test]
fn nesting_without_end_is_an_error() {
    let deep = format!("{{\"payload\":{{\"a\":{}", "[".repeat(100_000));
    assert!(message(&deep).contains("recursion limit exceeded"));
}

/// Lines of others, with these columns.
fn of_others(text: &str, columns: ColumnOptions) -> Vec<Result<Row, RowError>> {
    let options = ReadOptions {
        columns,
        ..ReadOptions::default()
    };
    read_as(text, &options)
}

fn named(id: Option<&str>, vectors: &[&str]) -> ColumnOptions {
    ColumnOptions {
        id: id.map(str::to_owned),
        vectors: vectors.iter().map(ToString::to_string).collect(),
        ..ColumnOptions::default()
    }
}

fn without(key: &str, columns: ColumnOptions) -> ColumnOptions {
    ColumnOptions {
        leave_out: vec![key.to_owned()],
        ..columns
    }
}

#[test]
fn of_lines_of_others_the_caller_says_which_key_is_what() {
    let line = r#"{"_id": "12", "values": [1, 2.5], "metadata": {"a": [1, {"b": null}]}, "text": "é"}"#;
    let row = of_others(line, named(Some("_id"), &["values"]))
        .remove(0)
        .unwrap();
    assert_eq!((row.id, row.numbered), (PointId::Num(12), false));
    assert_eq!(row.vectors, Vectors::from([1.0, 2.5]));
    let payload = json!({"metadata": {"a": [1, {"b": null}]}, "text": "é"});
    assert_eq!(row.payload.map(Value::Object), Some(payload));

    // Several vectors have the names of their keys, and a sparse one always has.
    let line = r#"{"id": 1, "a": [1], "b": {"indices": [3], "values": [0.5]}, "c": [[1], [2]]}"#;
    let row = of_others(line, named(None, &["a", "b"])).remove(0).unwrap();
    let expected = Vectors::default()
        .with("a", [1.0])
        .with("b", SparseVector::new([3], [0.5]));
    assert_eq!(row.vectors, expected);
    assert_eq!(row.payload.map(Value::Object), Some(json!({"c": [[1], [2]]})));
    let row = of_others(line, named(None, &["b"])).remove(0).unwrap();
    assert_eq!(
        row.vectors,
        Vectors::default().with("b", SparseVector::new([3], [0.5]))
    );

    let line = r#"{"id": "post 7", "vector": [1], "x": 2, "y": 3}"#;
    let columns = ColumnOptions {
        number_rows: true,
        has_vectors: false,
        leave_out: vec!["y".to_owned()],
        ..ColumnOptions::default()
    };
    let row = of_others(line, columns).remove(0).unwrap();
    assert_eq!((row.id, row.numbered), (PointId::Num(0), true));
    assert_eq!(row.vectors, Vectors::default());
    let payload = json!({"id": "post 7", "vector": [1], "x": 2});
    assert_eq!(row.payload.map(Value::Object), Some(payload));
}

#[test]
fn where_texts_become_ids_a_line_has_one_and_the_same_in_every_layout() {
    let texts = ReadOptions {
        text_ids: Some("key".to_owned()),
        ..ReadOptions::default()
    };
    let of_others = ReadOptions {
        columns: named(None, &["vector"]),
        ..texts.clone()
    };
    for options in [&texts, &of_others] {
        let row = read_as(r#"{"id": "7", "vector": [1]}"#, options)
            .remove(0)
            .unwrap();
        assert_eq!((row.id, row.payload), (PointId::Num(7), None));
        for (line, expected) in [
            (
                r#"{"id": "", "vector": [1]}"#,
                "rows.jsonl:1: id: \"\" is not an id, and --text-ids",
            ),
            (
                r#"{"id": null, "vector": [1]}"#,
                "rows.jsonl:1: id: nothing is not an id",
            ),
            (
                r#"{"vector": [1]}"#,
                "rows.jsonl:1: id: nothing is not an id, which --text-ids makes of a text: --id-column",
            ),
        ] {
            let message = read_as(line, options).remove(0).unwrap_err().to_string();
            assert!(message.starts_with(expected), "{message}");
        }
    }
}

#[test]
fn texts_are_vectors_and_become_ids_where_the_caller_says_so() {
    let options = ReadOptions {
        text_ids: Some("key".to_owned()),
        columns: named(None, &["emb"]),
        ..ReadOptions::default()
    };
    let lines = "{\"id\": \"post 7\", \"emb\": \"[0.5 1. 2e0]\", \"x\": 1}\n{\"id\": \"8\", \"emb\": \"[1, 2]\"}\n{\"id\": 9, \"emb\": \"\"}\n";
    let input = Input::from_bytes("rows.jsonl", lines.into());
    let rows: Vec<Row> = JsonLinesRows::new(input, &options)
        .unwrap()
        .map(Result::unwrap)
        .collect();
    assert_eq!(rows[0].id, id::of_text("post 7"));
    assert_eq!(rows[0].vectors.dense(""), Some(&[0.5, 1.0, 2.0][..]));
    assert_eq!(
        rows[0].payload.clone().map(Value::Object),
        Some(json!({"x": 1, "key": "post 7"}))
    );
    assert_eq!(
        (rows[1].id, rows[1].vectors.dense("")),
        (PointId::Num(8), Some(&[1.0, 2.0][..]))
    );
    assert!(rows[2].vectors.0.is_empty());
    // Lines of ours as well, whose vectors stay arrays.
    let options = ReadOptions {
        columns: ColumnOptions::default(),
        ..options
    };
    let line = r#"{"id": "post 7", "vector": [1], "payload": {"x": 1}}"#;
    let input = Input::from_bytes("rows.jsonl", line.into());
    let row = JsonLinesRows::new(input, &options)
        .unwrap()
        .next()
        .unwrap()
        .unwrap();
    assert_eq!(row.id, rows[0].id);
    assert_eq!(row.payload, rows[0].payload);
}

#[test]
fn what_is_wrong_with_lines_of_others_is_told_by_their_keys() {
    for (line, columns, expected) in [
        (
            r#"{"id": 1, "emb": [1]}"#,
            named(None, &["embedding"]),
            r#"rows.jsonl:1: there is no column "embedding"; the columns are "emb""#,
        ),
        (
            r#"{"id": 1, "emb": [1, "x"]}"#,
            named(None, &["emb"]),
            "rows.jsonl:1: emb[1]: ",
        ),
        (
            r#"{"id": 1, "emb": "[1, x]"}"#,
            named(None, &["emb"]),
            "rows.jsonl:1: emb[1]: expected value (byte ",
        ),
        (
            r#"{"id": 1, "emb": true}"#,
            named(None, &["emb"]),
            "rows.jsonl:1: emb: ",
        ),
        (
            r#"{"id": "post 7", "emb": [1]}"#,
            named(None, &["emb"]),
            r#"rows.jsonl:1: id: "post 7" is not an id"#,
        ),
        (
            r#"{"id": 1, "emb": [1], "n": {"m": 36893488147419103232}}"#,
            named(None, &["emb"]),
            "rows.jsonl:1: n.m: 36893488147419103232",
        ),
        (
            r#"{"id": 1, "emb": [1], "n": 1, "n": 2}"#,
            named(None, &["emb"]),
            "rows.jsonl:1: n: the key is given twice",
        ),
        ("[1, 2]", named(None, &["emb"]), "rows.jsonl:1: "),
        (
            r#"{"id": 1, "emb": [1], "text": "a"}"#,
            without("txet", named(None, &["emb"])),
            r#"rows.jsonl:1: there is no column "txet"; the columns are "text""#,
        ),
    ] {
        let error = of_others(line, columns).remove(0).unwrap_err().to_string();
        assert!(error.contains(expected), "{expected:?} is not in {error}");
    }
    // What the first line has, later ones may lack.
    let lines = "{\"id\": 1, \"emb\": null}\n{\"id\": 2}\n{\"id\": 3, \"emb\": [1]}\n";
    let rows = of_others(lines, named(None, &["emb"]));
    let vectors: Vec<usize> = rows.into_iter().map(|row| row.unwrap().vectors.0.len()).collect();
    assert_eq!(vectors, [0, 0, 1]);
    let options = ReadOptions {
        vector_name: "title".to_owned(),
        columns: named(None, &["a", "b"]),
        ..ReadOptions::default()
    };
    let several = JsonLinesRows::new(Input::from_bytes("rows.jsonl", Vec::new()), &options);
    assert!(several.unwrap_err().to_string().contains("--using"));
}

#[test]
fn a_key_is_not_read_and_left_out() {
    for (key, columns) in [
        ("emb", named(None, &["emb"])),
        ("x", named(Some("x"), &["a", "b"])),
        ("b", named(Some("x"), &["a", "b"])),
    ] {
        let options = ReadOptions {
            columns: without(key, columns),
            ..ReadOptions::default()
        };
        let both = JsonLinesRows::new(Input::from_bytes("rows.jsonl", Vec::new()), &options);
        let error = both.unwrap_err().to_string();
        assert!(
            error.contains(&format!("{key:?}")) && error.contains("--leave-out"),
            "{error}"
        );
    }
}

proptest! {
    #[test]
    fn what_serde_json_writes_is_read_back(
        ids in prop::collection::vec(any::<u64>(), 1..20),
        vector in prop::collection::vec(-1e30_f32..1e30, 0..20),
        text in any::<String>(),
    ) {
        let lines: Vec<String> = ids
            .iter()
            .map(|id| json!({"payload": {"t": text}, "vector": vector, "id": id}).to_string())
            .collect();
        let rows: Vec<Row> = read(lines.join("\n")).into_iter().map(Result::unwrap).collect();
        prop_assert_eq!(rows.len(), ids.len());
        for (row, id) in rows.iter().zip(ids) {
            prop_assert_eq!(row.id, PointId::Num(id));
            prop_assert_eq!(row.vectors.dense(""), Some(vector.as_slice()));
            prop_assert_eq!(row.payload.as_ref().and_then(|payload| payload["t"].as_str()), Some(text.as_str()));
        }
    }
}
