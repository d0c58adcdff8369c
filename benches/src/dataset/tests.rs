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

#[test]
fn what_a_set_grows_by_has_length_one_too_and_can_be_had_without_growing_it() {
    let source = Source {
        data: wordnet("wordnet-5k.f16.npy"),
        queries: 100,
        rows: Some(500),
        ..Source::default()
    };
    let set = Dataset::read(&source).unwrap();
    let mut handed = Vec::new();
    set.more(700, |vector| {
        handed.extend_from_slice(vector);
        Ok(())
    })
    .unwrap();
    let mut grown = set.clone();
    grown.grow(700).unwrap();
    assert_eq!((grown.len(), set.len()), (700, 500));
    assert_eq!(grown.vectors, [set.vectors.clone(), handed].concat());
    assert_eq!(grown.queries, set.queries);
    for row in 500..700 {
        let length: f32 = grown.vector(row).iter().map(|x| x * x).sum();
        assert!((length - 1.0).abs() < 1e-5, "row {row}: {length}");
    }
}
