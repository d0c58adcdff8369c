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

/// The last one is in few texts, the others in so many that bigrams of them are kept.
const WORDS: [&str; 7] = ["birds", "of", "prey", "naïve", "hunting", "Owls", "wren"];

/// The texts of a point, one or two.
fn texts(id: u64) -> Vec<String> {
    let numbers = &mut Numbers::new(id + 1);
    let mut text = || {
        let mut words: Vec<&str> = (0..numbers.below(7))
            .map(|_| *numbers.pick(&WORDS[..6]))
            .collect();
        if numbers.one_in(8) {
            words.extend(["birds", "of", "prey"]);
        }
        if numbers.one_in(9) {
            words.push(WORDS[6]);
        }
        words.join(" ")
    };
    let first = text();
    if id.is_multiple_of(5) {
        vec![first, text()]
    } else {
        vec![first]
    }
}

fn point(id: u64) -> Point {
    let mut texts = texts(id);
    let payload = match texts.as_mut_slice() {
        [one] => json!({"texts": one}),
        several => json!({"texts": several}),
    };
    Point::new(id, Vectors::default()).payload(payload).unwrap()
}

const ROWS: u64 = 400;
const POINTS: u64 = 410;
const DELETED: [u64; 2] = [7, 8];

fn fill(db: &Database) {
    let c = db.create_collection("c", CollectionConfig::default()).unwrap();
    let options = json!({
        "type": "text", "tokenizer": "word", "phrase_matching": true, "ascii_folding": true,
        "stemmer": {"type": "snowball", "language": "english"}, "stopwords": {"custom": ["hunting"]},
    });
    c.create_payload_index("texts", PayloadIndexParams::from_json(&options).unwrap())
        .unwrap();
    c.upsert((0..ROWS).map(point).collect()).unwrap();
    c.optimize(&Control::none()).unwrap();
    c.delete(DELETED.map(PointId::from).to_vec()).unwrap();
    c.upsert((ROWS - 5..POINTS).map(point).collect()).unwrap();
}

/// A text as the index has it.
fn tokens(text: &str) -> Vec<&str> {
    let words = text.split(' ').filter(|word| !["", "hunting"].contains(word));
    let token = |word| match word {
        "birds" => "bird",
        "naïve" => "naiv",
        "Owls" => "owl",
        other => other,
    };
    words.map(token).collect()
}

type Wanted = fn(&[Vec<&str>]) -> bool;

/// Conditions, and the points that they hold for by the tokens of their texts.
fn conditions() -> [(Condition, Wanted); 7] {
    fn has(texts: &[Vec<&str>], token: &str) -> bool {
        texts.iter().any(|text| text.contains(&token))
    }
    fn stands(texts: &[Vec<&str>], phrase: &[&str]) -> bool {
        let in_text = |text: &Vec<&str>| text.windows(phrase.len()).any(|tokens| tokens == phrase);
        texts.iter().any(in_text)
    }
    [
        (Condition::text("texts", "owl naive"), |texts| {
            has(texts, "owl") && has(texts, "naiv")
        }),
        (Condition::text_any("texts", "prey hunting"), |texts| {
            has(texts, "prey")
        }),
        (Condition::phrase("texts", "birds of"), |texts| {
            stands(texts, &["bird", "of"])
        }),
        (Condition::phrase("texts", "bird of prey"), |texts| {
            stands(texts, &["bird", "of", "prey"])
        }),
        (Condition::phrase("texts", "owls owl owl"), |texts| {
            stands(texts, &["owl"; 3])
        }),
        (Condition::phrase("texts", "prey wren"), |texts| {
            stands(texts, &["prey", "wren"])
        }),
        // Nothing stands where a stop word was.
        (Condition::phrase("texts", "naive hunting owls"), |texts| {
            stands(texts, &["naiv", "owl"])
        }),
    ]
}

/// What a text finds, with which scores.
fn ranked(db: &Database) -> Vec<(PointId, f32)> {
    let request = QueryRequest::new(Query::text("bird prey wren")).using("texts");
    let hits = db.collection("c").unwrap().query(&request.limit(1000)).unwrap();
    hits.iter().map(|hit| (hit.id, hit.score)).collect()
}

#[test]
fn the_golden_texts_read_in_full() {
    golden::regenerate(&golden_texts(), fill);
    let dir = tempfile::tempdir().unwrap();
    copy(&golden_texts(), dir.path());
    let db = golden::open(dir.path());
    let c = db.collection("c").unwrap();
    for (condition, wanted) in conditions() {
        let filter = Filter::must([condition]);
        let plan = c.explain(&filter).unwrap();
        let [segment] = plan.segments.as_slice() else {
            unreachable!("one segment: {plan}");
        };
        let served = &segment.conditions[0];
        let by_index = ServedBy::Index(PayloadIndexKind::Text);
        assert!(served.served_by == by_index && served.exact, "{plan}");
        let page = c
            .scroll(&ScrollRequest::new().filter(filter).limit(1000))
            .unwrap();
        let found: Vec<PointId> = page.points.iter().map(|point| point.id).collect();
        let holds = |id: &u64| {
            let texts = texts(*id);
            let texts: Vec<Vec<&str>> = texts.iter().map(|text| tokens(text)).collect();
            !DELETED.contains(id) && wanted(&texts)
        };
        let expected: Vec<PointId> = (0..POINTS).filter(holds).map(PointId::from).collect();
        assert!(!found.is_empty(), "{plan}");
        assert_eq!(found, expected, "{plan}");
    }
    let fresh = Database::builder().background(false).open_in_memory().unwrap();
    fill(&fresh);
    let wanted = ranked(&fresh);
    assert!(!wanted.is_empty());
    assert_eq!(ranked(&db), wanted);
    let report = db.verify(&Control::none()).unwrap();
    assert!(report.is_sound(), "{report:?}");
}
