use serde_json::json;

use crate::filter::CompiledFilter;
use crate::query::allowance::Allowance;
use crate::query::matching::memtable_row_matches;
use crate::{
    Collection, CollectionConfig, Condition, Database, Filter, PayloadIndexParams, Point, PointId, Query,
    QueryRequest, ScoredPoint, Vectors,
};

fn database() -> Database {
    Database::builder().background(false).open_in_memory().unwrap()
}

fn collection(db: &Database, name: &str) -> Collection {
    let c = db.create_collection(name, CollectionConfig::default()).unwrap();
    let params = json!({"type": "text", "tokenizer": "word", "lowercase": true});
    c.create_payload_index("text", PayloadIndexParams::from_json(&params).unwrap())
        .unwrap();
    c
}

fn points(ids: std::ops::Range<u64>) -> Vec<Point> {
    let words = ["owl", "wren", "heron", "night", "day", "river", "owl"];
    ids.map(|id| {
        let word = |n: u64| words[((id * 5 + n * n) % 7) as usize];
        let text = (0..2 + id % 5).map(word).collect::<Vec<_>>().join(" ");
        Point::new(id, Vectors::default())
            .payload(json!({"text": text, "n": id}))
            .unwrap()
    })
    .collect()
}

/// Points in the order in which they are found by conditions and by rank.
fn answers(c: &Collection) -> (Vec<Vec<PointId>>, Vec<Vec<ScoredPoint>>) {
    let conditions = [
        Condition::text("text", "owl night"),
        Condition::text_any("text", "heron day"),
        Condition::phrase("text", "owl wren"),
    ];
    let matching = conditions.map(|condition| {
        let filter = Filter::must([condition]);
        let page = c
            .scroll(&crate::ScrollRequest::new().limit(1_000).filter(filter))
            .unwrap();
        page.points.into_iter().map(|point| point.id).collect()
    });
    let ranked = ["owl", "heron river", "night owl day"].map(|text| {
        let query = Query::text(text);
        c.query(&QueryRequest::new(query).using("text").limit(50))
            .unwrap()
    });
    (matching.into(), ranked.into())
}

/// Bytes of tokens that the memtable in use has kept.
fn kept(c: &Collection) -> usize {
    c.core().tables().active.texts.bytes()
}

#[test]
fn tokens_are_kept_once_they_were_asked_for_and_answers_are_those_of_segments() {
    let db = database();
    let c = collection(&db, "c");
    c.upsert(points(0..300)).unwrap();
    c.delete(vec![PointId::Num(7), PointId::Num(8)]).unwrap();
    assert_eq!(kept(&c), 0);
    let before = c.info().unwrap().memtable_bytes;
    let first = answers(&c);
    let held = kept(&c);
    assert!(held > 300 * 16, "{held}");
    assert_eq!(c.info().unwrap().memtable_bytes, before + held);
    assert_eq!(answers(&c), first);
    assert_eq!(kept(&c), held);
    // The write buffer hears of it with the next write, and gets all of it back.
    c.upsert(points(300..301)).unwrap();
    assert_eq!(db.info().memtable_bytes, c.info().unwrap().memtable_bytes);
    c.delete(vec![PointId::Num(300)]).unwrap();
    c.flush().unwrap();
    assert_eq!(db.info().memtable_bytes, 0);
    assert_eq!(answers(&c), first);
}

#[test]
fn an_index_that_comes_later_has_its_tokens_kept_too() {
    let db = database();
    let c = db.create_collection("c", CollectionConfig::default()).unwrap();
    c.upsert(points(0..100)).unwrap();
    let params = json!({"type": "text"});
    c.create_payload_index("text", PayloadIndexParams::from_json(&params).unwrap())
        .unwrap();
    c.upsert(points(100..200)).unwrap();
    let first = answers(&c);
    assert!(kept(&c) > 0);
    c.flush().unwrap();
    assert_eq!(answers(&c), first);
}

#[test]
fn a_condition_for_an_index_that_was_replaced_leaves_no_tokens() {
    let db = database();
    let c = collection(&db, "c");
    let filter = Filter::must([Condition::text("text", "ow")]);
    let stale = CompiledFilter::new(&filter, &*c.core().tables().schema).unwrap();
    assert!(c.drop_payload_index("text").unwrap());
    let params = json!({"type": "text", "tokenizer": "prefix", "min_token_len": 1});
    c.create_payload_index("text", PayloadIndexParams::from_json(&params).unwrap())
        .unwrap();
    c.upsert(points(0..100)).unwrap();
    let tables = c.core().tables();
    for (_, row) in tables.active.rows() {
        // By words, no text has this one.
        assert!(!memtable_row_matches(&tables.schema, row, Some(&stale), &Allowance::unlimited()).unwrap());
    }
    assert_eq!(kept(&c), 0);
    let found = c.count(Some(&filter)).unwrap();
    assert!(found > 0 && kept(&c) > 0);
    for (_, row) in tables.active.rows() {
        assert!(!memtable_row_matches(&tables.schema, row, Some(&stale), &Allowance::unlimited()).unwrap());
    }
    c.flush().unwrap();
    assert_eq!(c.count(Some(&filter)).unwrap(), found);
}

#[test]
fn what_is_kept_is_bounded_and_answers_do_not_depend_on_it() {
    let db = database();
    let params = json!({"type": "text", "tokenizer": "prefix", "min_token_len": 1, "max_token_len": 40});
    let c = db.create_collection("c", CollectionConfig::default()).unwrap();
    c.create_payload_index("text", PayloadIndexParams::from_json(&params).unwrap())
        .unwrap();
    // Each word has as many tokens as letters.
    let point = |id: u64| {
        let word = |n: u64| char::from(b'a' + (n % 26) as u8).to_string().repeat(40);
        let text: Vec<String> = (0..20).map(|n| word(id + n)).collect();
        Point::new(id, Vectors::default())
            .payload(json!({"text": text.join(" ")}))
            .unwrap()
    };
    c.upsert((0..50).map(point).collect()).unwrap();
    let found = |c: &Collection| {
        c.count(Some(&Filter::must([Condition::text("text", "cccc")])))
            .unwrap()
    };
    let first = found(&c);
    assert!(first > 0);
    let payloads = c.core().tables().active.payload_bytes() as usize;
    let most_of_a_row = 20 * 40 * (40 + 8) + 64;
    assert!(kept(&c) <= payloads * super::MOST_TIMES + most_of_a_row);
    assert!(kept(&c) > payloads);
    assert_eq!(found(&c), first);
    c.flush().unwrap();
    assert_eq!(found(&c), first);
}
