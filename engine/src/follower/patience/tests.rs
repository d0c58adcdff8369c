use super::*;

fn missing(path: &str) -> Error {
    vdb_vfs::Error::NotFound {
        path: path.to_owned(),
    }
    .into()
}

#[test]
fn what_fails_in_the_same_way_again_and_again_is_damage() {
    let mut patience = Patience::default();
    let mut is_lasting = |whom, path| patience.is_lasting(whom, &missing(path));
    assert!(!is_lasting(Some(1), "a"));
    assert!(!is_lasting(Some(1), "a"));
    // Neither what happens to others nor another file counts.
    assert!(!is_lasting(Some(2), "a") && !is_lasting(None, "a"));
    assert!(!is_lasting(Some(1), "b"));
    assert!(!is_lasting(Some(1), "b"));
    assert!(is_lasting(Some(1), "b") && is_lasting(Some(1), "b"));

    patience.begin();
    assert!(patience.is_lasting(Some(1), &missing("b")), "known by now");
    assert!(!patience.is_lasting(Some(2), &missing("a")), "it was not settled");
}
