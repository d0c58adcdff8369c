use serde_json::json;

use super::*;

fn vector(options: Value, role: Role) -> Result<SparseVector, InferenceError> {
    let options = options.as_object().cloned().unwrap();
    embed("Qdrant/BM25", "The quick foxes and a fox", options, role)
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
    let refused = embed("jina/v3", "text", Map::new(), Role::Query).unwrap_err();
    assert!(
        refused.field == "model" && refused.problem.contains("jina/v3"),
        "{refused}"
    );
    for options in [
        json!({"language": "klingon"}),
        json!({"k": -1.0}),
        json!({"b": "x"}),
    ] {
        assert_eq!(
            vector(options.clone(), Role::Query).unwrap_err().field,
            "options",
            "{options}"
        );
    }
}
