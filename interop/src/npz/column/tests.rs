use super::*;

fn column(descr: &str, shape: &[u64], bytes: usize) -> Result<Column, Problem> {
    let header = Header {
        descr: descr.to_owned(),
        fortran_order: false,
        shape: shape.to_vec(),
        data_start: 0,
    };
    Column::new("x", &header, Input::from_bytes("x.npy", vec![0; bytes]))
}

#[test]
fn an_array_has_the_bytes_of_its_rows() {
    assert!(column("<i4", &[3], 12).is_ok());
    for (descr, shape, bytes, part) in [
        ("<i4", &[3][..], 11, "cut short"),
        ("<i4", &[3], 13, "bytes after the last"),
        ("<i4", &[1 << 62], 12, "cut short"),
        ("<U0", &[1 << 60], 0, "rows of no bytes"),
        ("<i4", &[1 << 60, 0], 0, "rows of no bytes"),
        ("|b1", &[1, 1 << 25], 1 << 25, "more than 1048576 items"),
    ] {
        let error = column(descr, shape, bytes).unwrap_err().to_string();
        assert!(error.contains(part), "{descr} {shape:?}: {error}");
    }
}
