use proptest::prelude::*;

use super::*;
use crate::config::Tokenizer;

fn plain() -> Bm25Config {
    Bm25Config::for_language(None)
}

fn weights(vector: &TokenWeights) -> Vec<(u32, f32)> {
    vector
        .indices
        .iter()
        .copied()
        .zip(vector.values.iter().copied())
        .collect()
}

#[test]
fn weights_are_those_of_the_formula() {
    let config = Bm25Config {
        avg_len: 4.0,
        ..plain()
    };
    let vector = Bm25::new(&config)
        .unwrap()
        .document("red red red blue green blue");
    // Six tokens: damping 1.2 * (0.25 + 0.75 * 6 / 4) = 1.65; then tf * 2.2 / (tf + 1.65).
    let mut expected = vec![
        (token_id("red"), 6.6 / 4.65),
        (token_id("blue"), 4.4 / 3.65),
        (token_id("green"), 2.2 / 2.65),
    ];
    expected.sort_by_key(|&(id, _)| id);
    let found = weights(&vector);
    assert_eq!(found.len(), 3);
    for ((id, weight), (expected_id, expected)) in found.into_iter().zip(expected) {
        assert_eq!(id, expected_id);
        assert!(
            (weight - expected as f32).abs() < 1e-6,
            "{weight} is not {expected}"
        );
    }
}

#[test]
fn extremes_of_k_and_b_mean_what_they_say() {
    let with = |k, b| {
        Bm25::new(&Bm25Config { k, b, ..plain() })
            .unwrap()
            .document("a a a")
    };
    assert_eq!(with(0.0, 0.5).values, [1.0]);
    // Without b the length does not matter: 3 * 2.2 / (3 + 1.2).
    assert!((with(1.2, 0.0).values[0] - 6.6 / 4.2).abs() < 1e-6);
    assert!((with(Bm25Config::MAX_K, 0.0).values[0] - 3.0).abs() < 1e-4);
}

#[test]
fn the_default_is_for_english() {
    let bm25 = Bm25::new(&Bm25Config::default()).unwrap();
    let expected = [token_id("dog"), token_id("run")];
    let mut found = bm25.document("The dogs are running").indices;
    found.sort_by_key(|id| expected.iter().position(|other| other == id));
    assert_eq!(found, expected);
    let neither = Bm25::new(&plain()).unwrap();
    assert_eq!(neither.document("The dogs are running").indices.len(), 4);
}

#[test]
fn each_token_of_a_query_has_weight_one() {
    let bm25 = Bm25::new(&Bm25Config::default()).unwrap();
    let vector = bm25.query("fox foxes the FOX hound");
    assert_eq!(vector.indices.len(), 2);
    assert_eq!(vector.values, [1.0, 1.0]);
    assert_eq!(bm25.query("the"), TokenWeights::default());
    assert_eq!(bm25.document(""), TokenWeights::default());
}

#[test]
fn a_document_has_the_tokens_of_a_document() {
    let mut config = plain();
    config.analyzer.tokenizer = Tokenizer::Prefix;
    let bm25 = Bm25::new(&config).unwrap();
    assert_eq!(bm25.document("abc").indices.len(), 3);
    assert_eq!(bm25.query("abc").indices, [token_id("abc")]);
}

#[test]
fn ids_are_absolute_values_of_signed_hashes() {
    // 0xB3DD93FA is -1_277_324_294 as a signed number; 0x2E4FF723 is positive.
    assert_eq!(token_id("abc"), 1_277_324_294);
    assert_eq!(
        token_id("The quick brown fox jumps over the lazy dog"),
        0x2E4F_F723
    );
    assert_eq!(i32::MIN.unsigned_abs(), 1 << 31);
}

#[test]
fn tokens_of_one_id_count_as_one_token() {
    let vector = weigh(vec![9, 3, 9, 3, 9], |count| count as f32);
    assert_eq!(weights(&vector), [(3, 2.0), (9, 3.0)]);
}

#[test]
fn numbers_out_of_range_are_refused() {
    let nan = f64::NAN;
    for (config, field) in [
        (Bm25Config { k: -0.1, ..plain() }, "k is -0.1: "),
        (
            Bm25Config {
                k: f64::INFINITY,
                ..plain()
            },
            "k is inf: ",
        ),
        (Bm25Config { b: 1.5, ..plain() }, "b is 1.5: "),
        (Bm25Config { b: nan, ..plain() }, "b is NaN: "),
        (
            Bm25Config {
                avg_len: 0.0,
                ..plain()
            },
            "avg_len is 0: ",
        ),
        (
            Bm25Config {
                avg_len: nan,
                ..plain()
            },
            "avg_len is NaN: ",
        ),
    ] {
        let text = Bm25::new(&config).unwrap_err().to_string();
        assert!(text.starts_with(field), "{text}");
    }
}

proptest! {
    #[test]
    fn vectors_are_ascending_finite_and_positive(
        text in "(\\PC|[a-z ]){0,60}",
        k in 0.0..=Bm25Config::MAX_K,
        b in 0.0..=1.0,
        avg_len in Bm25Config::AVG_LEN,
    ) {
        let config = Bm25Config { k, b, avg_len, ..plain() };
        let bm25 = Bm25::new(&config).unwrap();
        let (document, query) = (bm25.document(&text), bm25.query(&text));
        prop_assert_eq!(&document.indices, &query.indices);
        prop_assert_eq!(document.indices.len(), document.values.len());
        prop_assert!(document.indices.is_sorted_by(|a, b| a < b));
        prop_assert!(document.values.iter().all(|&weight| weight.is_finite() && weight > 0.0));
    }
}
