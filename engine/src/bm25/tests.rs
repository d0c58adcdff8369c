use serde_json::json;

use super::{Bm25, Options, token_id};

#[test]
fn options_of_clients_are_read_and_what_is_wrong_is_said() {
    let read = |value| Options::from_json(&value);
    assert_eq!(read(json!(null)).unwrap(), Options::default());
    let plain = read(json!({"language": "none", "k": 0, "avg_len": 10.5})).unwrap();
    assert_eq!((plain.language, plain.k, plain.avg_len), (None, 0.0, 10.5));
    // No stop words and no stems, each on its own.
    let bare = json!({"stopwords": {}, "stemmer": {"type": "none"}, "lowercase": false});
    let bare = Bm25::new(&read(bare).unwrap()).unwrap();
    assert_eq!(bare.query("The").indices, [token_id("The")]);
    let english = Bm25::new(&Options::default()).unwrap();
    assert!(english.query("The").indices.is_empty());
    assert_eq!(english.query("running runs").indices, [token_id("run")]);

    let refused = |value| match read(value).and_then(|options| Bm25::new(&options)) {
        Ok(model) => panic!("{model:?}"),
        Err(error) => error.to_string(),
    };
    assert_eq!(
        refused(json!({"tokeniser": "word"})),
        "options of bm25: \"tokeniser\" is none"
    );
    assert_eq!(
        refused(json!({"k": "1"})),
        "options of bm25: k: expected a number"
    );
    assert_eq!(refused(json!("english")), "options of bm25: expected an object");
    assert!(refused(json!({"language": "klingon"})).contains("\"klingon\" is no language"));
    assert!(refused(json!({"b": 2})).contains("it must be a number from 0 to 1"));
    assert!(refused(json!({"min_token_len": 5, "max_token_len": 2})).contains("lower it"));
}

#[test]
fn a_document_weighs_tokens_by_how_often_it_has_them_and_a_query_by_one() {
    let bm25 = Bm25::new(&Options::default()).unwrap();
    let document = bm25.document("foxes and a fox and a hound");
    let weight = |token: &str| {
        let at = document.indices.binary_search(&token_id(token)).unwrap();
        f64::from(document.values[at])
    };
    let damping = 1.2 * (0.25 + 0.75 * 3.0 / 256.0);
    assert!((weight("fox") - 2.0 * 2.2 / (2.0 + damping)).abs() < 1e-6);
    assert!((weight("hound") - 2.2 / (1.0 + damping)).abs() < 1e-6);
    assert_eq!(bm25.query("fox fox hound").values, [1.0, 1.0]);
}
