use proptest::prelude::*;

use super::*;

fn header(descr: &str, fortran: &str, shape: &str) -> String {
    format!("{{'descr': '{descr}', 'fortran_order': {fortran}, 'shape': {shape}, }}")
}

/// A file of the given version, padded as NumPy pads it.
fn npy(version: u8, header: &str, data: &[u8]) -> Vec<u8> {
    let prelude = if version == 1 { 10 } else { 12 };
    let padded = (prelude + header.len() + 1).next_multiple_of(64) - prelude - 1;
    let text = format!("{header:padded$}\n");
    let mut file = b"\x93NUMPY".to_vec();
    file.extend([version, 0]);
    match version {
        1 => file.extend(u16::try_from(text.len()).unwrap().to_le_bytes()),
        _ => file.extend(u32::try_from(text.len()).unwrap().to_le_bytes()),
    }
    file.extend(text.bytes());
    file.extend(data);
    file
}

fn f32s(numbers: &[f32]) -> Vec<u8> {
    numbers.iter().flat_map(|number| number.to_le_bytes()).collect()
}

fn open(file: Vec<u8>) -> Result<NpyRows, RowError> {
    NpyRows::new(Input::from_bytes("a.npy", file), &ReadOptions::default())
}

fn refusal(file: Vec<u8>) -> String {
    open(file).unwrap_err().to_string()
}

fn vectors(rows: impl Iterator<Item = Result<Row, RowError>>) -> Vec<Vec<f32>> {
    rows.map(|row| row.unwrap().vectors.dense("").unwrap().to_vec())
        .collect()
}

#[test]
fn each_version_and_each_type_yields_the_numbers_that_were_saved() {
    let halves: Vec<u8> = [0.5, -2.0]
        .iter()
        .flat_map(|&x| half::f16::from_f32(x).to_le_bytes())
        .collect();
    for version in 1..=3 {
        let file = npy(
            version,
            &header("<f4", "False", "(2, 2)"),
            &f32s(&[1.0, 2.0, 3.0, f32::MIN_POSITIVE]),
        );
        assert_eq!(
            vectors(open(file).unwrap()),
            [vec![1.0, 2.0], vec![3.0, f32::MIN_POSITIVE]]
        );
        let file = npy(version, &header("<f2", "False", "(1, 2)"), &halves);
        assert_eq!(vectors(open(file).unwrap()), [vec![0.5, -2.0]]);
        let file = npy(version, &header("|u1", "False", "(1L, 3L)"), &[0, 7, 255]);
        assert_eq!(vectors(open(file).unwrap()), [vec![0.0, 7.0, 255.0]]);
    }
}

#[test]
fn the_header_tells_the_shape_before_the_first_row() {
    let rows = open(npy(1, &header("<f2", "False", "(3, 4)"), &[0; 24])).unwrap();
    assert_eq!((rows.dim_hint(), rows.element()), (Some(4), Some(Element::F16)));
    let progress = rows.progress();
    assert_eq!((progress.rows, progress.total_rows), (0, Some(3)));
    assert!(progress.bytes < progress.total_bytes.unwrap());
}

#[test]
fn rows_are_numbered_from_the_first_id() {
    let options = ReadOptions {
        first_id: u64::MAX,
        vector_name: "image".to_owned(),
        ..ReadOptions::default()
    };
    let file = npy(1, &header("|u1", "False", "(3, 1)"), &[1, 2, 3]);
    let mut rows = NpyRows::new(Input::from_bytes("a.npy", file), &options).unwrap();
    let first = rows.next().unwrap().unwrap();
    assert_eq!(
        (first.id.to_string(), first.vectors.dense("image").unwrap()),
        (u64::MAX.to_string(), &[1.0][..])
    );
    let error = rows.next().unwrap().unwrap_err();
    assert!(matches!(error.problem, Problem::IdsExhausted), "{error}");
    assert!(rows.next().is_none());
}

#[test]
fn a_number_that_is_not_finite_costs_its_row_only() {
    let file = npy(
        1,
        &header("<f4", "False", "(3, 2)"),
        &f32s(&[1.0, 2.0, 3.0, f32::NAN, 5.0, 6.0]),
    );
    let rows: Vec<_> = open(file).unwrap().collect();
    let error = rows[1].as_ref().unwrap_err();
    assert_eq!(
        error.to_string(),
        "a.npy, row 1: vector[1]: NaN is not a finite 32-bit number; repair or drop the row"
    );
    assert!(error.is_skippable());
    assert_eq!(rows[2].as_ref().unwrap().id.to_string(), "2");
}

#[test]
fn sums_that_overflow_are_no_fault_of_their_numbers() {
    let file = npy(1, &header("<f4", "False", "(1, 2)"), &f32s(&[f32::MAX, f32::MAX]));
    assert_eq!(vectors(open(file).unwrap()), [vec![f32::MAX, f32::MAX]]);
}

#[test]
fn what_cannot_be_read_is_refused_with_the_way_out() {
    let cases = [
        (
            npy(1, &header("<f8", "False", "(1, 1)"), &[0; 8]),
            "save a.astype('float32')",
        ),
        (npy(1, &header(">f4", "False", "(1, 1)"), &[0; 4]), "big-endian"),
        (
            npy(1, &header("<f4", "True", "(1, 1)"), &[0; 4]),
            "numpy.ascontiguousarray",
        ),
        (
            npy(1, &header("<f4", "False", "(4,)"), &[0; 16]),
            "an array of 1 dimensions",
        ),
        (npy(1, &header("<f4", "False", "(4, 0)"), &[]), "vectors of 0"),
        (
            npy(1, &header("<f4", "False", "(1, 65537)"), &[]),
            "vectors of 65537",
        ),
        (
            npy(1, &header("<f4", "False", "(18446744073709551615, 2)"), &[]),
            "check the shape",
        ),
        (
            npy(
                1,
                "{'descr': [('x', '<f4', (2,))], 'fortran_order': False, 'shape': (1, 1)}",
                &[],
            ),
            "an array of records",
        ),
        (
            npy(1, "{'descr': '<f4', 'shape': (1, 1)}", &[]),
            "without 'descr'",
        ),
        (
            npy(1, "{'descr': '<f4', 'extra': True}", &[]),
            "header entry \"extra\"",
        ),
        (npy(1, "not a dictionary", &[]), "the header \"not a dictionary"),
        (npy(4, &header("<f4", "False", "(1, 1)"), &[0; 4]), "version 4"),
        (b"PK\x03\x04 a zip file".to_vec(), "starts with \"PK"),
        (b"\x93NUM".to_vec(), "expected 8 bytes, found 4"),
    ];
    for (file, expected) in cases {
        let message = refusal(file);
        assert!(
            message.starts_with("a.npy: ") && message.contains(expected),
            "{message}"
        );
    }
}

#[test]
fn a_length_that_differs_from_the_header_is_found_before_the_first_row() {
    let two_rows = header("<f4", "False", "(2, 2)");
    assert!(refusal(npy(1, &two_rows, &[0; 15])).contains("cut short: expected 144 bytes, found 143"));
    assert!(refusal(npy(1, &two_rows, &[0; 17])).contains("bytes after the last of its 2 rows"));
}

#[test]
fn a_pipe_is_found_short_or_long_where_it_ends() {
    let end = |data: usize| {
        let file = npy(1, &header("|u1", "False", "(2, 2)"), &vec![0; data]);
        let input = Input::from_reader("pipe", std::io::Cursor::new(file));
        let rows: Vec<_> = NpyRows::new(input, &ReadOptions::default()).unwrap().collect();
        (
            rows.len(),
            rows.last().unwrap().as_ref().err().map(ToString::to_string),
        )
    };
    assert_eq!(end(4), (2, None));
    let (rows, error) = end(3);
    assert!(
        rows == 2 && error.as_ref().unwrap().contains("expected 132 bytes, found 131"),
        "{error:?}"
    );
    let (rows, error) = end(5);
    assert!(
        rows == 3 && error.as_ref().unwrap().contains("after the last"),
        "{error:?}"
    );
}

#[test]
fn row_numbers_that_were_written_are_read_again() {
    for rows in [&[][..], &[7], &[3, 0, u64::from(u32::MAX) + 1]] {
        let mut file = Vec::new();
        crate::write_row_numbers(&mut file, rows).unwrap();
        assert_eq!(file.len(), 128 + 8 * rows.len());
        assert_eq!(
            read_row_numbers(Input::from_bytes("split.npy", file), 3).unwrap(),
            rows
        );
    }
}

#[test]
fn row_numbers_of_a_split_are_read_in_each_integer_type() {
    let read = |descr, data: &[u8]| {
        let file = npy(1, &header(descr, "False", "(2,)"), data);
        read_row_numbers(Input::from_bytes("split.npy", file), 2)
    };
    assert_eq!(
        read("<u4", &[1, 0, 0, 0, 255, 255, 255, 255]).unwrap(),
        [1, 4_294_967_295]
    );
    assert_eq!(
        read("<i8", &[[9, 0, 0, 0, 0, 0, 0, 1], [0; 8]].concat()).unwrap(),
        [9 + (1 << 56), 0]
    );
    let negative = read("<i4", &(-1_i64).to_le_bytes()).unwrap_err().to_string();
    assert!(negative.contains("a negative number"), "{negative}");
    assert!(
        read("<u4", &[0; 7])
            .unwrap_err()
            .to_string()
            .contains("cut short")
    );
    assert!(read("<f4", &[0; 8]).unwrap_err().to_string().contains("uint32"));
    let matrix = npy(1, &header("<u4", "False", "(1, 1)"), &[0; 4]);
    assert!(read_row_numbers(Input::from_bytes("split.npy", matrix), 2).is_err());
    let long = npy(1, &header("<u4", "False", "(3,)"), &[0; 12]);
    assert!(
        read_row_numbers(Input::from_bytes("split.npy", long), 2)
            .unwrap_err()
            .to_string()
            .contains("at most 2")
    );
}

proptest! {
    #[test]
    fn any_matrix_comes_back_as_it_was_saved(dim in 1_usize..40, numbers in prop::collection::vec(-1e30_f32..1e30, 0..400)) {
        let rows: Vec<&[f32]> = numbers.chunks_exact(dim).collect();
        let shape = format!("({}, {dim})", rows.len());
        let file = npy(2, &header("<f4", "False", &shape), &f32s(&rows.concat()));
        prop_assert_eq!(vectors(open(file).unwrap()), rows);
    }

    #[test]
    fn no_header_text_panics(text in "[{}()\\[\\]':, A-Za-z0-9<|é]{0,60}") {
        let _ = literal::dictionary(&text);
        let _ = open(npy(1, &text, &[0; 8])).map(Iterator::count);
    }
}
