//! Does this build read the indexes of texts that earlier builds have written?
//!
//! `golden/v1-texts` is a database directory of the present formats: a segment with an index of texts, of which some tokens are in
//! so many rows that the index keeps which of them stand side by side, and a few points in the log. It is written anew as
//! `golden/v1` is, by running the test here.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::{Path, PathBuf};

use serde_json::json;
use vdb::{
    CollectionConfig, Condition, Control, Database, Filter, PayloadIndexKind, PayloadIndexParams, Point,
    PointId, Query, QueryRequest, ScrollRequest, ServedBy, Vectors,
};
use vdb_tests::Numbers;
use vdb_tests::files::copy;

use super::golden;

fn golden_texts() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("golden/v1-texts")
}

const WORDS: [&str; 6] = ["birds", "of", "prey", "naïve", "hunting", "Owls"];

/// One text, or two.
fn point(id: u64) -> Point {
    let numbers = &mut Numbers::new(id + 1);
    let mut text = || {
        let words: Vec<&str> = (0..numbers.below(7)).map(|_| *numbers.pick(&WORDS)).collect();
        words.join(" ")
    };
    let texts = if id.is_multiple_of(5) {
        json!([text(), text()])
    } else {
        json!(text())
    };
    let payload = json!({"texts": texts});
    Point::new(id, Vectors::default()).payload(payload).unwrap()
}

fn fill(db: &Database) {
    let c = db.create_collection("c", CollectionConfig::default()).unwrap();
    let options = json!({
        "type": "text", "tokenizer": "word", "phrase_matching": true, "ascii_folding": true,
        "stemmer": {"type": "snowball", "language": "english"}, "stopwords": {"custom": ["hunting"]},
    });
    c.create_payload_index("texts", PayloadIndexParams::from_json(&options).unwrap())
        .unwrap();
    c.upsert((0..400).map(point).collect()).unwrap();
    c.optimize(&Control::none()).unwrap();
    c.delete(vec![PointId::from(7), PointId::from(8)]).unwrap();
    c.upsert((395..410).map(point).collect()).unwrap();
}

fn conditions() -> [Condition; 5] {
    [
        Condition::text("texts", "owl naive"),
        Condition::text_any("texts", "prey hunting"),
        Condition::phrase("texts", "birds of"),
        Condition::phrase("texts", "bird of prey"),
        Condition::phrase("texts", "owls owl owl"),
    ]
}

/// What each condition finds, and what a text finds with which scores.
type Answers = (Vec<Vec<PointId>>, Vec<(PointId, f32)>);

fn answers(db: &Database) -> Answers {
    let c = db.collection("c").unwrap();
    let found = conditions().map(|condition| {
        let page = ScrollRequest::new().filter(Filter::must([condition])).limit(1000);
        let points = c.scroll(&page).unwrap().points;
        points.iter().map(|point| point.id).collect()
    });
    let request = QueryRequest::new(Query::text("bird prey"))
        .using("texts")
        .limit(1000);
    let hits = c.query(&request).unwrap();
    (
        found.to_vec(),
        hits.iter().map(|hit| (hit.id, hit.score)).collect(),
    )
}

#[test]
fn the_golden_texts_read_in_full() {
    golden::regenerate(&golden_texts(), fill);
    let dir = tempfile::tempdir().unwrap();
    copy(&golden_texts(), dir.path());
    let db = golden::open(dir.path());
    let c = db.collection("c").unwrap();
    for condition in conditions() {
        let plan = c.explain(&Filter::must([condition])).unwrap();
        let [segment] = plan.segments.as_slice() else {
            unreachable!("one segment: {plan}");
        };
        let served = &segment.conditions[0];
        assert_eq!(
            served.served_by,
            ServedBy::Index(PayloadIndexKind::Text),
            "{plan}"
        );
        assert!(served.exact, "{plan}");
    }
    let fresh = Database::builder().background(false).open_in_memory().unwrap();
    fill(&fresh);
    let wanted = answers(&fresh);
    assert!(wanted.0.iter().all(|found| !found.is_empty()) && !wanted.1.is_empty());
    assert_eq!(answers(&db), wanted);
    let report = db.verify(&Control::none()).unwrap();
    assert!(report.is_sound(), "{report:?}");
}
