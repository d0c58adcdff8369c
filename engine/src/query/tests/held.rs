//! What is held on the way to an answer counts while it is held, and no longer.

use serde_json::json;
use vdb_index::Control;

use crate::collection::Collection;
use crate::compose::kind::Query;
use crate::compose::request::{Prefetch, QueryRequest};
use crate::config::CollectionConfig;
use crate::db::Database;
use crate::filter::{CompiledFilter, Condition, Filter};
use crate::payload::PayloadIndexKind;
use crate::point::{Point, Vectors};
use crate::query::allowance::Allowance;
use crate::query::matching::{self, Horizon};
use crate::query::rows::SegmentRows;

const ROWS: u64 = 4_000;

fn filled(db: &Database) -> Collection {
    let c = db.create_collection("c", CollectionConfig::default()).unwrap();
    for (path, kind) in [
        ("objects[].k", PayloadIndexKind::Keyword),
        ("objects[].n", PayloadIndexKind::Integer),
    ] {
        c.create_payload_index(path, kind).unwrap();
    }
    let point = |id: u64| {
        let word = |number: u64| ["a", "b", "c"][(number % 3) as usize];
        let object = |number: u64| json!({"k": word(number), "n": number % 7});
        let payload = json!({"objects": [object(id), object(id / 5)]});
        Point::new(id, Vectors::default()).payload(payload).unwrap()
    };
    c.upsert((0..ROWS).map(point).collect()).unwrap();
    c.optimize(&Control::none()).unwrap();
    c
}

/// Each of many prefetches within each other has as many points as the next one makes something of.
#[test]
fn a_stage_gives_back_what_it_draws_or_pages_through() {
    let db = Database::builder()
        .background(false)
        .answer_bytes(300 << 10)
        .open_in_memory()
        .unwrap();
    let c = filled(&db);
    let sample = || Query::Sample { seed: Some(5) };
    for innermost in [None, Some(sample())] {
        let mut prefetch = Prefetch::new(innermost).limit(500);
        for _ in 0..30 {
            prefetch = Prefetch::new(sample()).limit(500).prefetch(prefetch);
        }
        let request = QueryRequest::new(sample()).prefetch(prefetch).limit(5);
        assert_eq!(c.query(&request).unwrap().len(), 5);
    }
    // Side by side.
    let request = (0..8).fold(QueryRequest::new(sample()).limit(5), |request, seed| {
        let one = Query::Sample { seed: Some(seed) };
        request.prefetch(Prefetch::new(one).limit(200))
    });
    assert_eq!(c.query(&request).unwrap().len(), 5);
}

/// That one object has one word, and one of four numbers.
fn of_one_object() -> Filter {
    let (a, n) = (Condition::matches("k", "a"), Condition::range("n", 3.0..));
    Filter::must([Condition::nested("objects", Filter::must([a, n]))])
}

#[test]
fn marks_of_elements_count_with_the_memory_of_the_answer() {
    let db = Database::builder().background(false).open_in_memory().unwrap();
    let c = filled(&db);
    let filter = of_one_object();
    assert!(
        c.explain(&filter).unwrap().segments[0]
            .conditions
            .iter()
            .all(|one| one.exact)
    );
    let view = c.core().view(&db.shared().visibility);
    let schema = &view.tables.schema;
    let compiled = CompiledFilter::new(&filter, &**schema).unwrap();
    let all = c.count(Some(&filter)).unwrap();
    assert!(all > 0 && all < ROWS);
    // Where too little is left, rows are asked one by one.
    for (left, is_asked) in [(64 << 10, false), (100, true)] {
        let most = 1 << 20;
        let allowance = Allowance::new(Control::none(), "counting", most);
        allowance.take(most - left).unwrap();
        for segment in &view.tables.segments {
            let horizon = Horizon::At(view.lsn);
            let rows = SegmentRows::new(schema, segment, horizon, Some(&compiled), &allowance).unwrap();
            assert_eq!(rows.reads_payloads(), is_asked, "{left}");
        }
        assert_eq!(matching::count(&view, Some(&filter), &allowance).unwrap(), all);
    }
    // And where there never was more.
    let small = Allowance::new(Control::none(), "counting", 100);
    assert_eq!(matching::count(&view, Some(&filter), &small).unwrap(), all);
}

#[test]
fn marks_of_elements_do_not_add_up_over_the_searches_of_a_batch() {
    let bytes = 64 << 10;
    let db = Database::builder()
        .background(false)
        .answer_bytes(bytes)
        .open_in_memory()
        .unwrap();
    let c = filled(&db);
    let one = QueryRequest::new(None).filter(of_one_object()).limit(1);
    let requests = vec![one; 60];
    // Of each of five keys a bit for every row, at the least.
    assert!(requests.len() * 5 * (ROWS as usize / 8) > 2 * bytes);
    let answers = c.query_batch(&requests).unwrap();
    assert!(answers.iter().all(|points| points.len() == 1));
}
