use serde_json::json;
use vdb_storage::payload::{ObjectRef, encode_payload};
use vdb_text::AnalyzerConfig;

use super::*;
use crate::filter::PayloadPath;

fn tokens(analysis: &TextAnalysis, payload: &serde_json::Value, path: &str) -> Tokens {
    let encoded = encode_payload(payload.as_object().unwrap()).unwrap();
    let path = PayloadPath::parse(path).unwrap();
    let object = ObjectRef::from_payload(&encoded).unwrap();
    analysis.tokens(object, path.steps()).unwrap().unwrap()
}

fn test(analysis: &std::sync::Arc<TextAnalysis>, wanted: Wanted) -> TextTest {
    TextTest {
        analysis: analysis.clone(),
        wanted,
    }
}

#[test]
fn kept_tokens_count_what_texts_have() {
    let analysis = TextAnalysis::new(&AnalyzerConfig::default()).unwrap();
    let payload = json!({"t": ["An owl, an Owl", 7, "and a wren"], "other": "heron"});
    let tokens = tokens(&analysis, &payload, "t");
    assert_eq!(tokens.length(), 7);
    let counts =
        ["a", "an", "and", "owl", "wren", "heron", "ow", "", "zebra"].map(|token| tokens.count(token));
    assert_eq!(counts, [1, 2, 1, 2, 1, 0, 0, 0, 0]);
    assert!(tokens.bytes() > "aanandowlwren".len());
}

#[test]
fn nothing_is_kept_of_a_point_without_texts() {
    let analysis = TextAnalysis::new(&AnalyzerConfig::default()).unwrap();
    let tokens = tokens(&analysis, &json!({"t": 7}), "t");
    assert_eq!((tokens.length(), tokens.count("7")), (0, 0));
}

#[test]
fn conditions_hold_of_tokens_as_of_texts_as_far_as_these_tell() {
    let analysis = std::sync::Arc::new(TextAnalysis::new(&AnalyzerConfig::default()).unwrap());
    let tokens = tokens(&analysis, &json!({"t": ["owl at night", "wren by day"]}), "t");
    let all = |text: &str| test(&analysis, Wanted::all(&analysis, text)).holds_of(&tokens);
    let any = |text: &str| test(&analysis, Wanted::any(&analysis, text)).holds_of(&tokens);
    let phrase = |text: &str| test(&analysis, Wanted::phrase(&analysis, text)).holds_of(&tokens);
    assert_eq!(
        [all("day owl"), all("owl heron"), all("")],
        [Some(true), Some(false), Some(false)]
    );
    assert_eq!(
        [any("heron owl"), any("heron"), any("")],
        [Some(true), Some(false), Some(false)]
    );
    // Both tokens are there: whether they follow each other is for the texts to say.
    assert_eq!([phrase("night wren"), phrase("owl heron")], [None, Some(false)]);
}
