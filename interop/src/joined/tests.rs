use crate::export::NpyWriter;
use crate::joined::JoinedRows;
use crate::json_lines::JsonLinesRows;
use crate::row::Row;
use crate::{Format, Input, ReadOptions, RowError, open_with_rows, read};

fn joined(rows: u64, lines: &str) -> Vec<Result<Row, RowError>> {
    let mut matrix = NpyWriter::new(Vec::new(), rows, 2).unwrap();
    for row in 0..rows {
        matrix.row(&[row as f32, 0.5]).unwrap();
    }
    let input = Input::from_bytes("v.npy", matrix.finish().unwrap());
    let options = ReadOptions::default();
    let vectors = read(input, Format::Npy, &options).unwrap();
    let points = JsonLinesRows::new(Input::from_bytes("rows.jsonl", lines.into()), &options).unwrap();
    JoinedRows::new(vectors, "v.npy", points).collect()
}

fn last_error(rows: u64, lines: &str) -> String {
    joined(rows, lines).pop().unwrap().unwrap_err().to_string()
}

#[test]
fn each_row_has_the_id_and_the_payload_of_its_line() {
    let uuid = "6f1b8f86-58a0-4c3a-9d7e-0a1b2c3d4e5f";
    let lines = format!("{{\"id\": 7, \"payload\": {{\"a\": 1}}}}\n{{\"id\": \"{uuid}\"}}\n");
    let rows: Vec<Row> = joined(2, &lines).into_iter().map(Result::unwrap).collect();
    assert_eq!(
        rows.iter().map(|row| row.id.to_string()).collect::<Vec<_>>(),
        ["7", uuid]
    );
    assert_eq!(rows[1].vectors.dense("").unwrap(), [1.0, 0.5]);
    assert_eq!(rows[0].payload.as_ref().unwrap()["a"], 1);
    assert!(rows.iter().all(|row| !row.numbered));
}

#[test]
fn files_that_do_not_belong_together_are_told() {
    assert!(last_error(2, "{\"id\": 1}\n").contains("holds 1 rows of payload for the 2 vectors of v.npy"));
    assert!(last_error(1, "{\"id\": 1}\n{\"id\": 2}\n").contains("more than 1"));
    assert!(last_error(1, "{\"id\": 1, \"vector\": [1, 2]}\n").contains("rows.jsonl:1: vector"));
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("rows.jsonl");
    std::fs::write(&file, "{\"id\": 1}\n").unwrap();
    let error = open_with_rows(&file, &file, &ReadOptions::default())
        .err()
        .unwrap();
    assert!(error.to_string().contains("carry their own"), "{error}");
}
