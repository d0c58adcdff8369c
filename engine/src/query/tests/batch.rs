//! Requests get the same answers in company as alone, whatever the threads.

use serde_json::json;
use vdb_index::Control;

use crate::collection::Collection;
use crate::config::{CollectionConfig, Distance, VectorParams};
use crate::db::Database;
use crate::filter::{Condition, Filter};
use crate::point::{Point, Vectors};
use crate::query::search::SearchRequest;
use crate::settings::OptimizerConfig;

/// Small whole numbers, so that many scores tie.
fn vector(seed: u64, size: usize) -> Vec<f32> {
    let number = |i: usize| (seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> (i % 48)) % 5;
    (0..size).map(|i| number(i) as f32 - 2.0).collect()
}

fn points(ids: std::ops::Range<u64>, size: usize) -> Vec<Point> {
    let vectors = |id: u64| {
        // Some points lack one of the vectors.
        let vectors = Vectors::from(vector(id, size));
        if id.is_multiple_of(7) {
            vectors
        } else {
            vectors.with("other", vector(id + 1, size))
        }
    };
    ids.map(|id| Point::new(id, vectors(id)).payload(json!({"n": id % 3})).unwrap())
        .collect()
}

/// A segment with a graph, one without, a frozen part that is none, and a memtable; rows have died in each.
fn filled(threads: usize, distance: Distance, rows: u64) -> (Database, Collection) {
    const SIZE: usize = 24;
    let db = Database::builder()
        .background(false)
        .threads(threads)
        .open_in_memory()
        .unwrap();
    let optimizer = OptimizerConfig {
        index_min_rows: 500,
        ..OptimizerConfig::default()
    };
    let params = VectorParams::new(SIZE, distance);
    let config = CollectionConfig::new(params.clone())
        .vector("other", params)
        .optimizer(optimizer);
    let c = db.create_collection("c", config).unwrap();
    c.upsert(points(0..rows, SIZE)).unwrap();
    c.optimize(&Control::none()).unwrap();
    c.upsert(points(rows..rows + 300, SIZE)).unwrap();
    c.flush().unwrap();
    // Superseded and deleted rows in both segments, and in the memtable.
    c.upsert(points(rows - 40..rows + 60, SIZE)).unwrap();
    c.upsert(points(rows + 300..rows + 500, SIZE)).unwrap();
    let dead = (0..rows + 500).filter(|id| id % 11 == 3).collect::<Vec<_>>();
    c.delete(dead).unwrap();
    (db, c)
}

/// Exact and not, deep and shallow, filtered, thresholded, on both vectors.
fn requests() -> Vec<SearchRequest> {
    (0..150u64)
        .map(|at| {
            let mut request = SearchRequest::new(vector(at * 31, 24)).limit(1 + at as usize % 23);
            request.exact = at % 3 != 0;
            request.offset = [0, 0, 5, 400][at as usize % 4];
            request.ef = (at % 9 == 0).then_some(700);
            request.score_threshold = (at % 8 == 1).then_some(if at % 16 == 1 { 3.0 } else { 0.5 });
            if at % 10 == 4 {
                request = request.using("other");
            }
            if at % 13 == 5 {
                request = request.filter(Filter::must([Condition::matches("n", 1)]));
            }
            request.with_payload(at % 6 == 0)
        })
        .collect()
}

#[test]
fn a_batch_answers_as_its_requests_do_alone() {
    for distance in [Distance::Dot, Distance::Euclid] {
        let (_db, alone) = filled(1, distance, 1_500);
        let (_other, together) = filled(3, distance, 1_500);
        let requests = requests();
        let batch = together.search_batch(&requests).unwrap();
        assert_eq!(batch, alone.search_batch(&requests).unwrap());
        for (request, answer) in requests.iter().zip(&batch) {
            let single = together.search(request).unwrap();
            assert_eq!(answer, &single, "{request:?}");
            let bits = |hits: &[crate::point::ScoredPoint]| -> Vec<u32> {
                hits.iter().map(|hit| hit.score.to_bits()).collect()
            };
            assert_eq!(bits(answer), bits(&single));
        }
        assert!(batch.iter().filter(|hits| !hits.is_empty()).count() > 50);
    }
}

#[test]
fn a_large_scan_finds_the_same_by_one_thread_and_by_several() {
    let rows = 9_000;
    let find = |threads: usize| {
        let db = Database::builder()
            .background(false)
            .threads(threads)
            .open_in_memory()
            .unwrap();
        let config = CollectionConfig::new(VectorParams::new(256, Distance::Euclid));
        let c = db.create_collection("c", config).unwrap();
        let point = |id: u64| Point::new(id, vector(id, 256));
        c.upsert((0..rows).map(point).collect()).unwrap();
        c.flush().unwrap();
        c.upsert((rows - 10..rows + 4_000).map(point).collect()).unwrap();
        c.delete(vec![3u64, 8_000, rows + 5]).unwrap();
        let request = SearchRequest::new(vector(5, 256)).exact(true);
        let deep = c.search(&request.clone().limit(3_000)).unwrap();
        (c.search(&request).unwrap(), deep)
    };
    let one = find(1);
    assert_eq!(one.1[..10], one.0);
    assert_eq!(find(4), one);
}
