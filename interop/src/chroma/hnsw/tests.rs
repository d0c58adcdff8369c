use super::*;

#[test]
fn how_far_a_folder_is_must_be_a_number_where_it_is_said() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(IDS_FILE);
    let followed = |fields: &[u8]| {
        let pickle = [b"}(\x8c\x0bid_to_label}".as_slice(), fields, b"u."].concat();
        std::fs::write(&path, pickle).unwrap();
        labels(&path, &Limits::default()).map(|labels| labels.followed)
    };
    assert_eq!(followed(b"").unwrap(), None);
    assert_eq!(followed(b"\x8c\x0amax_seq_idN").unwrap(), None);
    assert_eq!(followed(b"\x8c\x0amax_seq_idK\x07").unwrap(), Some(7));
    let error = followed(b"\x8c\x0amax_seq_id\x8c\x017").unwrap_err().to_string();
    assert!(
        error.contains("max_seq_id") && error.contains(IDS_FILE),
        "{error}"
    );
}
