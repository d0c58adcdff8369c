use proptest::prelude::*;
use serde_json::json;

use super::{MemoryPlacement, PayloadIndexOptions, PayloadIndexParams, SWITCHES, has_switch};
use crate::config::{CollectionConfig, Distance, VectorParams};
use crate::db::Database;
use crate::payload::{PayloadIndexKind, StemmerOption, StopwordsOption, TextOptions};
use vdb_text::{Language, Tokenizer};

/// What there may be of texts, the switches left out.
fn text() -> impl Strategy<Value = TextOptions> {
    use proptest::option::of;
    let languages = || proptest::sample::select(vec![Language::English, Language::Greek, Language::Japanese]);
    let custom = proptest::collection::vec("[a-z]{1,3}", 0..3);
    let stopwords = prop_oneof![
        languages().prop_map(StopwordsOption::Language),
        (of(proptest::collection::vec(languages(), 0..3)), of(custom))
            .prop_map(|(languages, custom)| StopwordsOption::Set { languages, custom }),
    ];
    let stemmer = prop_oneof![
        Just(StemmerOption::None),
        languages().prop_map(StemmerOption::Snowball),
    ];
    let tokenizer = proptest::sample::select(Tokenizer::ALL.to_vec());
    let given = (
        of(tokenizer),
        of(0_usize..4),
        of(0_usize..9),
        of(stopwords),
        of(stemmer),
    );
    let given = given.prop_map(
        |(tokenizer, min_token_len, max_token_len, stopwords, stemmer)| TextOptions {
            tokenizer,
            min_token_len,
            max_token_len,
            stopwords,
            stemmer,
            ..TextOptions::default()
        },
    );
    prop_oneof![Just(TextOptions::default()), given]
}

fn params() -> impl Strategy<Value = PayloadIndexParams> {
    let switches = proptest::collection::vec(any::<Option<bool>>(), SWITCHES.len());
    let memory = proptest::option::of(proptest::sample::select(MemoryPlacement::ALL.to_vec()));
    let options = (switches, memory, text()).prop_map(|(switches, memory, text)| {
        let mut options = PayloadIndexOptions {
            memory,
            text,
            ..PayloadIndexOptions::default()
        };
        for (name, value) in SWITCHES.into_iter().zip(switches) {
            *options.switch_mut(name).unwrap() = value;
        }
        options
    });
    let kind = proptest::sample::select(PayloadIndexKind::ALL.to_vec());
    (kind, proptest::option::of(options)).prop_map(|(kind, options)| PayloadIndexParams { kind, options })
}

proptest! {
    #[test]
    fn what_is_valid_survives_json_and_what_is_not_is_refused(params in params()) {
        let read = PayloadIndexParams::from_json(&params.to_json());
        match params.validate() {
            Ok(()) => prop_assert_eq!(&read.unwrap(), &params),
            Err(error) => prop_assert_eq!(read.unwrap_err().to_string(), error.to_string()),
        }
        if let Some(options) = &params.options {
            let given = |name: &&&str| options.switch(name).is_some();
            let foreign = SWITCHES.iter().filter(given).any(|name| !has_switch(params.kind, name));
            let answers_nothing = (options.lookup, options.range) == (Some(false), Some(false));
            let is_text = params.kind == PayloadIndexKind::Text;
            let foreign = foreign || (!is_text && options.text.given().is_some());
            let tokens = vdb_text::Analyzer::new(&options.text.over(vdb_text::AnalyzerConfig::default()));
            let without_tokens = is_text && tokens.is_err();
            prop_assert_eq!(params.validate().is_err(), foreign || answers_nothing || without_tokens);
            let read = PayloadIndexOptions::from_record(&options.to_record());
            prop_assert_eq!(read.as_ref(), Some(options));
        } else {
            prop_assert!(params.validate().is_ok());
        }
    }
}

#[test]
fn what_is_wrong_is_said() {
    let refused = |value| PayloadIndexParams::from_json(&value).unwrap_err().to_string();
    assert_eq!(
        refused(json!("words")),
        "unknown kind of payload index \"words\", expected one of keyword, integer, float, bool, datetime, uuid, geo, text"
    );
    assert_eq!(
        refused(json!({"type": "float", "prefix": true})),
        "an index of kind float has no option prefix"
    );
    assert_eq!(
        refused(json!({"type": "integer", "lookup": false, "range": false})),
        "an index of kind integer needs lookup or range: both are false"
    );
    assert_eq!(
        refused(json!({"type": "bool", "memory": "warm"})),
        "memory of a payload index: expected cold, cached or pinned"
    );
    assert_eq!(
        refused(json!({"type": "bool", "on_disk": 1})),
        "option on_disk of a payload index: expected true or false"
    );
    assert_eq!(
        refused(json!({"type": "bool", "on_disc": true})),
        "unknown option of a payload index: \"on_disc\""
    );
    assert_eq!(
        refused(json!({"type": "keyword", "stopwords": "english"})),
        "an index of kind keyword has no option stopwords"
    );
    assert_eq!(
        refused(json!({"type": "text", "tokenizer": "words"})),
        "tokens of texts: \"words\" is no tokenizer; known are word, whitespace, prefix, multilingual"
    );
    assert_eq!(
        refused(json!({"type": "text", "stemmer": "english"})),
        "stemmer: expected {\"type\": \"snowball\", \"language\": a language} or {\"type\": \"none\"}"
    );
    assert_eq!(
        refused(json!({"type": "text", "stopwords": {"language": ["english"]}})),
        "stopwords: expected a language, or an object with `languages` and `custom`; not \"language\""
    );
    assert!(
        refused(json!({"type": "text", "min_token_len": 3, "max_token_len": 2}))
            .contains("min_token_len is 3")
    );
    assert_eq!(
        refused(json!({"on_disk": true})),
        "a payload index needs the name of a kind as `type`"
    );
}

#[test]
fn options_outlive_the_process_and_change_without_building_anew() {
    let dir = tempfile::tempdir().unwrap();
    let long = json!({"type": "keyword", "is_tenant": true, "memory": "cold"});
    {
        let db = Database::open(dir.path()).unwrap();
        let config = CollectionConfig::new(VectorParams::new(1, Distance::Dot));
        let c = db.create_collection("c", config).unwrap();
        c.create_payload_index("a", PayloadIndexKind::Keyword).unwrap();
        let number = || c.core().tables().schema.payload_indexes[0].number;
        let before = number();
        c.create_payload_index("a", PayloadIndexParams::from_json(&long).unwrap())
            .unwrap();
        assert_eq!(number(), before);
        let wrong = PayloadIndexKind::Geo;
        let options = PayloadIndexOptions {
            prefix: Some(true),
            ..PayloadIndexOptions::default()
        };
        assert!(
            c.create_payload_index("b", PayloadIndexParams::from(wrong).options(options))
                .is_err()
        );
        db.close().unwrap();
    }
    let db = Database::open(dir.path()).unwrap();
    let indexes = db.collection("c").unwrap().info().unwrap().payload_indexes;
    let told: Vec<_> = indexes
        .iter()
        .map(|(path, params)| (path.as_str(), params.to_json()))
        .collect();
    assert_eq!(told, [("a", long)]);
}
