//! Does filtered search find what exact search finds among the points that match, on real embeddings and payloads?
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Map, Value, json};
use vdb::{
    Collection, CollectionConfig, Condition, Control, Database, Distance, Filter, PayloadIndexKind, Point,
    PointId, SearchRequest, VectorParams,
};
use vdb_tests::npy;

/// Rows that are searched by and not stored.
const QUERIES: usize = 60;

fn payloads() -> Vec<Map<String, Value>> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/data/wordnet/wordnet-5k.jsonl");
    let lines = std::fs::read_to_string(path).unwrap();
    lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// The demo set with a graph; indexes on what follows the vectors, `pos` and `lexfile`, and on `tag`, which does not.
fn demo(db: &Database, rows: &[Vec<f32>]) -> Collection {
    let params = VectorParams::new(npy::DIM, Distance::Cosine);
    let c = db.create_collection("c", CollectionConfig::new(params)).unwrap();
    let payloads = payloads();
    let points = (0u64..)
        .zip(rows)
        .zip(payloads.iter().skip(QUERIES))
        .map(|((id, row), payload)| {
            let tag = id.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
            let payload = json!({
                "pos": payload["pos"], "lexfile": payload["lexfile"], "lemmas": payload["lemmas"],
                "words": payload["words"], "tag": tag % 100,
            });
            Point::new(id, row.clone()).payload(payload).unwrap()
        });
    c.upsert(points.collect()).unwrap();
    c.create_payload_index("pos", PayloadIndexKind::Keyword).unwrap();
    c.create_payload_index("lexfile", PayloadIndexKind::Integer)
        .unwrap();
    c.create_payload_index("tag", PayloadIndexKind::Integer).unwrap();
    c.optimize(&Control::none()).unwrap();
    assert_eq!(c.info().unwrap().indexed_vectors, rows.len() as u64);
    c
}

fn ids(c: &Collection, request: &SearchRequest) -> Vec<PointId> {
    c.search(request).unwrap().iter().map(|hit| hit.id).collect()
}

fn recall(c: &Collection, queries: &[Vec<f32>], filter: &Filter, ef: Option<usize>) -> f64 {
    let (mut found, mut wanted) = (0, 0);
    for query in queries {
        let mut request = SearchRequest::new(query.clone()).filter(filter.clone());
        let exact = ids(c, &request.clone().exact(true));
        request.ef = ef;
        let near = ids(c, &request);
        assert_eq!(near.len(), exact.len());
        wanted += exact.len();
        found += exact.iter().filter(|id| near.contains(id)).count();
    }
    // Some topics have no point in the demo set.
    if wanted == 0 {
        1.0
    } else {
        found as f64 / wanted as f64
    }
}

#[test]
fn filters_that_follow_the_data_find_nearly_all_at_narrow_and_default_beams() {
    let rows = npy::wordnet();
    let (queries, rows) = rows.split_at(QUERIES);
    let db = Database::builder().background(false).open_in_memory().unwrap();
    let c = demo(&db, rows);
    let pos = ["noun", "verb", "adj", "adv"].map(|pos| Condition::matches("pos", pos));
    let lexfile = (0..45).map(|lexfile| Condition::matches("lexfile", lexfile));
    let mut filters: Vec<Filter> = pos
        .into_iter()
        .chain(lexfile)
        .map(|one| Filter::must([one]))
        .collect();
    let unindexed = |least: f64| Condition::range("lemmas", least..);
    filters.push(Filter::must([unindexed(1.0)]));
    filters.push(Filter::must([unindexed(3.0)]));
    filters.push(Filter::must([unindexed(3.0), Condition::matches("pos", "noun")]));
    filters.push(Filter::must([
        Condition::range("tag", ..10.0),
        Condition::matches("pos", "noun"),
    ]));
    filters.push(Filter::must([Condition::range("tag", ..50.0), unindexed(2.0)]));
    for filter in &filters {
        for (ef, least) in [(Some(16), 0.92), (Some(32), 0.95), (None, 0.97)] {
            let recall = recall(&c, queries, filter, ef);
            assert!(recall >= least, "{} at {ef:?}: {recall}", filter.to_json());
        }
    }
}

fn condition() -> impl Strategy<Value = Condition> {
    prop_oneof![
        prop::sample::select(vec!["noun", "verb", "adj", "adv"])
            .prop_map(|pos| Condition::matches("pos", pos)),
        (0i64..45).prop_map(|lexfile| Condition::matches("lexfile", lexfile)),
        prop::collection::vec(0i64..45, 1..20).prop_map(|some| Condition::matches_any("lexfile", some)),
        (0.0f64..100.0).prop_map(|end| Condition::range("tag", ..end)),
        (1i64..5).prop_map(|lemmas| Condition::matches("lemmas", lemmas)),
        "[a-e]".prop_map(|prefix| Condition::prefix("words", prefix)),
    ]
}

/// Conjunctions, negations and alternatives of conditions with an index and without.
fn filter() -> impl Strategy<Value = Filter> {
    let some = |least| prop::collection::vec(condition(), least..3);
    (some(0), some(0), prop::option::of(some(1))).prop_map(|(must, must_not, should)| Filter {
        must,
        must_not,
        should,
        ..Filter::default()
    })
}

#[test]
fn a_beam_as_wide_as_the_data_finds_exactly_what_matches() {
    let rows = npy::wordnet();
    let (queries, rows) = rows.split_at(QUERIES);
    let db = Database::builder().background(false).open_in_memory().unwrap();
    let c = demo(&db, rows);
    // Some points die and some are written again, into memory.
    let gone: Vec<u64> = (0..rows.len() as u64).filter(|id| id % 7 == 3).collect();
    let check = |cases| {
        let mut runner = TestRunner::new(Config::with_cases(cases));
        runner
            .run(&(filter(), 0..QUERIES, 1usize..30), |(filter, query, limit)| {
                let request = SearchRequest::new(queries[query].clone())
                    .filter(filter)
                    .limit(limit);
                let exact = ids(&c, &request.clone().exact(true));
                prop_assert_eq!(&ids(&c, &request.clone().ef(5_000)), &exact);
                prop_assert_eq!(ids(&c, &request).len(), exact.len());
                Ok(())
            })
            .unwrap();
    };
    check(150);
    c.delete(gone).unwrap();
    check(150);
}
