//! What is refused or stopped, whatever the kind of query.

use serde_json::json;
use vdb::{
    ContextPair, Control, Database, Error, Expression, FacetRequest, FeedbackExample, Filter, Formula,
    Fusion, GroupRequest, MatrixRequest, OrderBy, Point, Prefetch, Query, QueryRequest, RecommendStrategy,
    VectorInput, Vectors,
};
use vdb_tests::oracle::op::parse_filter;

use super::both::{Both, DIM};

#[test]
fn what_cannot_be_meant_is_refused() {
    let both = Both::new(2);
    let nearest = || Query::nearest(vec![0.0; DIM]);
    let fusion = || Query::Fusion(Fusion::rrf());
    let prefetch = || Prefetch::new(nearest());
    let refused = [
        QueryRequest::new(nearest()).limit(0),
        QueryRequest::new(nearest()).ef(0),
        QueryRequest::new(nearest()).score_threshold(f32::NAN),
        QueryRequest::new(None).score_threshold(0.5),
        QueryRequest::new(Query::OrderBy(OrderBy::new("n"))).score_threshold(0.5),
        QueryRequest::new(None).prefetch(prefetch()),
        QueryRequest::new(fusion()),
        QueryRequest::new(fusion()).prefetch(prefetch()).using("other"),
        QueryRequest::new(fusion()).prefetch(prefetch().limit(0)),
        QueryRequest::new(Query::Formula(Formula::new(1.0))),
        QueryRequest::new(Query::Fusion(Fusion::Rrf { k: 0, weights: None })).prefetch(prefetch()),
        QueryRequest::new(Query::Fusion(Fusion::Rrf {
            k: 2,
            weights: Some(vec![1.0, 2.0]),
        }))
        .prefetch(prefetch()),
        QueryRequest::new(Query::Fusion(Fusion::Rrf {
            k: 2,
            weights: Some(vec![-1.0]),
        }))
        .prefetch(prefetch()),
        QueryRequest::new(Query::recommend([] as [u64; 0], [1u64])),
        QueryRequest::new(Query::Recommend {
            positive: Vec::new(),
            negative: Vec::new(),
            strategy: RecommendStrategy::BestScore,
        }),
        QueryRequest::new(Query::Context(Vec::new())),
        QueryRequest::new(Query::Mmr {
            target: 1u64.into(),
            diversity: 1.5,
            candidates: None,
        }),
        QueryRequest::new(Query::Mmr {
            target: 1u64.into(),
            diversity: 0.5,
            candidates: Some(0),
        }),
        QueryRequest::new(Query::Feedback {
            target: 1u64.into(),
            examples: Vec::new(),
            a: 1.0,
            b: 1.0,
            c: 1.0,
        }),
    ];
    for request in refused {
        let outcome = both.c.query(&request);
        assert!(
            matches!(outcome, Err(Error::InvalidRequest(_))),
            "{request:?}: {outcome:?}"
        );
    }
    let deep = (0..vdb::MAX_PREFETCH_DEPTH).fold(prefetch(), |inner, _| prefetch().prefetch(inner));
    let outcome = both.c.query(&QueryRequest::new(nearest()).prefetch(deep));
    assert!(matches!(outcome, Err(Error::Limit { .. })), "{outcome:?}");
    let wide = QueryRequest::new(nearest()).limit(usize::MAX);
    assert!(matches!(both.c.query(&wide), Err(Error::Limit { .. })));
    let short = QueryRequest::new(Query::nearest([1.0]));
    assert!(matches!(both.c.query(&short), Err(Error::WrongDimension { .. })));
    let grouped = GroupRequest::new(QueryRequest::new(nearest()).offset(1), "tag");
    assert!(both.c.query_groups(&grouped).is_err());
    assert!(both.c.facet(&FacetRequest::new("tag").limit(0)).is_err());
    assert!(both.c.distance_matrix(&MatrixRequest::new().sample(1)).is_err());
    let unknown: Filter = parse_filter(&json!({"must": [{"key": "n", "match": {"value": 1}}]}));
    let stopped = || true;
    let control = Control::cancelled_by(&stopped);
    let outcome = both
        .c
        .query_with(&QueryRequest::new(None).filter(unknown), &control);
    assert!(matches!(outcome, Err(Error::Cancelled)));
}

/// One of each kind, of all points or of prefetches.
fn one_of_each() -> Vec<QueryRequest> {
    let pair = || ContextPair {
        positive: vec![1.0; DIM].into(),
        negative: vec![-1.0; DIM].into(),
    };
    let target = || VectorInput::from(vec![0.5; DIM]);
    let recommend = |strategy| Query::Recommend {
        positive: vec![target()],
        negative: vec![vec![-2.0; DIM].into()],
        strategy,
    };
    let kinds = [
        Query::Nearest(target()),
        Query::Mmr {
            target: target(),
            diversity: 0.5,
            candidates: Some(100),
        },
        recommend(RecommendStrategy::AverageVector),
        recommend(RecommendStrategy::BestScore),
        recommend(RecommendStrategy::SumScores),
        Query::Discover {
            target: target(),
            context: vec![pair()],
        },
        Query::Context(vec![pair()]),
        Query::Feedback {
            target: target(),
            examples: vec![FeedbackExample {
                example: target(),
                score: 1.0,
            }],
            a: 1.0,
            b: 1.0,
            c: 1.0,
        },
        Query::OrderBy(OrderBy::new("many")),
        Query::Sample { seed: Some(1) },
    ];
    let prefetch = || Prefetch::new(None).limit(100);
    let composed = [
        Query::Fusion(Fusion::rrf()),
        Query::Fusion(Fusion::Dbsf),
        Query::Formula(Formula::new(Expression::variable("n"))),
    ];
    let of_all = kinds.iter().cloned().map(QueryRequest::new);
    let of_some = kinds.iter().cloned().chain(composed);
    let of_some = of_some.map(|kind| QueryRequest::new(kind).prefetch(prefetch()).prefetch(prefetch()));
    let requests = of_all.chain(of_some).chain([QueryRequest::new(None)]);
    requests
        .map(|request| request.limit(200).with_payload(true))
        .collect()
}

#[test]
fn every_kind_stops_when_it_is_told_to() {
    let both = Both::new(4);
    for request in one_of_each() {
        let whole = both.c.query(&request).unwrap();
        for probes in [0, 1, 3, 6] {
            let left = std::sync::atomic::AtomicUsize::new(probes);
            let one_less = |left: usize| Some(left.saturating_sub(1));
            let relaxed = std::sync::atomic::Ordering::Relaxed;
            let is_over = || left.fetch_update(relaxed, relaxed, one_less) == Ok(0);
            match both.c.query_with(&request, &Control::cancelled_by(&is_over)) {
                Err(Error::Cancelled) => {}
                Ok(found) => assert!(probes > 0 && found == whole, "{request:?}"),
                Err(other) => panic!("{request:?}: {other}"),
            }
        }
        let late = request.clone().timeout(std::time::Duration::ZERO);
        assert!(
            matches!(both.c.query(&late), Err(Error::Timeout { .. })),
            "{request:?}"
        );
    }
}

#[test]
fn answers_that_are_too_large_are_refused_whatever_the_kind() {
    let both = Both::new(5);
    let small = |bytes| {
        let db = Database::builder()
            .background(false)
            .answer_bytes(bytes)
            .open_in_memory()
            .unwrap();
        let c = db.create_collection("c", both.oracle.config.clone()).unwrap();
        let points = both.oracle.points.iter().map(|(id, point)| Point {
            id: *id,
            vectors: Vectors(point.vectors.clone()),
            payload: point.payload.clone(),
        });
        c.upsert(points.collect()).unwrap();
        (db, c)
    };
    let (_tight, refusing) = small(4_000);
    let (_wide, answering) = small(4 << 20);
    for request in one_of_each() {
        let refused = refusing.query(&request);
        assert!(
            matches!(refused, Err(Error::Limit { .. })),
            "{request:?}: {refused:?}"
        );
        assert!(answering.query(&request).is_ok(), "{request:?}");
    }
}
