//! What waits for its graph, where only graphs are asked for: left out by every kind of query, unless few of it can match.

use std::collections::BTreeSet;

use serde_json::json;
use vdb_index::Control;

use crate::{
    Collection, CollectionConfig, Condition, ContextPair, Database, Distance, FeedbackExample, Filter,
    Fusion, HnswConfig, MultiVectorComparator, PayloadIndexKind, Point, PointId, Prefetch, Query,
    QueryParams, QueryRequest, RecommendStrategy, ScoredPoint, VectorParams, Vectors,
};

const DIM: usize = 16;
/// So many rows get a graph.
const LEAST: u64 = 100;
/// Points with a graph; behind them come as many in a segment without one, and as many in memory.
const EACH: u64 = 2 * LEAST;
const ALL: u64 = 3 * EACH;
/// Points that queries name.
const EXAMPLES: [u64; 3] = [1, 2, 3];
/// One dense vector a point, and one multivector.
const NAMES: [&str; 2] = ["", "tokens"];

fn vector(seed: u64) -> Vec<f32> {
    let mix = |x: u64| {
        let x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        x ^ (x >> 31)
    };
    let part = |at: u64| (mix(seed << 20 ^ mix(at)) % 2_001) as f32 / 1_000.0 - 1.0;
    (0..DIM as u64).map(part).collect()
}

fn points(ids: std::ops::Range<u64>) -> Vec<Point> {
    let point = |id: u64| {
        let tokens = vec![vector(2 * id), vector(2 * id + 1)];
        let vectors = Vectors::from(vector(id)).with("tokens", tokens);
        let payload = json!({"part": id % 4, "same": id % 4});
        Point::new(id, vectors).payload(payload).unwrap()
    };
    ids.map(point).collect()
}

/// With an index of `part` and none of `same`.
fn collection() -> (Database, Collection) {
    let db = Database::builder().background(false).open_in_memory().unwrap();
    let tokens = VectorParams::new(DIM, Distance::Dot)
        .multivector(MultiVectorComparator::MaxSim)
        .hnsw_config(HnswConfig {
            full_scan_threshold: Some(1),
            ..HnswConfig::default()
        });
    let mut config = CollectionConfig::new(VectorParams::new(DIM, Distance::Dot)).vector("tokens", tokens);
    config.optimizer.index_min_rows = LEAST as u32;
    let c = db.create_collection("c", config).unwrap();
    c.create_payload_index("part", PayloadIndexKind::Integer).unwrap();
    c.upsert(points(0..EACH)).unwrap();
    c.optimize(&Control::none()).unwrap();
    c.upsert(points(EACH..2 * EACH)).unwrap();
    c.flush().unwrap();
    c.upsert(points(2 * EACH..ALL)).unwrap();
    let waiting: Vec<u64> = c.info().unwrap().vectors.iter().map(|v| v.waiting).collect();
    assert_eq!(waiting, [2 * EACH; 2]);
    (db, c)
}

/// Every kind of query that compares with vectors.
fn queries() -> Vec<Query> {
    let [a, b, d] = EXAMPLES.map(PointId::from);
    let recommend = |strategy| Query::Recommend {
        positive: vec![a.into(), b.into()],
        negative: vec![d.into()],
        strategy,
    };
    let pair = || ContextPair {
        positive: b.into(),
        negative: d.into(),
    };
    let feedback = |(example, score): (PointId, f32)| FeedbackExample {
        example: example.into(),
        score,
    };
    vec![
        Query::nearest(a),
        Query::Mmr {
            target: a.into(),
            diversity: 0.5,
            candidates: None,
        },
        recommend(RecommendStrategy::AverageVector),
        recommend(RecommendStrategy::BestScore),
        recommend(RecommendStrategy::SumScores),
        Query::Discover {
            target: a.into(),
            context: vec![pair()],
        },
        Query::Context(vec![pair()]),
        Query::Feedback {
            target: a.into(),
            examples: [(b, 0.9), (d, 0.1)].map(feedback).into(),
            a: 1.0,
            b: 1.0,
            c: 1.0,
        },
    ]
}

fn of_graphs() -> QueryParams {
    QueryParams {
        indexed_only: true,
        ..QueryParams::default()
    }
}

/// What is found of all points, the examples apart.
fn found(c: &Collection, request: &QueryRequest) -> BTreeSet<u64> {
    let number = |hit: ScoredPoint| match hit.id {
        PointId::Num(id) => id,
        PointId::Uuid(_) => panic!("ids are numbers"),
    };
    let hits = c.query(&request.clone().limit(ALL as usize)).unwrap();
    let ids: BTreeSet<u64> = hits.into_iter().map(number).collect();
    ids.into_iter().filter(|id| !EXAMPLES.contains(id)).collect()
}

fn ids(among: std::ops::Range<u64>, is_one: impl Fn(u64) -> bool) -> BTreeSet<u64> {
    among.filter(|id| is_one(*id) && !EXAMPLES.contains(id)).collect()
}

#[test]
fn every_kind_of_query_leaves_it_out() {
    let (_db, c) = collection();
    for is_built in [false, true] {
        if is_built {
            c.optimize(&Control::none()).unwrap();
        }
        let end = if is_built { ALL } else { EACH };
        for name in NAMES {
            for query in queries() {
                let all = QueryRequest::new(query.clone()).using(name);
                assert_eq!(found(&c, &all), ids(0..ALL, |_| true), "{all:?}");
                let only = all.params(of_graphs());
                assert_eq!(found(&c, &only), ids(0..end, |_| true), "{only:?}");
                let prefetch = Prefetch::new(query).using(name).params(of_graphs());
                let fused =
                    QueryRequest::new(Query::Fusion(Fusion::rrf())).prefetch(prefetch.limit(ALL as usize));
                assert_eq!(found(&c, &fused), ids(0..end, |_| true), "{fused:?}");
            }
        }
    }
}

#[test]
fn what_prefetches_have_found_is_scored_all_the_same() {
    let (_db, c) = collection();
    let by_id = Prefetch::new(None).limit(ALL as usize);
    for query in queries() {
        let request = QueryRequest::new(query)
            .params(of_graphs())
            .prefetch(by_id.clone());
        assert_eq!(found(&c, &request), ids(0..ALL, |_| true), "{request:?}");
    }
}

#[test]
fn few_of_a_segment_that_can_match_are_looked_at() {
    let (_db, c) = collection();
    // An index tells that 50 or 150 of a segment can match, and of those in memory nothing; without an index all can.
    let cases = [
        ("part", vec![1_i64], 2 * EACH),
        ("part", vec![1, 2, 3], EACH),
        ("same", vec![1], EACH),
    ];
    for (path, parts, end) in &cases {
        for name in NAMES {
            for query in queries() {
                let request = QueryRequest::new(query)
                    .using(name)
                    .filter(Filter::must([Condition::matches_any(*path, parts.clone())]))
                    .params(of_graphs());
                let matching = |id: u64| parts.contains(&((id % 4) as i64));
                assert_eq!(found(&c, &request), ids(0..*end, matching), "{request:?}");
            }
        }
    }
    // Ids need no index.
    let few = Filter::must([Condition::has_id([EACH, 2 * EACH])]);
    let request = QueryRequest::new(Query::nearest(vector(0)));
    let request = request.filter(few).params(of_graphs());
    assert_eq!(found(&c, &request), BTreeSet::from([EACH]));
}
