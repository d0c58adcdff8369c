use super::*;

fn fvecs(rows: &[&[f32]]) -> Vec<u8> {
    let mut file = Vec::new();
    for row in rows {
        file.extend(i32::try_from(row.len()).unwrap().to_le_bytes());
        file.extend(row.iter().flat_map(|number| number.to_le_bytes()));
    }
    file
}

fn open(file: Vec<u8>) -> Result<VecsRows, RowError> {
    VecsRows::fvecs(Input::from_bytes("a.fvecs", file), &ReadOptions::default())
}

#[test]
fn rows_come_back_with_their_numbers() {
    let rows: Vec<_> = open(fvecs(&[&[1.0, 2.0], &[3.0, 4.0]]))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    assert_eq!(
        rows.iter()
            .map(|row| row.vectors.dense("").unwrap().to_vec())
            .collect::<Vec<_>>(),
        [[1.0, 2.0], [3.0, 4.0]]
    );
    assert_eq!(rows[1].id.to_string(), "1");
    assert_eq!(rows[1].place.to_string(), "a.fvecs, row 1");
}

#[test]
fn bytes_are_widened() {
    let file = [&2_i32.to_le_bytes()[..], &[0, 255], &2_i32.to_le_bytes(), &[1, 2]].concat();
    let rows = VecsRows::bvecs(Input::from_bytes("a.bvecs", file), &ReadOptions::default()).unwrap();
    assert_eq!((rows.dim_hint(), rows.progress().total_rows), (Some(2), Some(2)));
    let vectors: Vec<_> = rows
        .map(|row| row.unwrap().vectors.dense("").unwrap().to_vec())
        .collect();
    assert_eq!(vectors, [[0.0, 255.0], [1.0, 2.0]]);
}

#[test]
fn an_empty_file_has_no_rows() {
    let rows = open(Vec::new()).unwrap();
    assert_eq!((rows.dim_hint(), rows.progress().total_rows), (None, Some(0)));
    assert_eq!(rows.count(), 0);
}

#[test]
fn a_bad_number_costs_its_row_only() {
    let rows: Vec<_> = open(fvecs(&[&[1.0, f32::INFINITY], &[3.0, 4.0]]))
        .unwrap()
        .collect();
    assert!(
        rows[0]
            .as_ref()
            .unwrap_err()
            .to_string()
            .starts_with("a.fvecs, row 0: vector[1]: inf is not")
    );
    assert!(rows[1].is_ok());
}

#[test]
fn a_dimension_that_changes_ends_the_file() {
    // One row of 2 and one of 5 have together the length of three rows of 2.
    let rows: Vec<_> = open(fvecs(&[&[1.0, 2.0], &[0.0; 5]])).unwrap().collect();
    assert_eq!(rows.len(), 2);
    let error = rows[1].as_ref().unwrap_err();
    assert!(
        error.to_string().contains("dimension 5 after 2") && !error.is_skippable(),
        "{error}"
    );
}

#[test]
fn a_dimension_that_changes_is_not_called_a_file_cut_short() {
    let error = open(fvecs(&[&[1.0, 2.0], &[3.0, 4.0], &[0.0; 3], &[1.0, 2.0]])).unwrap_err();
    let message = error.to_string();
    assert!(
        message.starts_with("a.fvecs, row 2: ") && message.contains("dimension 3 after 2"),
        "{message}"
    );
}

#[test]
fn files_of_another_kind_or_length_are_refused() {
    let refusal = |file| open(file).unwrap_err().to_string();
    assert!(refusal(b"\x93NUMPY and so on".to_vec()).contains("is this an .fvecs"));
    assert!(refusal(0_i32.to_le_bytes().to_vec()).contains("dimension 0"));
    assert!(refusal(vec![1, 0]).contains("expected 4 bytes, found 2"));
    let mut cut = fvecs(&[&[1.0, 2.0], &[3.0, 4.0]]);
    cut.pop();
    assert!(refusal(cut.clone()).contains("expected 24 bytes, found 23"));
    let pipe = Input::from_reader("pipe", std::io::Cursor::new(cut));
    let rows: Vec<_> = VecsRows::fvecs(pipe, &ReadOptions::default()).unwrap().collect();
    assert!(
        rows[1]
            .as_ref()
            .unwrap_err()
            .to_string()
            .contains("expected 24 bytes, found 23")
    );
}
