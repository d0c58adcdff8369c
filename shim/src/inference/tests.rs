use serde_json::json;

use super::*;

fn vector(options: Value, role: Role) -> Result<SparseVector, InferenceError> {
    let options = options.as_object().cloned().unwrap();
    Models::default().embed("Qdrant/BM25", "The quick foxes and a fox", options, role)
}

#[test]
fn a_document_counts_and_a_query_does_not() {
    let document = vector(json!({}), Role::Document).unwrap();
    let query = vector(json!({}), Role::Query).unwrap();
    assert_eq!(document.indices, query.indices);
    assert_eq!(query.values, [1.0, 1.0], "quick and fox");
    assert!(document.values[0] != document.values[1], "two foxes");
}

#[test]
fn options_change_what_a_token_is() {
    let plain = vector(json!({"language": "none"}), Role::Query).unwrap();
    assert_eq!(plain.indices.len(), 6, "nothing is left out or stemmed");
    let own = json!({"stopwords": {"custom": ["quick"]}, "stemmer": {"type": "none"}});
    assert_eq!(vector(own, Role::Query).unwrap().indices.len(), 5);
}

#[test]
fn other_options_are_not_minded() {
    assert_eq!(
        vector(json!({"knob": 1}), Role::Query),
        vector(json!({}), Role::Query)
    );
}

#[test]
fn what_there_is_not_is_refused_by_name() {
    let refused = Models::default().embed("jina/v3", "text", Map::new(), Role::Query);
    assert!(
        matches!(&refused, Err(InferenceError::Model(problem)) if problem.contains("jina/v3")),
        "{refused:?}"
    );
    for options in [
        json!({"language": "klingon"}),
        json!({"k": -1.0}),
        json!({"b": "x"}),
    ] {
        let refused = vector(options.clone(), Role::Query);
        assert!(matches!(refused, Err(InferenceError::Options(_))), "{options}");
    }
}

#[test]
fn the_same_options_make_one_analyzer() {
    let mut models = Models::default();
    let mut embed = |options: Value| {
        let options = options.as_object().cloned().unwrap();
        let vector = models
            .embed("bm25", "le renard", options, Role::Document)
            .unwrap();
        (vector.indices.len(), models.made.len())
    };
    assert_eq!(embed(json!({"language": "french"})), (1, 1));
    assert_eq!(embed(json!({"language": "french"})), (1, 1));
    assert_eq!(embed(json!({"language": "none"})), (2, 2));
}

#[test]
fn nothing_is_made_for_who_does_not_wait() {
    let gone = || true;
    let control = Control::cancelled_by(&gone);
    let stopped = Models::within(&control).embed("bm25", "text", Map::new(), Role::Query);
    assert!(matches!(stopped, Err(InferenceError::Stopped(_))), "{stopped:?}");
    let waiting = || false;
    let late = Control::cancelled_by(&waiting).timeout(std::time::Duration::ZERO);
    let stopped = Models::within(&late).embed("bm25", "text", Map::new(), Role::Query);
    assert!(
        matches!(&stopped, Err(InferenceError::Stopped(why)) if why.starts_with("making vectors of texts")),
        "{stopped:?}"
    );
}
