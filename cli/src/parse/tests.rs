use super::*;

#[test]
fn a_vector_of_any_kind_is_json_with_finite_numbers() {
    assert_eq!(vector("[1, -2.5]"), Ok(Vector::from([1.0, -2.5])));
    assert_eq!(vector("[[1], [2]]"), Ok(Vector::from(vec![vec![1.0], vec![2.0]])));
    let sparse = Vector::from(SparseVector::new([7, 3], [1.0, 2.0]));
    assert_eq!(vector("{\"indices\": [7, 3], \"values\": [1, 2]}"), Ok(sparse));
    for wrong in [
        "1, 2",
        "[1, \"2\"]",
        "[1e300]",
        "[[1], 2]",
        "{\"indices\": [-1], \"values\": [1]}",
        "{}",
    ] {
        assert!(vector(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn a_value_to_match_is_looked_for_as_text_and_as_what_it_spells() {
    assert_eq!(
        matching("n", "7"),
        Filter::should([
            Condition::matches("n", "7"),
            Condition::matches("n", 7),
            Condition::range("n", 7.0..=7.0)
        ])
    );
    assert_eq!(
        matching("s", "1.5"),
        Filter::should([Condition::matches("s", "1.5"), Condition::range("s", 1.5..=1.5)])
    );
    assert_eq!(
        matching("s", "null"),
        Filter::should([Condition::matches("s", "null"), Condition::is_null("s")])
    );
    assert_eq!(
        matching("w", "owl"),
        Filter::should([Condition::matches("w", "owl")])
    );
    assert_eq!(matching("b", "true").should.map(|any| any.len()), Some(2));
}

#[test]
fn a_pair_is_split_at_its_first_equals_sign() {
    assert_eq!(key_value("a=b=c"), Ok(("a".to_owned(), "b=c".to_owned())));
    assert!(key_value("=c").is_err());
    assert!(key_value("c").is_err());
}

#[test]
fn a_renaming_has_two_names_around_its_last_equals_sign() {
    let pair = |old: &str, new: &str| Ok((old.to_owned(), new.to_owned()));
    assert_eq!(renaming("pts=more"), pair("pts", "more"));
    assert_eq!(renaming("a=b=c"), pair("a=b", "c"));
    for text in ["pts=", "=c", "c", "=", ""] {
        assert!(renaming(text).is_err_and(|e| e.contains("OLD=NEW")), "{text}");
    }
}

#[test]
fn a_filter_that_is_no_filter_says_why() {
    assert!(filter("{").is_err_and(|e| e.contains("JSON")));
    assert!(filter("{\"musst\": []}").is_err_and(|e| e.contains("musst")));
}
