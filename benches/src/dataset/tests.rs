use super::*;

fn wordnet(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../tests/data/wordnet")
        .join(name)
}

#[test]
fn queries_are_taken_out_and_payloads_stay_with_their_rows() {
    let source = Source {
        data: wordnet("wordnet-5k.f16.npy"),
        payload: Some(wordnet("wordnet-5k.jsonl")),
        queries: 100,
        ..Source::default()
    };
    let set = Dataset::read(&source).unwrap();
    assert_eq!(
        (set.len(), set.dim, set.queries.len(), set.payloads.len()),
        (4900, 384, 100, 4900)
    );
    assert_eq!(set.name, "wordnet-5k");
    let length: f32 = set.vector(7).iter().map(|x| x * x).sum();
    assert!((length - 1.0).abs() < 1e-6);

    // Row 0 is no query here, so the first payload is the file's first.
    let split = Split::new(5000, 100, None).unwrap();
    assert!(!split.is_query(0));
    assert_eq!(set.payloads[0]["synset"], 1_317_541);
    let after = (0..5000).filter(|row| !split.is_query(*row)).nth(4000).unwrap();
    let text = std::fs::read_to_string(wordnet("wordnet-5k.jsonl")).unwrap();
    let line: Value = serde_json::from_str(text.lines().nth(after as usize).unwrap()).unwrap();
    assert_eq!(set.payloads[4000]["synset"], line["synset"]);

    let fewer = Dataset::read(&Source {
        rows: Some(1000),
        ..source
    });
    let fewer = fewer.unwrap();
    assert_eq!(
        (fewer.len(), fewer.payloads.len(), fewer.queries.len()),
        (1000, 1000, 100)
    );
    assert_eq!(fewer.vector(999), set.vector(999));
    let truth = fewer.truth(10);
    assert!(
        truth
            .iter()
            .all(|rows| rows.len() == 10 && rows.iter().all(|row| *row < 1000))
    );
}
