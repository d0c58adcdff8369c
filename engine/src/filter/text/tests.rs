use std::sync::Arc;

use serde_json::{Value, json};
use vdb_text::{AnalyzerConfig, Language, Tokenizer};

use super::{TextAnalysis, TextFields};
use crate::filter::fixture::Doc;
use crate::filter::{CompiledFilter, Filter};

/// A text index on the path `t`, and one on `a[].t`.
struct Texts(Arc<TextAnalysis>);

impl Texts {
    fn new(config: &AnalyzerConfig) -> Self {
        Texts(Arc::new(TextAnalysis::new(config).unwrap()))
    }
}

impl TextFields for Texts {
    fn text_analysis(&self, path: &str) -> Option<&Arc<TextAnalysis>> {
        ["t", "a[].t"].contains(&path).then_some(&self.0)
    }

    fn has_uuids(&self, _path: &str) -> bool {
        false
    }
}

fn english() -> Texts {
    Texts::new(&AnalyzerConfig::for_language(Language::English))
}

fn matches(texts: &Texts, payload: &Value, condition: &Value) -> bool {
    let filter = Filter::from_json(&json!({ "must": [condition] })).unwrap();
    CompiledFilter::new(&filter, texts)
        .unwrap()
        .matches(&Doc::new(payload))
        .unwrap()
}

#[test]
fn texts_are_compared_by_their_tokens() {
    let payload = json!({"t": "The owls were hunting, at night."});
    for (kind, query, expected) in [
        ("text", "Owl hunts", true),
        ("text", "hunt owl", true),
        ("text", "owl wren", false),
        // Part of a word is no token.
        ("text", "ow", false),
        ("text_any", "wren hunting", true),
        ("text_any", "wren robin", false),
        ("phrase", "OWLS hunt", true),
        ("phrase", "hunted owl", false),
        ("phrase", "night", true),
        // Stop words are in neither.
        ("phrase", "hunting night", true),
        // Without tokens there is nothing to be found.
        ("text", "", false),
        ("text", "the at", false),
        ("text_any", "...", false),
        ("phrase", "the", false),
    ] {
        let condition = json!({"key": "t", "match": {kind: query}});
        assert_eq!(
            matches(&english(), &payload, &condition),
            expected,
            "{kind} {query:?}"
        );
    }
    // Not indexed: whatever the string contains.
    let other = json!({"u": "The owls were hunting"});
    assert!(matches(
        &english(),
        &other,
        &json!({"key": "u", "match": {"text": "ow"}})
    ));
    assert!(!matches(
        &english(),
        &other,
        &json!({"key": "u", "match": {"text": "Owl"}})
    ));
}

#[test]
fn all_tokens_may_be_of_several_texts_and_a_phrase_of_one() {
    let payload = json!({"t": ["a white owl", null, 3, "night hunt"]});
    let holds =
        |kind: &str, query: &str| matches(&english(), &payload, &json!({"key": "t", "match": {kind: query}}));
    assert!(holds("text", "night owl"));
    assert!(holds("phrase", "white owl") && holds("phrase", "night hunt"));
    assert!(!holds("phrase", "owl night"));
    let texts = json!({"a": [{"t": "white owl"}, {"t": "night hunt"}]});
    let in_one = |query: &str| {
        let inner = json!({"must": [{"key": "t", "match": {"text": query}}]});
        matches(
            &english(),
            &texts,
            &json!({"nested": {"key": "a", "filter": inner}}),
        )
    };
    assert!(in_one("owl white") && in_one("hunt") && !in_one("owl hunt"));
    let in_all = json!({"key": "a[].t", "match": {"text": "owl hunt"}});
    assert!(matches(&english(), &texts, &in_all));
}

#[test]
fn a_phrase_may_repeat_itself_and_begin_anywhere() {
    let plain = Texts::new(&AnalyzerConfig::default());
    let holds = |text: &str, phrase: &str| {
        matches(
            &plain,
            &json!({"t": text}),
            &json!({"key": "t", "match": {"phrase": phrase}}),
        )
    };
    assert!(holds("to be or not to be", "to be or"));
    assert!(holds("a a b a a a c", "a a a"));
    assert!(!holds("a a b a a c", "a a a"));
    assert!(holds("x a b a b c", "a b c"));
}

#[test]
fn beginnings_and_scripts_without_spaces_are_found() {
    let with = |tokenizer| {
        Texts::new(&AnalyzerConfig {
            tokenizer,
            ..AnalyzerConfig::default()
        })
    };
    let prefix = |query: &str| {
        let condition = json!({"key": "t", "match": {"text": query}});
        matches(
            &with(Tokenizer::Prefix),
            &json!({"t": "Vector database"}),
            &condition,
        )
    };
    assert!(prefix("vec data") && prefix("VECTOR") && !prefix("ector"));
    let japanese = |kind: &str, query: &str| {
        let condition = json!({"key": "t", "match": {kind: query}});
        matches(
            &with(Tokenizer::Multilingual),
            &json!({"t": "東京都に住む"}),
            &condition,
        )
    };
    assert!(japanese("text", "京都") && japanese("phrase", "東京都") && !japanese("phrase", "都京"));
}

#[test]
fn other_settings_have_another_fingerprint() {
    let of = |config: &AnalyzerConfig| TextAnalysis::new(config).unwrap().fingerprint();
    let plain = AnalyzerConfig::default();
    let changed = [
        AnalyzerConfig {
            tokenizer: Tokenizer::Whitespace,
            ..plain.clone()
        },
        AnalyzerConfig {
            lowercase: false,
            ..plain.clone()
        },
        AnalyzerConfig {
            min_token_len: Some(2),
            ..plain.clone()
        },
        AnalyzerConfig {
            stemmer: Some(Language::English),
            ..plain.clone()
        },
        AnalyzerConfig {
            stopwords: Language::English.into(),
            ..plain.clone()
        },
    ];
    assert_eq!(of(&plain), of(&plain.clone()));
    for config in changed {
        assert_ne!(of(&plain), of(&config), "{config:?}");
    }
}
