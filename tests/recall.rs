//! Does approximate search find what exact search finds, on real embeddings, and always the same?
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use serde_json::json;
use vdb::{
    Collection, CollectionConfig, Control, Database, Distance, Element, Filter, Point, PointId, ScoredPoint,
    SearchRequest, VectorParams,
};
use vdb_tests::npy;

/// Rows that are searched by and not stored.
const QUERIES: usize = 100;

/// Embeddings as each element type stores them best: bytes need numbers from 0 to 255.
fn scaled(rows: &[Vec<f32>], element: Element) -> Vec<Vec<f32>> {
    let scale = |x: &f32| match element {
        Element::F32 | Element::F16 => *x,
        Element::U8 => (x * 512.0 + 128.0).clamp(0.0, 255.0),
    };
    rows.iter().map(|row| row.iter().map(scale).collect()).collect()
}

fn load(db: &Database, params: VectorParams, rows: &[Vec<f32>]) -> Collection {
    let c = db.create_collection("c", CollectionConfig::new(params)).unwrap();
    let point = |(id, row): (u64, &Vec<f32>)| {
        Point::new(id, row.clone())
            .payload(json!({"n": id % 100}))
            .unwrap()
    };
    let points: Vec<Point> = (0..).zip(rows).map(point).collect();
    for batch in points.chunks(1_000) {
        c.upsert(batch.to_vec()).unwrap();
    }
    c.optimize(&Control::none()).unwrap();
    assert_eq!(c.info().unwrap().indexed_vectors, rows.len() as u64);
    c
}

fn ids(hits: &[ScoredPoint]) -> Vec<PointId> {
    hits.iter().map(|hit| hit.id).collect()
}

/// The share of the ten nearest that a default search finds.
fn recall(c: &Collection, queries: &[Vec<f32>], filter: Option<&Filter>) -> f64 {
    let mut found = 0;
    let mut wanted = 0;
    for query in queries {
        let mut request = SearchRequest::new(query.clone());
        request.filter = filter.cloned();
        let near = ids(&c.search(&request).unwrap());
        let exact = ids(&c.search(&request.exact(true)).unwrap());
        wanted += exact.len();
        found += exact.iter().filter(|id| near.contains(id)).count();
    }
    assert_eq!(wanted, queries.len() * 10);
    found as f64 / wanted as f64
}

#[test]
fn default_search_finds_nearly_all_of_the_ten_nearest_whatever_distance_and_element() {
    let rows = npy::wordnet();
    // The smallest set that gets a graph by default, and then some, to keep the test short.
    let rows = &rows[rows.len() - 2_400..];
    for element in [Element::F32, Element::F16, Element::U8] {
        let rows = scaled(rows, element);
        let (queries, rows) = rows.split_at(QUERIES);
        for distance in Distance::ALL {
            let db = Database::builder().background(false).open_in_memory().unwrap();
            let c = load(&db, VectorParams::new(npy::DIM, distance).element(element), rows);
            let recall = recall(&c, queries, None);
            println!("{distance} {element:?}: {recall:.3}");
            assert!(recall >= 0.95, "{distance}, {element:?}: {recall}");
        }
    }
}

#[test]
fn filters_of_any_selectivity_leave_the_nearest_matching_points_findable() {
    let rows = npy::wordnet();
    let (queries, rows) = rows.split_at(QUERIES);
    let db = Database::builder().background(false).open_in_memory().unwrap();
    let c = load(&db, VectorParams::new(npy::DIM, Distance::Cosine), rows);
    let all = recall(&c, queries, None);
    assert!(all >= 0.95, "without a filter: {all}");
    for indexed in [false, true] {
        if indexed {
            c.create_payload_index("n", vdb::PayloadIndexKind::Integer)
                .unwrap();
        }
        for percent in [1, 10, 50, 80, 99] {
            let filter =
                Filter::from_json(&json!({"must": [{"key": "n", "range": {"lt": percent}}]})).unwrap();
            let recall = recall(&c, queries, Some(&filter));
            println!("{percent} %, indexed {indexed}: {recall:.3}");
            assert!(recall >= 0.95, "{percent} %, indexed {indexed}: {recall}");
        }
    }
}

#[test]
fn one_thread_and_two_build_the_same_graph() {
    let rows = npy::wordnet();
    let (queries, rows) = rows[..2_200].split_at(QUERIES);
    let answers = |threads: usize| -> Vec<Vec<ScoredPoint>> {
        let db = Database::builder()
            .background(false)
            .threads(threads)
            .open_in_memory()
            .unwrap();
        let c = load(&db, VectorParams::new(npy::DIM, Distance::Cosine), rows);
        queries
            .iter()
            .map(|query| c.search(&SearchRequest::new(query.clone()).ef(16)).unwrap())
            .collect()
    };
    assert_eq!(answers(1), answers(2));
}

#[test]
fn exact_answers_keep_their_bits_across_flush_optimize_and_reopen() {
    let rows = npy::wordnet();
    let (queries, rows) = rows[..2_300].split_at(QUERIES);
    let dir = tempfile::tempdir().unwrap();
    let open = || {
        Database::builder()
            .background(false)
            .open(dir.path().join("db"))
            .unwrap()
    };
    let ask = |c: &Collection| -> Vec<Vec<ScoredPoint>> {
        let requests: Vec<_> = queries
            .iter()
            .map(|q| SearchRequest::new(q.clone()).limit(30).exact(true))
            .collect();
        c.search_batch(&requests).unwrap()
    };
    for (name, element) in [("f32", Element::F32), ("f16", Element::F16)] {
        let db = open();
        let params = VectorParams::new(npy::DIM, Distance::Cosine).element(element);
        let c = db.create_collection(name, CollectionConfig::new(params)).unwrap();
        c.upsert(
            (0..)
                .zip(rows)
                .map(|(id, row): (u64, _)| Point::new(id, row.clone()))
                .collect(),
        )
        .unwrap();
        let in_memory = ask(&c);
        drop((c, db));
        let db = open();
        let c = db.collection(name).unwrap();
        assert_eq!(ask(&c), in_memory, "{name}, from the log");
        c.flush().unwrap();
        assert_eq!(ask(&c), in_memory, "{name}, flushed");
        c.optimize(&Control::none()).unwrap();
        assert_eq!(ask(&c), in_memory, "{name}, with a graph");
        drop((c, db));
        assert_eq!(
            ask(&open().collection(name).unwrap()),
            in_memory,
            "{name}, opened again"
        );
    }
}
