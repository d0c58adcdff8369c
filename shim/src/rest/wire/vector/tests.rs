use serde_json::json;

use super::*;

fn read(value: Value) -> WireVectors {
    // By text, as requests come.
    serde_json::from_str(&value.to_string()).unwrap()
}

#[test]
fn shapes_are_told_apart() {
    let dense = || WireVector::Dense(vec![1.0, 0.5]);
    assert_eq!(read(json!([1, 0.5])), WireVectors::Single(dense()));
    assert_eq!(
        read(json!([[1, 0.5], [2, 3]])),
        WireVectors::Single(WireVector::Multi(vec![vec![1.0, 0.5], vec![2.0, 3.0]]))
    );
    assert_eq!(read(json!([])), WireVectors::Single(WireVector::Dense(vec![])));
    let sparse = json!({"indices": [7, 1], "values": [0.5, 1]});
    let WireVectors::Named(named) = read(json!({"": [1, 0.5], "s": sparse})) else {
        panic!("a map")
    };
    assert_eq!(named[""], dense());
    let expected = WireVector::Sparse {
        indices: vec![7, 1],
        values: vec![0.5, 1.0],
    };
    assert_eq!(named["s"], expected);
    let document = json!({"text": "hello", "model": "m"});
    let WireVectors::Single(WireVector::Inferred(Inferred::Document { text, model, .. })) = read(document)
    else {
        panic!("a document")
    };
    assert_eq!((text.as_str(), model.as_str()), ("hello", "m"));
    assert!(read(json!({})).is_empty());
}

#[test]
fn what_is_no_vector_is_refused() {
    for text in [
        "1",
        "\"x\"",
        "{\"a\": 1}",
        "[1, \"x\"]",
        "[[1], 2]",
        "{\"a\": {\"b\": [1]}}",
        "null",
    ] {
        assert!(serde_json::from_str::<WireVectors>(text).is_err(), "{text}");
    }
}

#[test]
fn sparse_vectors_are_checked() {
    let mut problems = Problems::new();
    let vectors = read(json!({"s": {"indices": [1, 1], "values": [1]}}));
    vectors.check("vector", &mut problems);
    let message = problems.finish().unwrap_err().message;
    assert_eq!(
        message,
        "vector.?.values: must be the same length as indices; vector.?.indices: must be unique"
    );
}
