use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::config::Stopwords;
use crate::language::Language;

type Placed = (String, usize);

fn document(config: &AnalyzerConfig, text: &str) -> Vec<Placed> {
    let mut tokens = Vec::new();
    let analyzer = Analyzer::new(config).unwrap();
    analyzer.for_each_document_token(&mut Scratch::default(), text, |token| {
        tokens.push((token.text.to_owned(), token.position));
    });
    tokens
}

fn query(config: &AnalyzerConfig, text: &str) -> Vec<Placed> {
    let mut tokens = Vec::new();
    let analyzer = Analyzer::new(config).unwrap();
    analyzer.for_each_query_token(&mut Scratch::default(), text, |token| {
        tokens.push((token.text.to_owned(), token.position));
    });
    tokens
}

fn shown(tokens: &[Placed]) -> String {
    let token = |(text, position): &Placed| format!("{text}@{position}");
    tokens.iter().map(token).collect::<Vec<_>>().join(" ")
}

fn config(tokenizer: Tokenizer) -> AnalyzerConfig {
    AnalyzerConfig {
        tokenizer,
        ..Default::default()
    }
}

#[test]
fn each_option_does_what_it_says() {
    let text = "The Café's RUNNING dogs, straße x";
    let with = |change: fn(&mut AnalyzerConfig)| {
        let mut config = AnalyzerConfig::default();
        change(&mut config);
        shown(&document(&config, text))
    };
    assert_eq!(with(|_| {}), "the@0 café@1 s@2 running@3 dogs@4 straße@5 x@6");
    assert_eq!(
        with(|c| c.lowercase = false),
        "The@0 Café@1 s@2 RUNNING@3 dogs@4 straße@5 x@6"
    );
    assert_eq!(
        with(|c| c.ascii_folding = true),
        "the@0 cafe@1 s@2 running@3 dogs@4 strasse@5 x@6"
    );
    assert_eq!(
        with(|c| c.min_token_len = Some(2)),
        "the@0 café@1 running@2 dogs@3 straße@4"
    );
    assert_eq!(with(|c| c.max_token_len = Some(4)), "the@0 café@1 s@2 dogs@3 x@4");
    assert_eq!(
        with(|c| c.stopwords = Language::English.into()),
        "café@0 running@1 dogs@2 straße@3 x@4"
    );
    assert_eq!(
        with(|c| c.stopwords.custom = vec!["Dogs".into()]),
        "the@0 café@1 s@2 running@3 straße@4 x@5"
    );
    assert_eq!(
        with(|c| c.stemmer = Some(Language::English)),
        "the@0 café@1 s@2 run@3 dog@4 straße@5 x@6"
    );
    assert_eq!(
        with(|c| c.tokenizer = Tokenizer::Whitespace),
        "the@0 café's@1 running@2 dogs,@3 straße@4 x@5"
    );
    assert_eq!(
        with(|c| c.tokenizer = Tokenizer::Multilingual),
        "the@0 café's@1 running@2 dogs@3 straße@4 x@5"
    );
}

#[test]
fn steps_come_in_order() {
    let config = AnalyzerConfig {
        ascii_folding: true,
        stopwords: Stopwords {
            custom: vec!["DÉJÀ".into(), "run".into()],
            ..Default::default()
        },
        stemmer: Some(Language::English),
        max_token_len: Some(3),
        ..Default::default()
    };
    // Stop words: after case and accents (déjà goes), before stems (running stays and is cut to run). Lengths: of stems.
    assert_eq!(
        shown(&document(&config, "Déjà running run dogs horses")),
        "run@0 dog@1"
    );
}

#[test]
fn lengths_count_characters() {
    let config = AnalyzerConfig {
        min_token_len: Some(4),
        max_token_len: Some(4),
        ..Default::default()
    };
    assert_eq!(
        shown(&document(&config, "été étés 日本 日本国民 abcde")),
        "étés@0 日本国民@1"
    );
}

#[test]
fn prefixes_are_of_documents_and_the_longest_of_queries() {
    let with = |min_token_len, max_token_len| AnalyzerConfig {
        min_token_len,
        max_token_len,
        ..config(Tokenizer::Prefix)
    };
    let narrow = with(Some(2), Some(4));
    assert_eq!(
        shown(&document(&narrow, "Hello a été")),
        "he@0 hel@0 hell@0 ét@1 été@1"
    );
    assert_eq!(shown(&query(&narrow, "Hello a été h")), "hell@0 été@1");
    assert_eq!(shown(&document(&with(None, None), "abc")), "a@0 ab@0 abc@0");
    // The last letter of a word is not that of a beginning.
    let longest = with(Some(4), Some(4));
    assert_eq!(shown(&document(&longest, "ΟΔΟΣΗΜΑΝΣΗ")), "οδοσ@0");
    assert_eq!(shown(&query(&longest, "ΟΔΟΣ")), "οδοσ@0");
    assert_eq!(shown(&query(&longest, "οδος")), "οδοσ@0");
    assert_eq!(shown(&query(&with(None, None), "abc")), "abc@0");
}

#[test]
fn prefixes_of_a_long_word_are_bounded() {
    let word = "é".repeat(100_000);
    let config = config(Tokenizer::Prefix);
    let tokens = document(&config, &word);
    assert_eq!(tokens.len(), MAX_PREFIX_LEN);
    assert_eq!(query(&config, &word), tokens[MAX_PREFIX_LEN - 1..]);
}

#[test]
fn runs_without_spaces_are_characters_and_pairs() {
    let config = config(Tokenizer::Multilingual);
    assert_eq!(
        shown(&document(&config, "GPU加速器 x")),
        "gpu@0 加@1 加速@1 速@2 速器@2 器@3 x@4"
    );
    assert_eq!(shown(&query(&config, "GPU加速器 x")), "gpu@0 加速@1 速器@2 x@4");
    assert_eq!(shown(&query(&config, "速")), "速@0");
    assert_eq!(shown(&document(&config, "ที่นี่")), "ที่@0 ที่นี่@0 นี่@1");
}

#[test]
fn characters_and_pairs_are_not_held_to_the_length_of_words() {
    let config = AnalyzerConfig {
        min_token_len: Some(3),
        max_token_len: Some(3),
        stemmer: Some(Language::English),
        ..config(Tokenizer::Multilingual)
    };
    assert_eq!(shown(&document(&config, "ab 东京 abc")), "东@0 东京@0 京@1 abc@2");
}

#[test]
fn stop_words_of_runs_leave_a_gap_on_both_sides() {
    let config = AnalyzerConfig {
        stopwords: Language::Japanese.into(),
        ..config(Tokenizer::Multilingual)
    };
    assert_eq!(shown(&document(&config, "犬の家")), "犬@0 犬の@0 の家@1 家@2");
    assert_eq!(shown(&query(&config, "犬の家")), "犬の@0 の家@1");
    assert_eq!(shown(&query(&config, "の")), "");
}

#[test]
fn errors_name_the_field() {
    let error = |change: fn(&mut AnalyzerConfig)| {
        let mut config = AnalyzerConfig::default();
        change(&mut config);
        Analyzer::new(&config).unwrap_err().to_string()
    };
    assert!(error(|c| c.max_token_len = Some(0)).starts_with("max_token_len "));
    assert!(error(|c| c.stemmer = Some(Language::Hebrew)).starts_with("stemmer is hebrew: "));
    assert!(error(|c| c.stopwords = Language::Armenian.into()).starts_with("stopwords is armenian: "));
}

fn any_config() -> impl Strategy<Value = AnalyzerConfig> {
    let language = || proptest::option::of(proptest::sample::select(&Language::ALL[..]));
    (
        proptest::sample::select(&Tokenizer::ALL[..]),
        proptest::option::of(0_usize..4),
        proptest::option::of(4_usize..9),
        any::<[bool; 2]>(),
        (language(), proptest::collection::vec("\\PC{0,3}", 0..3)),
        language(),
    )
        .prop_map(
            |(tokenizer, min_token_len, max_token_len, [lowercase, ascii_folding], words, stemmer)| {
                let listed = words.0.filter(|language| language.stopwords().is_some());
                AnalyzerConfig {
                    tokenizer,
                    min_token_len,
                    max_token_len,
                    lowercase,
                    ascii_folding,
                    stopwords: Stopwords {
                        languages: listed.into_iter().collect(),
                        custom: words.1,
                    },
                    stemmer: stemmer.filter(|language| language.has_stemmer()),
                }
            },
        )
}

fn any_text() -> impl Strategy<Value = String> {
    "(\\PC|\\p{M}|the|und|ing|[a-zA-Z' _.]|[가-힣一-龯ぁ-ヶก-๛α-ωΑ-Ω]){0,40}"
}

proptest! {
    #[test]
    fn tokens_are_sound_and_a_query_has_some_of_them(config in any_config(), text in any_text()) {
        let tokens = document(&config, &text);
        prop_assert!(tokens.iter().all(|(text, _)| !text.is_empty()));
        prop_assert!(tokens.is_sorted_by_key(|&(_, position)| position));
        let found: BTreeSet<_> = tokens.into_iter().collect();
        let asked = query(&config, &text);
        prop_assert!(asked.is_sorted_by_key(|&(_, position)| position));
        prop_assert!(asked.iter().all(|token| found.contains(token)), "{asked:?} of {found:?}");
    }

    #[test]
    fn every_field_of_a_document_finds_it(config in any_config(), text in any_text()) {
        let found: BTreeSet<_> = document(&config, &text).into_iter().map(|(text, _)| text).collect();
        for field in text.split_whitespace() {
            for (token, _) in query(&config, field) {
                prop_assert!(found.contains(&token), "{token} of {field}");
            }
        }
    }

    #[test]
    fn every_part_of_a_run_finds_it_as_a_phrase(run in "[一-龯ぁ-ゖァ-ヺ]{1,12}", from in 0_usize..12, length in 1_usize..12) {
        let part: String = run.chars().skip(from).take(length).collect();
        let config = config(Tokenizer::Multilingual);
        let found: BTreeSet<_> = document(&config, &run).into_iter().collect();
        let asked = query(&config, &part);
        prop_assert!(asked.iter().all(|(text, position)| found.contains(&(text.clone(), from + position))));
    }
}
