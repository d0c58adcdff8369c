use std::collections::BTreeSet;
use std::sync::atomic::AtomicBool;
use std::thread;
use std::time::Duration;

use super::*;
use crate::live::lives_on;
use crate::query::allowance::Allowance;
use crate::query::nearest::search;
use crate::query::workers::Workers;
use crate::{
    Collection, CollectionConfig, CollectionUpdate, Database, Distance, OptimizerUpdate, Point, PointId,
    QuantizationSearch, Query, QueryParams, QueryRequest, RecommendStrategy, SearchRequest, VectorParams,
};

/// A row takes a KiB: a graph is made, and grows, with every 1,536 of them.
const DIM: usize = 256;
const STEP: u64 = 1_536;

/// A vector around one of some centres.
fn vector(seed: u64) -> Vec<f32> {
    let part = |x: u64| {
        let x = (x ^ (x >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        ((x ^ (x >> 32)) % 2_000) as f32 / 1_000.0 - 1.0
    };
    let numbers = 0..DIM as u64;
    numbers
        .map(|at| 2.0 * part((seed % 20) << 32 | at) + part(seed * 1_000 + at))
        .collect()
}

fn points(ids: impl Iterator<Item = u64>, salt: u64) -> Vec<Point> {
    ids.map(|id| Point::new(id, vector(id + salt))).collect()
}

fn collection(db: &Database) -> Collection {
    let config = CollectionConfig::new(VectorParams::new(DIM, Distance::Cosine));
    db.create_collection("c", config).unwrap()
}

fn database() -> Database {
    Database::builder().background(false).open_in_memory().unwrap()
}

/// Grows the graph if it asks for it; answers how many rows it then has.
fn grow_now(c: &Collection) -> u32 {
    assert!(!grow(c.shared(), c.core(), |_| true));
    let tables = c.core().tables();
    let live = tables.active.vectors(0).unwrap().live.graph();
    live.map_or(0, |live| {
        let report = live.graph.view().check();
        assert!(report.is_sound(), "{report:?}");
        live.graph.len()
    })
}

fn ids(c: &Collection, request: &SearchRequest) -> Vec<PointId> {
    c.search(request).unwrap().iter().map(|hit| hit.id).collect()
}

/// The share of the ten nearest that searches near stored rows find.
fn recall(c: &Collection) -> f64 {
    let mut found = 0;
    for query in 0..100 {
        let request = SearchRequest::new(vector(90_000 + query));
        let (near, exact) = (ids(c, &request), ids(c, &request.clone().exact(true)));
        found += exact.iter().filter(|id| near.contains(id)).count();
    }
    found as f64 / 1_000.0
}

#[test]
fn a_graph_grows_with_the_memtable_and_searches_see_all_of_it() {
    let db = database();
    let c = collection(&db);
    c.upsert(points(0..1_999, 0)).unwrap();
    assert_eq!(grow_now(&c), 0, "fewer rows than a segment needs for a graph");
    c.upsert(points(1_999..2_010, 0)).unwrap();
    assert_eq!(grow_now(&c), 2_010);
    // Behind the graph.
    c.upsert(points(2_010..2_010 + STEP - 1, 0)).unwrap();
    assert_eq!(grow_now(&c), 2_010);
    for id in [0, 1_000, 2_009, 2_010, 3_500] {
        assert_eq!(
            ids(&c, &SearchRequest::new(vector(id)).limit(1)),
            [PointId::from(id)]
        );
    }
    assert!(recall(&c) > 0.95);
    c.upsert(points(4_000..4_001, 0)).unwrap();
    assert_eq!(grow_now(&c), 2_010 + STEP as u32);
    assert!(recall(&c) > 0.95);
}

#[test]
fn behind_the_graph_nothing_is_found_where_only_graphs_are_asked() {
    const SOUGHT: u64 = 3_000;
    let db = database();
    let c = collection(&db);
    c.upsert(points(0..2_000, 0)).unwrap();
    assert_eq!(grow_now(&c), 2_000);
    c.upsert(points(2_000..3_999, 0)).unwrap();
    let best = Query::Recommend {
        positive: vec![vector(SOUGHT).into()],
        negative: Vec::new(),
        strategy: RecommendStrategy::BestScore,
    };
    let nearest = |query: &Query, indexed_only| {
        let params = QueryParams {
            indexed_only,
            ..QueryParams::default()
        };
        let request = QueryRequest::new(query.clone()).params(params).limit(1);
        c.query(&request).unwrap()[0].id
    };
    let queries = [Query::nearest(vector(SOUGHT)), best];
    for query in &queries {
        assert_eq!(nearest(query, true), PointId::from(SOUGHT), "too few to wait");
    }
    c.upsert(points(3_999..4_000, 0)).unwrap();
    for query in &queries {
        assert_eq!(nearest(query, false), PointId::from(SOUGHT));
        assert!(nearest(query, true) < PointId::from(2_000), "{query:?}");
    }
    assert_eq!(grow_now(&c), 4_000);
    for query in &queries {
        assert_eq!(nearest(query, true), nearest(query, false));
    }
    // All are scored for it.
    assert_eq!(nearest(&queries[1], true), PointId::from(SOUGHT));
}

#[test]
fn what_died_is_not_found_and_what_a_reader_may_not_see_neither() {
    let db = database();
    let c = collection(&db);
    c.upsert(points(0..2_000, 0)).unwrap();
    let before = c.core().view(&c.shared().visibility);
    // Rows of the graph die, others take their place in it that an earlier reader must not see.
    c.delete((0..100).map(PointId::from).collect::<Vec<_>>()).unwrap();
    c.upsert(points(100..300, 50_000)).unwrap();
    assert_eq!(grow_now(&c), 2_200);
    for id in [0, 50, 99] {
        let near = ids(&c, &SearchRequest::new(vector(id)));
        assert!(near.iter().all(|&near| near >= PointId::from(100)), "{near:?}");
    }
    let newest = ids(&c, &SearchRequest::new(vector(50_150)).limit(1));
    assert_eq!(newest, [PointId::from(150)]);
    assert!(recall(&c) > 0.95);
    for id in [0, 50, 150, 299, 1_999] {
        let request = SearchRequest::new(vector(id));
        let hits = search(&before, &request, &Workers::new(1), &Allowance::unlimited()).unwrap();
        assert_eq!(hits[0].id, PointId::from(id));
        assert!(hits[0].score > 0.999, "a version that the reader does not see");
    }
    // Hardly anything is left: as good as a scan.
    c.delete((100..1_990).map(PointId::from).collect::<Vec<_>>())
        .unwrap();
    let left = ids(&c, &SearchRequest::new(vector(7)).limit(100));
    assert_eq!(left.len(), 10);
}

#[test]
fn a_flushed_segment_has_its_graph_from_the_start() {
    let db = database();
    let c = collection(&db);
    // Ids in another order than they were written.
    c.upsert(points((0..2_500).map(|n| n * 7 % 2_503), 0)).unwrap();
    c.delete((0..60).map(PointId::from).collect::<Vec<_>>()).unwrap();
    assert_eq!(grow_now(&c), 2_500);
    c.upsert(points(5_000..5_400, 0)).unwrap();
    c.flush().unwrap();
    let segment = c.core().tables().segments[0].clone();
    let graph = segment.vectors(0).unwrap().graph().unwrap();
    assert_eq!(graph.len(), segment.rows());
    let report = graph.view().check();
    assert!(report.is_sound(), "{report:?}");
    assert!(recall(&c) > 0.95);
    // The next memtable starts from nothing, and so does its segment.
    c.upsert(points(6_000..6_010, 0)).unwrap();
    c.flush().unwrap();
    let info = c.info().unwrap();
    assert_eq!(info.indexed_vectors, u64::from(segment.rows()));
}

#[test]
fn the_same_writes_make_the_same_segments() {
    let graph = || {
        let db = database();
        let c = collection(&db);
        c.upsert(points(0..2_100, 0)).unwrap();
        grow_now(&c);
        c.upsert(points(2_100..4_000, 0)).unwrap();
        grow_now(&c);
        c.flush().unwrap();
        let segment = c.core().tables().segments[0].clone();
        segment.vectors(0).unwrap().graph().unwrap().info()
    };
    assert_eq!(graph(), graph());
}

#[test]
fn readers_see_one_version_of_each_point_while_the_graph_grows() {
    let db = database();
    let c = collection(&db);
    c.upsert(points(0..2_000, 0)).unwrap();
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            for (round, first) in (1..4).flat_map(|round| (0..2_000).step_by(50).map(move |at| (round, at))) {
                c.upsert(points(first..first + 50, round * 10_000)).unwrap();
            }
            done.store(true, Ordering::Release);
        });
        scope.spawn(|| {
            while !done.load(Ordering::Acquire) {
                grow(c.shared(), c.core(), |_| true);
            }
        });
        let mut query = 0;
        while !done.load(Ordering::Acquire) {
            query += 1;
            let near = ids(&c, &SearchRequest::new(vector(query)));
            let different: BTreeSet<PointId> = near.iter().copied().collect();
            assert_eq!((near.len(), different.len()), (10, 10), "{near:?}");
        }
    });
    assert!(recall(&c) > 0.95);
}

#[test]
fn a_memtable_that_is_full_in_no_time_gets_no_graph() {
    assert!(!lives_on(Duration::from_millis(100), 8 << 20, 16 << 20));
    assert!(lives_on(Duration::from_secs(1), 8 << 20, 16 << 20));
    let db = database();
    let c = collection(&db);
    c.upsert(points(0..2_100, 0)).unwrap();
    assert!(grow(c.shared(), c.core(), |_| false), "put off");
    assert_eq!(grow_now(&c), 2_100);
}

#[test]
fn no_graph_grows_where_nothing_is_to_be_done_in_the_background() {
    let db = database();
    let c = collection(&db);
    let threads = |most| {
        let change = OptimizerUpdate {
            max_optimization_threads: Some(most),
            ..OptimizerUpdate::default()
        };
        c.update_config(&CollectionUpdate::new().optimizer(change))
            .unwrap();
    };
    threads(Some(0));
    c.upsert(points(0..2_100, 0)).unwrap();
    assert_eq!(grow_now(&c), 0);
    threads(None);
    assert_eq!(grow_now(&c), 2_100);
}

#[test]
fn a_beam_as_wide_as_the_graph_compares_every_row() {
    let db = database();
    let c = collection(&db);
    c.upsert(points(0..2_100, 0)).unwrap();
    assert_eq!(grow_now(&c), 2_100);
    // Scores of codes are off; those of rows that are compared are not.
    let by_codes = |ef| QueryParams {
        ef,
        quantization: QuantizationSearch {
            rescore: Some(false),
            ..QuantizationSearch::default()
        },
        ..QueryParams::default()
    };
    let request = SearchRequest::new(vector(90_000));
    let exact = c.search(&request.clone().exact(true)).unwrap();
    let walked = c.search(&request.clone().params(by_codes(None))).unwrap();
    assert_ne!(walked, exact);
    for ef in [600, 1_000_000] {
        let wide = c.search(&request.clone().params(by_codes(Some(ef)))).unwrap();
        assert_eq!(wide, exact, "ef {ef}");
    }
}
