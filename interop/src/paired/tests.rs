use super::*;
use crate::vecs::VecsRows;

/// Vectors [0], [1], ... of one byte each, beside the given payload file.
fn read(vectors: u8, payload: &str) -> Vec<Result<Row, RowError>> {
    let file: Vec<u8> = (0..vectors).flat_map(|number| [1, 0, 0, 0, number]).collect();
    let options = ReadOptions::default();
    let vectors = Box::new(VecsRows::bvecs(Input::from_bytes("v.bvecs", file), &options).unwrap());
    let payload = Input::from_bytes("p.jsonl", payload.as_bytes().to_vec());
    PairedRows::new(vectors, "v.bvecs", payload, &options).collect()
}

#[test]
fn line_i_is_the_payload_of_row_i() {
    let rows: Vec<Row> = read(3, "{\"w\":\"a\"}\nnull\n{}\n\n")
        .into_iter()
        .map(Result::unwrap)
        .collect();
    assert_eq!(
        rows[0].payload.as_ref().map(|payload| payload["w"] == "a"),
        Some(true)
    );
    assert_eq!(
        (&rows[1].payload, rows[2].payload.as_ref().map(Map::len)),
        (&None, Some(0))
    );
    assert_eq!(
        (rows[2].id.to_string(), rows[2].vectors.dense("").unwrap()[0]),
        ("2".to_owned(), 2.0)
    );
}

#[test]
fn a_bad_payload_costs_its_row_only() {
    let rows = read(4, "{\"w\":1}\n[1]\n\n{\"w\":4}");
    let errors: Vec<String> = rows
        .iter()
        .filter_map(|row| row.as_ref().err().map(ToString::to_string))
        .collect();
    assert!(
        errors[0].starts_with("p.jsonl:2: invalid type: sequence"),
        "{errors:?}"
    );
    assert!(
        errors[1].starts_with("p.jsonl:3: a blank line is not a payload"),
        "{errors:?}"
    );
    assert_eq!(rows[3].as_ref().unwrap().id.to_string(), "3");
}

#[test]
fn a_bad_vector_takes_its_payload_with_it() {
    let file: Vec<u8> = [f32::NAN, 1.0]
        .iter()
        .flat_map(|x| [1_i32.to_le_bytes(), x.to_le_bytes()].concat())
        .collect();
    let options = ReadOptions::default();
    let vectors = Box::new(VecsRows::fvecs(Input::from_bytes("v.fvecs", file), &options).unwrap());
    let payload = Input::from_bytes("p.jsonl", b"{\"w\":0}\n{\"w\":1}\n".to_vec());
    let rows: Vec<_> = PairedRows::new(vectors, "v.fvecs", payload, &options).collect();
    assert!(rows[0].as_ref().is_err_and(RowError::is_skippable));
    assert_eq!(rows[1].as_ref().unwrap().payload.as_ref().unwrap()["w"], 1);
    assert_eq!(rows.len(), 2);
}

#[test]
fn files_of_different_lengths_are_told_apart() {
    let last = |vectors, payload: &str| read(vectors, payload).pop().unwrap().unwrap_err();
    let short = last(3, "{}\n{}\n");
    assert_eq!(
        short.to_string(),
        "p.jsonl: holds 2 rows of payload for the 3 vectors of v.bvecs; row i of one belongs to row i of the other"
    );
    let long = last(1, "{}\n{}\n");
    assert!(
        long.to_string()
            .contains("holds more than 1 rows of payload for the 1 vectors of v.bvecs"),
        "{long}"
    );
    assert!(!short.is_skippable() && !long.is_skippable());
}

/// A source of no rows that says what its collection is like.
struct Said(Vec<String>);

impl Iterator for Said {
    type Item = Result<Row, RowError>;

    fn next(&mut self) -> Option<Self::Item> {
        None
    }
}

impl RowSource for Said {
    fn progress(&self) -> Progress {
        Progress::default()
    }

    fn config(&self) -> Option<CollectionConfig> {
        Some(CollectionConfig::new(vdb::VectorParams::new(
            2,
            vdb::Distance::Euclid,
        )))
    }

    fn notes(&self) -> &[String] {
        &self.0
    }
}

#[test]
fn what_the_file_of_vectors_says_of_its_collection_counts() {
    let said = Box::new(Said(vec!["rounded".to_owned()]));
    let config = said.config();
    let payload = Input::from_bytes("p.jsonl", Vec::new());
    let rows = PairedRows::new(said, "v.hdf5", payload, &ReadOptions::default());
    assert_eq!(
        (rows.config(), rows.notes()),
        (config, &["rounded".to_owned()][..])
    );
}
