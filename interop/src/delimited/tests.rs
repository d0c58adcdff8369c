use proptest::prelude::*;
use serde_json::json;

use vdb_storage::PointId;

use super::*;
use crate::options::{ColumnOptions, CsvOptions};

fn open(text: impl Into<Vec<u8>>, options: &ReadOptions) -> Result<CsvRows, RowError> {
    CsvRows::new(Input::from_bytes("rows.csv", text.into()), options)
}

fn read(text: impl Into<Vec<u8>>) -> Vec<Result<Row, RowError>> {
    open(text, &ReadOptions::default()).unwrap().collect()
}

fn refusal(text: &str) -> String {
    open(text, &ReadOptions::default()).unwrap_err().to_string()
}

#[test]
fn a_vector_is_one_json_cell_or_one_number_a_column() {
    for text in ["id,vector,w\n7,\"[1, 2.5]\",owl\n", "w,v1,id,v0\nowl,2.5,7,1\n"] {
        let row = read(text).remove(0).unwrap();
        assert_eq!(row.id, PointId::Num(7));
        assert_eq!(row.vectors, Vectors::from([1.0, 2.5]));
        assert_eq!(row.payload.map(Value::Object), Some(json!({"w": "owl"})));
    }
    assert_eq!(
        open("v0,v1\n", &ReadOptions::default()).unwrap().dim_hint(),
        Some(2)
    );
}

#[test]
fn cells_become_the_values_that_they_look_like() {
    let text = "v0,n,big,neg,x,zip,plus,t,f,list,object,broken,empty,text\n\
                0,2,18446744073709551615,-3,2.0,007,+1,true,false,\"[1,\"\"a\"\"]\",\"{\"\"k\"\":1}\",[1,,\"a \"\"b\"\", c\"\n";
    let payload = read(text).remove(0).unwrap().payload.unwrap();
    assert_eq!(
        Value::Object(payload),
        json!({
            "n": 2, "big": u64::MAX, "neg": -3, "x": 2.0, "zip": "007", "plus": "+1", "t": true, "f": false,
            "list": [1, "a"], "object": {"k": 1}, "broken": "[1", "text": "a \"b\", c"
        })
    );
}

#[test]
fn untyped_cells_stay_text() {
    let csv = CsvOptions {
        typed: false,
        ..CsvOptions::default()
    };
    let options = ReadOptions {
        csv,
        ..ReadOptions::default()
    };
    let row = open("v0,n,e\n1,2,\n", &options).unwrap().next().unwrap().unwrap();
    assert_eq!(row.payload.map(Value::Object), Some(json!({"n": "2", "e": ""})));
}

#[test]
fn columns_and_delimiter_can_be_named() {
    let csv = CsvOptions {
        delimiter: b';',
        id_column: Some("key".to_owned()),
        vector_prefix: Some("dim_".to_owned()),
        ..CsvOptions::default()
    };
    let options = ReadOptions {
        csv,
        vector_name: "text".to_owned(),
        ..ReadOptions::default()
    };
    let row = open("key;dim_0;dim_1;id;v0\n1;2;3;4;5\n", &options)
        .unwrap()
        .next()
        .unwrap()
        .unwrap();
    assert_eq!(
        (row.id, row.vectors.dense("text")),
        (PointId::Num(1), Some(&[2.0, 3.0][..]))
    );
    assert_eq!(row.payload.map(Value::Object), Some(json!({"id": 4, "v0": 5})));
}

#[test]
fn a_column_that_is_named_must_be_there() {
    let named = |csv: CsvOptions| {
        let options = ReadOptions {
            csv,
            ..ReadOptions::default()
        };
        open("id,v0,v1,w\n", &options).unwrap_err().to_string()
    };
    let name = || Some("doc".to_owned());
    let id = named(CsvOptions {
        id_column: name(),
        ..CsvOptions::default()
    });
    assert_eq!(
        id,
        "rows.csv:1: there is no column \"doc\"; the columns are \"id\", \"v0\", \"v1\", \"w\""
    );
    let vector = named(CsvOptions {
        vector_column: name(),
        ..CsvOptions::default()
    });
    assert!(vector.contains("no column \"doc\""), "{vector}");
    let prefix = named(CsvOptions {
        vector_prefix: name(),
        ..CsvOptions::default()
    });
    assert!(prefix.contains("no column \"doc0\""), "{prefix}");
}

#[test]
fn a_column_that_may_hold_the_ids_is_not_left_to_chance() {
    let message = refusal("ID,v0\n7,1\n");
    assert!(
        message.starts_with("rows.csv:1: ") && message.contains("--id-column ID"),
        "{message}"
    );
    let row = read("Id,id,v0\n7,8,1\n").remove(0).unwrap();
    assert_eq!((row.id, row.numbered), (PointId::Num(8), false));
    assert!(read("v0\n1\n").remove(0).unwrap().numbered);
}

#[test]
fn a_file_without_vectors_must_be_meant() {
    let message = refusal("id;v0;v1\n1;2;3\n");
    assert!(
        message.starts_with("rows.csv:1: no vector column; the columns are \"id;v0;v1\"")
            && message.contains("--delimiter"),
        "{message}"
    );
}

#[test]
fn quotes_that_end_wrongly_make_a_bad_row() {
    let rows = read("id,v0,w\n1,2,ok\n2,1,\"oops\n3,4,x\n");
    assert_eq!(rows.len(), 2);
    let error = rows[1].as_ref().unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("rows.csv:3: the file ends inside the quote opened on line 3")
            && !error.is_skippable(),
        "{error}"
    );

    let rows = read("id,v0,w\n1,2,\"a\"b\n2,1,\"fine \"\"so\"\"\"\n3,1,5\" pipe\n");
    let error = rows[0].as_ref().unwrap_err();
    assert!(
        error.to_string().contains("rows.csv:2: text follows after") && error.is_skippable(),
        "{error}"
    );
    let text = |row: usize| rows[row].as_ref().unwrap().payload.clone().unwrap()["w"].clone();
    assert_eq!((text(1), text(2)), (json!("fine \"so\""), json!("5\" pipe")));

    // The cell has swallowed a row: nothing after it can be trusted.
    let rows = read("id,v0,w\n1,2,\"oops\n2,1,\"b\"\n3,1,c\n");
    let error = rows[0].as_ref().unwrap_err();
    assert!(
        error.to_string().contains("opened on line 2") && !error.is_skippable(),
        "{error}"
    );
    assert_eq!(rows.len(), 1);
}

#[test]
fn a_byte_order_mark_is_no_part_of_a_quoted_cell() {
    let row = read(b"\xef\xbb\xbf\"id\",v0\n\"7\",1\n".to_vec())
        .remove(0)
        .unwrap();
    assert_eq!(row.id, PointId::Num(7));
}

#[test]
fn errors_name_the_line_and_the_column() {
    let rows = read(
        "id,v0,v1,w\n1,2,3,\"two\nlines\"\n2,x,3,w\nowl,1,2,w\n3,1,inf,w\n4,1,2\n5,1,1e39,w\n,1,2,w\n6,1,2,w\n",
    );
    let messages: Vec<String> = rows
        .iter()
        .filter_map(|row| row.as_ref().err().map(ToString::to_string))
        .collect();
    let expected = [
        "rows.csv:4: v0: \"x\" is not a number",
        "rows.csv:5: id: \"owl\" is not an id",
        "rows.csv:6: v1: inf is not a finite",
        "rows.csv:7: the row has 3 cells and the header 4 columns",
        "rows.csv:8: v1: 1e39 is not a finite",
        "rows.csv:9: id: the row has no id and the rows before it have one",
    ];
    assert_eq!(messages.len(), expected.len(), "{messages:?}");
    for (message, expected) in messages.iter().zip(expected) {
        assert!(message.starts_with(expected), "{message}");
    }
    assert!(
        rows.iter()
            .flat_map(|row| row.as_ref().err())
            .all(RowError::is_skippable)
    );
    assert_eq!(rows.last().unwrap().as_ref().unwrap().id, PointId::Num(6));
}

#[test]
fn errors_inside_a_json_vector_name_the_number() {
    let rows = read("vector\n\"[1,null]\"\n\"[1,NaN]\"\n\"[1e39]\"\n7\n\"\"\n");
    let message = |row: usize| rows[row].as_ref().unwrap_err().to_string();
    assert!(
        message(0).starts_with("rows.csv:2: vector[1]: invalid type: null"),
        "{}",
        message(0)
    );
    assert!(
        message(1).starts_with("rows.csv:3: vector[1]: NaN is not"),
        "{}",
        message(1)
    );
    assert!(
        message(2).starts_with("rows.csv:4: vector[0]: number out of range"),
        "{}",
        message(2)
    );
    assert!(
        message(3).starts_with("rows.csv:5: vector: invalid type: integer"),
        "{}",
        message(3)
    );
    assert!(rows[4].as_ref().unwrap().vectors.0.is_empty());
}

#[test]
fn vectors_are_also_text_of_other_programs() {
    let rows = read("vector\n[0.5 1.]\n\"{0.5,1}\"\n\"0.5, 1\"\n[0.5 x]\n");
    for row in &rows[..3] {
        assert_eq!(row.as_ref().unwrap().vectors.dense(""), Some(&[0.5, 1.0][..]));
    }
    let message = rows[3].as_ref().unwrap_err().to_string();
    assert!(
        message.starts_with("rows.csv:5: vector[1]: \"x\" is not a number"),
        "{message}"
    );
}

#[test]
fn columns_are_left_out_and_rows_numbered_where_the_caller_says_so() {
    let asked = |columns: ColumnOptions| ReadOptions {
        columns,
        ..ReadOptions::default()
    };
    let text = ",ID,id,v0,w\n0,a,b,1,c\n";
    let numbered = asked(ColumnOptions {
        number_rows: true,
        leave_out: vec![String::new(), "w".to_owned()],
        ..ColumnOptions::default()
    });
    let row = open(text, &numbered).unwrap().next().unwrap().unwrap();
    assert_eq!((row.id, row.numbered), (PointId::Num(0), true));
    assert_eq!(
        row.payload.map(Value::Object),
        Some(json!({"ID": "a", "id": "b"}))
    );
    for (leave_out, expected) in [
        (vec!["w"], "no name for column 1"),
        (vec!["", "x"], "no column \"x\""),
        (vec!["", "v0"], "no vector column"),
        (vec!["", "id"], "--id-column ID"),
    ] {
        let options = asked(ColumnOptions {
            leave_out: leave_out.into_iter().map(str::to_owned).collect(),
            ..ColumnOptions::default()
        });
        let message = open(text, &options).unwrap_err().to_string();
        assert!(message.contains(expected), "{message}");
    }
}

#[test]
fn columns_that_are_left_out_are_no_vectors() {
    for (text, left_out, expected) in [
        ("id,vector,v0\n1,[5],6\n", "v0", 5.0),
        ("id,vector,v0\n1,[5],6\n", "vector", 6.0),
        ("id,v0,v1\n1,5,6\n", "v1", 5.0),
        ("id,v0,v2\n1,5,6\n", "v2", 5.0),
    ] {
        let options = ReadOptions {
            columns: ColumnOptions {
                leave_out: vec![left_out.to_owned()],
                ..ColumnOptions::default()
            },
            ..ReadOptions::default()
        };
        let row = open(text, &options).unwrap().next().unwrap().unwrap();
        assert_eq!(
            (row.vectors.dense(""), row.payload),
            (Some(&[expected][..]), None),
            "{text} without {left_out}"
        );
    }
    // What the caller asks for is not left out as well.
    for csv in [
        CsvOptions {
            vector_prefix: Some("v".to_owned()),
            ..CsvOptions::default()
        },
        CsvOptions {
            vector_column: Some("v0".to_owned()),
            ..CsvOptions::default()
        },
    ] {
        let options = ReadOptions {
            csv,
            columns: ColumnOptions {
                leave_out: vec!["v0".to_owned()],
                ..ColumnOptions::default()
            },
            ..ReadOptions::default()
        };
        let message = open("id,v0\n1,2\n", &options).unwrap_err().to_string();
        assert!(message.contains("\"v0\" is to be read and"), "{message}");
    }
}

#[test]
fn where_texts_become_ids_every_row_has_one() {
    let options = ReadOptions {
        text_ids: Some("key".to_owned()),
        ..ReadOptions::default()
    };
    let messages = |text: &str| -> Vec<Option<String>> {
        let rows = open(text, &options).unwrap();
        rows.map(|row| row.err().map(|error| error.to_string())).collect()
    };
    let expected = "id: nothing is not an id, which --text-ids makes of a text: --id-column";
    for text in ["id,v0\na,1\n ,1\n7,1\n", "slug,v0\na,1\n"] {
        let found = messages(text);
        let bad: Vec<&String> = found.iter().flatten().collect();
        assert!(bad.len() == 1 && bad[0].contains(expected), "{found:?} of {text}");
    }
}

#[test]
fn bytes_that_are_no_utf8_cost_their_row_only() {
    let rows = read(b"\xef\xbb\xbfv0,w\n1,fine\n1,\xff\xfe\n1,fine\n".to_vec());
    assert_eq!(
        rows.iter().map(Result::is_ok).collect::<Vec<_>>(),
        [true, false, true]
    );
    assert!(
        rows[1]
            .as_ref()
            .unwrap_err()
            .to_string()
            .starts_with("rows.csv:3: w: ")
    );
    assert_eq!(rows[0].as_ref().unwrap().payload.as_ref().unwrap()["w"], "fine");
}

#[test]
fn headers_that_leave_doubt_are_refused() {
    let cases = [
        ("", "found nothing"),
        ("a,,b\n", "no name for column 2"),
        ("a,a\n", "the name \"a\" twice"),
        ("vector,v0\n", "both vector and v0"),
        ("v0,v1,v3\n", "the vector column v3 after a gap"),
    ];
    for (text, expected) in cases {
        let message = refusal(text);
        assert!(
            message.starts_with("rows.csv:1: ") && message.contains(expected),
            "{text}: {message}"
        );
    }
    // These look a little like vector columns and are none.
    let row = read("v0,v00,v,version\n1,2,3,4\n").remove(0).unwrap();
    assert_eq!(
        (row.vectors.dense("").unwrap().len(), row.payload.unwrap().len()),
        (1, 3)
    );
}

#[test]
fn a_quote_left_open_does_not_swallow_the_file() {
    let options = ReadOptions {
        max_row_bytes: 1000,
        ..ReadOptions::default()
    };
    let text = format!("v0,w\n1,fine\n1,\"open\n{}", "x\n".repeat(1_000_000));
    let rows: Vec<_> = open(text, &options).unwrap().collect();
    assert_eq!(rows.len(), 2);
    let error = rows[1].as_ref().unwrap_err();
    assert!(!error.is_skippable(), "{error}");
    assert_eq!(
        error.to_string(),
        "rows.csv:3: the row is longer than 1000 bytes, the most that is read (--max-row-bytes): is a quote left open? \
         raise it if not"
    );
    let short = format!("v0,w\n1,{}\n1,fine\n", "x".repeat(1001));
    let rows: Vec<_> = open(short, &options).unwrap().collect();
    assert!(rows[0].as_ref().is_err_and(RowError::is_skippable) && rows[1].is_ok());
}

proptest! {
    #[test]
    fn what_the_csv_crate_writes_is_read_back(cells in prop::collection::vec("[^\\x00]{0,12}", 1..30)) {
        let mut writer = csv::Writer::from_writer(Vec::new());
        writer.write_record(["id", "v0", "text"]).unwrap();
        for (id, cell) in cells.iter().enumerate() {
            writer.write_record([id.to_string().as_str(), "1", cell]).unwrap();
        }
        let csv = CsvOptions { typed: false, ..CsvOptions::default() };
        let options = ReadOptions { csv, ..ReadOptions::default() };
        let rows = open(writer.into_inner().unwrap(), &options).unwrap();
        let read: Vec<String> =
            rows.map(|row| row.unwrap().payload.unwrap()["text"].as_str().unwrap().to_owned()).collect();
        let trimmed: Vec<&str> = cells.iter().map(|cell| cell.trim()).collect();
        prop_assert_eq!(read, trimmed);
    }
}

#[test]
fn a_cell_with_an_integer_beyond_64_bits_stays_text() {
    let row = read("v0,wide,float\n1,\"{\"\"n\"\": [18446744073709551616]}\",[1e300]\n")
        .remove(0)
        .unwrap();
    assert_eq!(
        row.payload.map(Value::Object),
        Some(json!({"wide": "{\"n\": [18446744073709551616]}", "float": [1e300]}))
    );
}
