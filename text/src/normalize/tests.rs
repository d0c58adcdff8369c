use proptest::prelude::*;

use super::*;

fn normal(lowercase: bool, folding: bool, token: &str) -> String {
    let mut buffer = "left over".to_owned();
    Normalizer {
        lowercase,
        folding,
        is_cut: false,
    }
    .apply(token, &mut buffer)
    .to_owned()
}

#[test]
fn case_and_folding_are_independent() {
    for (token, neither, lower, folded, both) in [
        ("plain", "plain", "plain", "plain", "plain"),
        ("MiXed", "MiXed", "mixed", "MiXed", "mixed"),
        ("CAFÉ", "CAFÉ", "café", "CAFE", "cafe"),
        ("STRAẞE", "STRAẞE", "straße", "STRASSE", "strasse"),
        ("İzmir", "İzmir", "i\u{307}zmir", "Izmir", "izmir"),
        ("ℂ", "ℂ", "ℂ", "C", "c"),
        ("ΟΔΟΣ", "ΟΔΟΣ", "οδος", "ΟΔΟΣ", "οδος"),
        ("日本", "日本", "日本", "日本", "日本"),
    ] {
        assert_eq!(normal(false, false, token), neither);
        assert_eq!(normal(true, false, token), lower);
        assert_eq!(normal(false, true, token), folded);
        assert_eq!(normal(true, true, token), both);
    }
}

#[test]
fn what_stays_is_not_copied() {
    let mut buffer = String::new();
    let token = "already-lower 1";
    let normalizer = Normalizer {
        lowercase: true,
        folding: true,
        is_cut: false,
    };
    assert!(std::ptr::eq(normalizer.apply(token, &mut buffer), token));
}

proptest! {
    #[test]
    fn lower_case_is_that_of_the_standard_library(token in "(\\PC|[ΣσςΑ-Ωİß]|[A-Za-z'.])*") {
        prop_assert_eq!(normal(true, false, &token), token.to_lowercase());
    }

    #[test]
    fn a_normal_form_stays(token in "(\\PC|\\p{M}|\\p{Latin})*", folding: bool) {
        let once = normal(true, folding, &token);
        prop_assert_eq!(normal(true, folding, &once), once);
    }
}
