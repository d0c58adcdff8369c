//! Multivectors by their graph: what is found, what never is, and when all are compared instead.

use std::collections::BTreeSet;

use serde_json::json;
use vdb_index::Control;

use crate::{
    Collection, CollectionConfig, CollectionUpdate, Condition, Database, Distance, Filter, HnswConfig,
    MultiVectorComparator, Point, PointId, Quantization, QuantizationConfig, QuantizationSearch, QueryParams,
    RestoreMode, ScoredPoint, SearchRequest, SearchedBy, Status, VectorParams, Vectors,
};

const DIM: usize = 16;
const POINTS: u64 = 1_200;
/// Points have vectors of a few of these.
const TOPICS: u64 = 120;

/// Numbers that look random, -1 to 1.
fn noise(seed: u64) -> impl Iterator<Item = f32> {
    let mix = |x: u64| {
        let x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        x ^ (x >> 31)
    };
    (0..).map(move |at: u64| (mix(seed << 20 ^ mix(at)) % 2_001) as f32 / 1_000.0 - 1.0)
}

/// Some vectors around the topics of a seed: three topics, two to six vectors.
fn tokens(seed: u64) -> Vec<Vec<f32>> {
    let one = |n: u64| {
        let topic = noise(1_000_000 + (seed * 7 + n % 3 * 41) % TOPICS);
        let own = noise(2_000_000 + seed * 16 + n);
        topic
            .zip(own)
            .map(|(topic, own)| topic + 0.4 * own)
            .take(DIM)
            .collect()
    };
    (0..2 + seed % 5).map(one).collect()
}

/// Every tenth has no multivector.
fn point(id: u64) -> Point {
    let mut vectors = Vectors::default();
    if !id.is_multiple_of(10) {
        vectors = vectors.with("tokens", tokens(id));
    }
    Point::new(id, vectors).payload(json!({"part": id % 4})).unwrap()
}

fn has_tokens(ids: std::ops::Range<u64>) -> u64 {
    ids.filter(|id| !id.is_multiple_of(10)).count() as u64
}

/// A graph from 200 points on, and walked wherever it may be.
fn config(distance: Distance) -> CollectionConfig {
    let several = VectorParams::new(DIM, distance)
        .multivector(MultiVectorComparator::MaxSim)
        .hnsw_config(HnswConfig {
            full_scan_threshold: Some(1),
            ef_construct: Some(64),
            ..HnswConfig::default()
        });
    let mut config = CollectionConfig::default().vector("tokens", several);
    config.optimizer.index_min_rows = 200;
    config
}

fn database() -> Database {
    Database::builder().background(false).open_in_memory().unwrap()
}

fn filled(db: &Database, config: CollectionConfig) -> Collection {
    let c = db.create_collection("c", config).unwrap();
    c.upsert((0..POINTS).map(point).collect()).unwrap();
    optimize(&c);
    c
}

fn optimize(c: &Collection) {
    c.optimize(&Control::none()).unwrap();
}

fn request(seed: u64) -> SearchRequest {
    SearchRequest::new(tokens(seed)).using("tokens")
}

fn searched_by(c: &Collection) -> Vec<SearchedBy> {
    let plan = c.explain(&Filter::default()).unwrap();
    let vectors = plan.segments.iter().flat_map(|segment| &segment.vectors);
    vectors.map(|vector| vector.searched_by).collect()
}

/// Checks what is found against what is there, and answers how much of the best was found.
fn recall(c: &Collection, ask: impl Fn(SearchRequest) -> SearchRequest) -> f64 {
    let (mut found, mut wanted) = (0, 0);
    for seed in 0..40 {
        let hits = c.search(&ask(request(5_000 + seed))).unwrap();
        let all = c
            .search(&ask(request(5_000 + seed)).exact(true).limit(POINTS as usize))
            .unwrap();
        let score_of = |hit: &ScoredPoint| all.iter().find(|one| one.id == hit.id).map(|one| one.score);
        // A score does not depend on how a point was found.
        assert!(hits.iter().all(|hit| score_of(hit) == Some(hit.score)));
        assert!(hits.is_sorted_by(|a, b| a.score > b.score || (a.score == b.score && a.id < b.id)));
        assert_eq!(hits.len(), all.len().min(10));
        let best: BTreeSet<PointId> = all.iter().take(10).map(|hit| hit.id).collect();
        found += hits.iter().filter(|hit| best.contains(&hit.id)).count();
        wanted += best.len();
    }
    f64::from(found as u32) / f64::from(wanted as u32)
}

#[test]
fn most_of_the_best_are_found_by_the_graph_and_nothing_that_is_not_there() {
    let db = database();
    let c = filled(&db, config(Distance::Cosine));
    assert_eq!(searched_by(&c), [SearchedBy::Graph]);
    assert_eq!(c.info().unwrap().indexed_vectors, has_tokens(0..POINTS));
    assert!(db.verify(&Control::none()).unwrap().is_sound());

    let usual = recall(&c, |request| request);
    assert!(usual > 0.9, "{usual}");
    // 50 are compared at least, of 1,080.
    let narrow = recall(&c, |request| request.ef(100));
    assert!(narrow > 0.7 && narrow <= usual, "{narrow} and {usual}");
    // As many candidates as there are.
    assert_eq!(recall(&c, |request| request.ef(2 * POINTS as usize)), 1.0);

    // Filters by an index and by payloads, on more and on fewer points.
    let part = Filter::must([Condition::matches("part", 1)]);
    let rest = Filter::default().and_must_not([Condition::matches("part", 1)]);
    for indexed in [false, true] {
        if indexed {
            c.create_payload_index("part", crate::PayloadIndexKind::Integer)
                .unwrap();
        }
        for filter in [&part, &rest] {
            let among = recall(&c, |request| request.filter(filter.clone()));
            assert!(among > 0.9, "{among}, {indexed}, {filter:?}");
        }
        let hits = c.search(&request(77).filter(part.clone()).limit(50)).unwrap();
        assert!(
            hits.iter()
                .all(|hit| matches!(hit.id, PointId::Num(id) if id % 4 == 1))
        );
    }

    // What has died is not found, in the segment nor without it, and what is new is.
    c.delete(
        (0..POINTS)
            .filter(|id| id % 3 == 0)
            .map(PointId::from)
            .collect::<Vec<_>>(),
    )
    .unwrap();
    c.upsert((POINTS..POINTS + 50).map(point).collect()).unwrap();
    for rewritten in [false, true] {
        let left = recall(&c, |request| request);
        assert!(left > 0.9, "{left}, {rewritten}");
        let hits = c.search(&request(31).limit(200)).unwrap();
        let is_dead = |id: &PointId| matches!(id, PointId::Num(id) if *id < POINTS && id % 3 == 0);
        assert!(!hits.iter().any(|hit| is_dead(&hit.id)));
        let own = c.search(&request(POINTS + 1).limit(1)).unwrap();
        assert_eq!(own[0].id, PointId::Num(POINTS + 1));
        // The graph of what is left is grown from the one before.
        optimize(&c);
        assert_eq!(searched_by(&c), [SearchedBy::Graph]);
    }
    assert!(db.verify(&Control::none()).unwrap().is_sound());
}

#[test]
fn the_same_graph_comes_back_with_a_snapshot_and_answers_alike() {
    let db = database();
    let c = filled(&db, config(Distance::Dot));
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("snapshot");
    c.snapshot_to_dir(&path, &Control::none()).unwrap();
    let restored = db
        .restore_collection(&path, "restored", RestoreMode::Replace, &Control::none())
        .unwrap();
    assert_eq!(searched_by(&restored), [SearchedBy::Graph]);
    for seed in 0..10 {
        let found = |c: &Collection| c.search(&request(seed)).unwrap();
        assert_eq!(found(&c), found(&restored));
    }
}

#[test]
fn there_is_a_graph_where_settings_want_one_and_as_they_want_it() {
    let params = |c: &Collection| {
        let tables = c.core().tables();
        let [segment] = &tables.segments[..] else {
            panic!("{} segments", tables.segments.len());
        };
        segment.graph(0).map(|graph| graph.view().params())
    };
    let db = database();
    let c = filled(&db, config(Distance::Cosine));
    assert_eq!(params(&c).map(|params| params.m), Some(16));
    let update = |m| {
        CollectionUpdate::new().hnsw(HnswConfig {
            m: Some(m),
            ..HnswConfig::default()
        })
    };
    // Without codes there would be nothing to walk on: they are those of eight bits, and stay.
    c.update_config(&update(8).quantization(QuantizationConfig::Codes(Quantization::Off)))
        .unwrap();
    assert_eq!(c.info().unwrap().status, Status::Optimizing);
    optimize(&c);
    let found = params(&c).unwrap();
    assert_eq!((found.m, found.quantization), (8, Quantization::Int8));
    assert_eq!(c.info().unwrap().status, Status::Ready);
    c.update_config(&update(0)).unwrap();
    optimize(&c);
    assert_eq!(params(&c), None);
    assert_eq!(searched_by(&c), [SearchedBy::Scan]);
    assert_eq!(recall(&c, |request| request), 1.0);
    assert_eq!(c.info().unwrap().indexed_vectors, 0);

    // Distances have no graph, and wait for none.
    let db = database();
    let c = filled(&db, config(Distance::Euclid));
    assert_eq!(searched_by(&c), [SearchedBy::Scan]);
    assert_eq!(c.info().unwrap().status, Status::Ready);
    let own = c.search(&request(11).limit(1)).unwrap();
    assert_eq!((own[0].id, own[0].score), (PointId::Num(11), 0.0));
}

#[test]
fn all_are_compared_where_that_is_asked_for_or_costs_less() {
    let db = database();
    let mut planned = config(Distance::Cosine);
    planned.vectors[0].1.hnsw.full_scan_threshold = None;
    let c = filled(&db, planned);
    assert_eq!(searched_by(&c), [SearchedBy::Graph]);
    // Some 4,000 vectors of 16 numbers: walking costs more.
    assert_eq!(recall(&c, |request| request.ef(20)), 1.0);
    let threshold = CollectionUpdate::new().hnsw(HnswConfig {
        full_scan_threshold: Some(1),
        ..HnswConfig::default()
    });
    c.update_config(&threshold).unwrap();
    assert!(recall(&c, |request| request.ef(20)) < 1.0);
    let by_codes = QuantizationSearch {
        ignore: true,
        ..QuantizationSearch::default()
    };
    let full = QueryParams {
        quantization: by_codes,
        ef: Some(20),
        ..QueryParams::default()
    };
    assert_eq!(recall(&c, |request| request.params(full.clone())), 1.0);
}

#[test]
fn what_waits_for_its_graph_is_left_out_where_only_graphs_are_asked() {
    let db = database();
    let c = db.create_collection("c", config(Distance::Cosine)).unwrap();
    let indexed_only = QueryParams {
        indexed_only: true,
        ..QueryParams::default()
    };
    let found = |c: &Collection| {
        let request = request(3).params(indexed_only.clone()).limit(20);
        c.search(&request).unwrap().len()
    };
    c.upsert((0..100).map(point).collect()).unwrap();
    // So few are to have none.
    assert_eq!(found(&c), 20);
    c.upsert((100..600).map(point).collect()).unwrap();
    assert_eq!(found(&c), 0);
    c.flush().unwrap();
    assert_eq!(found(&c), 0);
    optimize(&c);
    assert_eq!(found(&c), 20);
}
