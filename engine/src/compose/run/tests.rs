use crate::collection::Collection;
use crate::compose::kind::{FeedbackExample, OrderBy, Query, RecommendStrategy};
use crate::compose::request::{LookupFrom, Prefetch, QueryRequest};
use crate::config::{CollectionConfig, Distance, VectorParams};
use crate::db::Database;
use crate::error::Error;
use crate::formula::{Expression, Formula};
use crate::limits::MAX_PREFETCHES;
use crate::point::Point;
use crate::query::search::Idf;
use crate::score::Fusion;

/// Points from 0 whose vectors are all ones.
fn points(count: u64, size: usize, answer_bytes: usize) -> (Database, Collection) {
    let db = Database::builder()
        .background(false)
        .answer_bytes(answer_bytes)
        .open_in_memory()
        .unwrap();
    let config = CollectionConfig::new(VectorParams::new(size, Distance::Dot));
    let c = db.create_collection("c", config).unwrap();
    let points = (0..count).map(|id| Point::new(id, vec![1.0; size]));
    c.upsert(points.collect()).unwrap();
    (db, c)
}

#[test]
fn a_formula_counts_the_scores_that_it_has_of_each_point() {
    const POINTS: usize = 200;
    let formula = Formula::new(Expression::variable("$score"));
    let mut request = QueryRequest::new(Query::Formula(formula)).limit(1);
    request.prefetch = vec![Prefetch::new(None).limit(1); MAX_PREFETCHES];
    request.prefetch[0].limit = POINTS;
    for (bytes, is_enough) in [
        (MAX_PREFETCHES * POINTS, false),
        (MAX_PREFETCHES * POINTS * 16, true),
    ] {
        let (_db, c) = points(POINTS as u64, 1, bytes);
        let outcome = c.query(&request);
        if is_enough {
            assert_eq!(outcome.unwrap()[0].score, 1.0);
        } else {
            assert!(matches!(outcome, Err(Error::Limit { .. })), "{outcome:?}");
        }
    }
}

#[test]
fn examples_are_counted_before_they_are_looked_for() {
    let (_db, c) = points(1, 1_000, 100_000);
    let recommend = |strategy| {
        QueryRequest::new(Query::Recommend {
            positive: vec![7u64.into(); 100],
            negative: Vec::new(),
            strategy,
        })
    };
    for strategy in [RecommendStrategy::BestScore, RecommendStrategy::SumScores] {
        let outcome = c.query(&recommend(strategy));
        assert!(matches!(outcome, Err(Error::Limit { .. })), "{outcome:?}");
    }
    // Of a mean there is one.
    let outcome = c.query(&recommend(RecommendStrategy::AverageVector));
    assert!(matches!(outcome, Err(Error::PointNotFound { .. })), "{outcome:?}");
}

#[test]
fn feedback_whose_weights_are_no_numbers_is_refused() {
    let (_db, c) = points(3, 2, 1 << 20);
    let example = |score| FeedbackExample {
        example: [1.0, score].into(),
        score,
    };
    let feedback = |b, c| Query::Feedback {
        target: [1.0, 0.0].into(),
        examples: vec![example(10.0), example(1.0)],
        a: 1.0,
        b,
        c,
    };
    for (power, weight) in [(400.0, 1.0), (400.0, 0.0)] {
        for prefetch in [vec![], vec![Prefetch::new(None)]] {
            let mut request = QueryRequest::new(feedback(power, weight));
            request.prefetch = prefetch;
            let outcome = c.query(&request);
            assert!(matches!(outcome, Err(Error::InvalidRequest(_))), "{outcome:?}");
        }
    }
    assert_eq!(c.query(&QueryRequest::new(feedback(2.0, 1.0))).unwrap().len(), 3);
}

#[test]
fn what_is_not_about_vectors_takes_none() {
    let (_db, c) = points(1, 1, 1 << 20);
    let prefetch = || Prefetch::new(Query::nearest([1.0]));
    let requests = [
        QueryRequest::new(None),
        QueryRequest::new(Query::OrderBy(OrderBy::new("n"))),
        QueryRequest::new(Query::Sample { seed: None }),
        QueryRequest::new(Query::Fusion(Fusion::rrf())).prefetch(prefetch()),
        QueryRequest::new(Query::Formula(Formula::new(1.0))).prefetch(prefetch()),
    ];
    let from = LookupFrom {
        collection: "c".into(),
        vector: None,
    };
    for request in requests {
        assert!(c.query(&request).is_ok(), "{request:?}");
        let named = c.query(&request.clone().using("other"));
        let looked_up = c.query(&request.lookup_from(from.clone()));
        for (outcome, left_out) in [(named, "`using`"), (looked_up, "`lookup_from`")] {
            match outcome {
                Err(Error::InvalidRequest(what)) => assert!(what.contains(left_out), "{what}"),
                other => panic!("{other:?}"),
            }
        }
    }
    let inner = prefetch().prefetch(Prefetch::new(None).using("other"));
    let outcome = c.query(&QueryRequest::new(Query::nearest([1.0])).prefetch(inner));
    assert!(matches!(outcome, Err(Error::InvalidRequest(_))), "{outcome:?}");
}

#[test]
fn a_query_by_text_refuses_to_say_where_rare_dimensions_are_counted() {
    let (_db, c) = points(1, 1, 1_000_000);
    let request = QueryRequest::new(Query::text("owl"))
        .using("text")
        .idf(Idf::Global);
    let refused = c.query(&request).unwrap_err().to_string();
    assert!(refused.contains("leave out `idf`"), "{refused}");
}
