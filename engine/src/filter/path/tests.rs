use proptest::prelude::*;

use super::{MAX_PATH_STEPS, PathStep, PayloadPath};

fn key(text: &str) -> PathStep {
    PathStep::Key(text.to_owned())
}

fn steps(text: &str) -> Vec<PathStep> {
    PayloadPath::parse(text).unwrap().steps().to_vec()
}

#[test]
fn every_form_of_step_parses() {
    assert_eq!(steps("a"), [key("a")]);
    assert_eq!(steps("a.b"), [key("a"), key("b")]);
    assert_eq!(steps("a[].b"), [key("a"), PathStep::All, key("b")]);
    assert_eq!(steps("a[3][]"), [key("a"), PathStep::Index(3), PathStep::All]);
    assert_eq!(steps("snake_case-2"), [key("snake_case-2")]);
    assert_eq!(steps("größe.数"), [key("größe"), key("数")]);
    assert_eq!(steps("\"a.b [x]\".c"), [key("a.b [x]"), key("c")]);
    assert_eq!(steps("a.\"\""), [key("a"), key("")]);
    assert_eq!(steps("\"back\\slash\""), [key("back\\slash")]);
    assert_eq!(steps("007"), [key("007")]);
}

#[test]
fn malformed_paths_are_refused_with_the_position() {
    for (text, said) in [
        ("", "expected a key at byte 0"),
        ("[]", "expected a key at byte 0"),
        ("[0].a", "expected a key at byte 0"),
        (".a", "expected a key at byte 0"),
        ("a.", "expected a key at byte 2"),
        ("a..b", "expected a key at byte 2"),
        ("a b", "expected `.` or `[` at byte 1"),
        ("a]", "expected `.` or `[` at byte 1"),
        ("a[", "expected a number or `]` at byte 2"),
        ("a[-1]", "expected a number or `]` at byte 2"),
        ("a[x]", "expected a number or `]` at byte 2"),
        ("a[].", "expected a key at byte 4"),
        ("a[]b", "expected `.` or `[` at byte 3"),
        ("a.[0]", "expected a key at byte 2"),
        ("\"a", "the quote at byte 0 is never closed"),
        ("a.\"b", "the quote at byte 2 is never closed"),
        ("a[99999999999999999999]", "the index at byte 2 is too large"),
    ] {
        let error = PayloadPath::parse(text).unwrap_err().to_string();
        assert!(error.contains(said), "{text}: {error}");
    }
}

#[test]
fn a_path_has_a_bounded_number_of_steps() {
    let longest = vec!["a"; MAX_PATH_STEPS].join(".");
    assert_eq!(steps(&longest).len(), MAX_PATH_STEPS);
    assert!(PayloadPath::parse(&format!("{longest}[]")).is_err());
}

#[test]
fn the_canonical_text_quotes_only_what_needs_it() {
    for (text, canonical) in [
        ("\"a\".b", "a.b"),
        ("\"a.b\"[]", "\"a.b\"[]"),
        ("a[01]", "a[1]"),
        ("a.\"\"", "a.\"\""),
    ] {
        assert_eq!(PayloadPath::parse(text).unwrap().to_string(), canonical);
    }
}

#[test]
fn an_array_path_ends_in_brackets_once() {
    for (text, array) in [
        ("a", "a[]"),
        ("a[]", "a[]"),
        ("a[0]", "a[0][]"),
        ("a[].b", "a[].b[]"),
    ] {
        assert_eq!(PayloadPath::parse(text).unwrap().into_array().to_string(), array);
    }
}

proptest! {
    #[test]
    fn parsing_never_panics_and_the_canonical_text_parses_to_the_same_path(
        text in "[ab\"\\[\\]0-9. é-]{0,16}",
    ) {
        if let Ok(path) = PayloadPath::parse(&text) {
            prop_assert_eq!(PayloadPath::parse(&path.to_string()).unwrap(), path);
        }
    }
}
