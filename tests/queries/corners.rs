//! The ends of the scales: no point, one, or all alike; weights of nothing; what is not there.

use serde_json::{Value, json};
use vdb::{
    Collection, CollectionConfig, Condition, ContextPair, Database, Distance, Expression, Filter, Formula,
    Fusion, GroupId, GroupRequest, OrderBy, Point, PointId, Prefetch, Query, QueryRequest, RecommendStrategy,
    ScrollRequest, VectorParams,
};

/// Points 1 to 4, each with one number for a vector, in a segment and in memory.
fn collection(distance: Distance) -> (Database, Collection) {
    let db = Database::builder().background(false).open_in_memory().unwrap();
    let config = CollectionConfig::new(VectorParams::new(1, distance));
    let c = db.create_collection("c", config).unwrap();
    let payloads = [
        json!({"n": [3, 1, 3], "k": ["a", null, 2, 2.0, ["a"], true, {"k": "a"}]}),
        json!({"n": 2, "k": null, "big": u64::MAX}),
        json!({"n": [], "k": [], "list": [[1, 2], [3]]}),
        json!({"k": "b", "at": "2024-02-29T23:59:59.5+0130"}),
    ];
    let numbers = [1.0, 2.0, -1.0, 0.5];
    let points = (1_u64..).zip(numbers).zip(payloads);
    let points = points.map(|((id, number), payload)| Point::new(id, [number]).payload(payload).unwrap());
    let points: Vec<Point> = points.collect();
    c.upsert(points[..3].to_vec()).unwrap();
    c.flush().unwrap();
    c.upsert(points[3..].to_vec()).unwrap();
    (db, c)
}

fn ids(c: &Collection, request: &QueryRequest) -> Vec<PointId> {
    c.query(request).unwrap().iter().map(|hit| hit.id).collect()
}

fn scores(c: &Collection, request: &QueryRequest) -> Vec<(PointId, f32)> {
    let hits = c.query(request).unwrap();
    hits.iter().map(|hit| (hit.id, hit.score)).collect()
}

fn of<T: Copy>(found: &[(u64, T)]) -> Vec<(PointId, T)> {
    found.iter().map(|&(id, of_it)| (id.into(), of_it)).collect()
}

#[test]
fn conditions_at_their_ends_hold_for_what_they_should() {
    let (_db, c) = collection(Distance::Dot);
    let range = |key: &str, range: Value| json!({"key": key, "range": range});
    for (condition, expected) in [
        (json!({"has_id": [2, 2, 9]}), vec![2]),
        (json!({"has_id": []}), vec![]),
        (json!({"key": "k", "match": {"any": []}}), vec![]),
        (json!({"key": "k", "match": {"except": []}}), vec![1, 4]),
        (json!({"key": "k", "match": {"except": ["b"]}}), vec![1]),
        // Neither rounded nor looked for in lists within lists.
        (json!({"key": "k", "match": {"value": 2}}), vec![1]),
        (json!({"key": "list", "match": {"value": 3}}), vec![]),
        (json!({"key": "list[]", "match": {"value": 3}}), vec![3]),
        (
            json!({"key": "list", "values_count": {"gte": 2, "lte": 2}}),
            vec![3],
        ),
        (json!({"key": "big", "match": {"value": -1}}), vec![]),
        (range("big", json!({"gt": 1.8e19})), vec![2]),
        (range("n", json!({})), vec![1, 2]),
        (range("at", json!({"lte": "2024-02-29 22:29:59.500000"})), vec![4]),
        (range("at", json!({"gt": "2024-02-29T22:29:59.499999Z"})), vec![4]),
        (json!({"is_empty": {"key": "n"}}), vec![3, 4]),
        (json!({"is_null": {"key": "k"}}), vec![1, 2]),
        (json!({"key": "n", "is_null": false}), vec![1, 2, 3, 4]),
        (json!({"must": []}), vec![1, 2, 3, 4]),
        (json!({"nested": {"key": "k", "filter": {"should": []}}}), vec![]),
        (json!({"nested": {"key": "k", "filter": {}}}), vec![1]),
        (
            json!({"min_should": {"conditions": [{"has_id": [1]}], "min_count": 2}}),
            vec![],
        ),
        (json!({"slice": {"total": 1, "index": 0}}), vec![1, 2, 3, 4]),
    ] {
        let filter = Filter::from_json(&json!({"must": [condition]})).unwrap();
        let page = c.scroll(&ScrollRequest::new().filter(filter.clone())).unwrap();
        let found: Vec<PointId> = page.points.iter().map(|point| point.id).collect();
        let expected: Vec<PointId> = expected.into_iter().map(PointId::Num).collect();
        assert_eq!(found, expected, "{}", filter.to_json());
        assert_eq!(c.count(Some(&filter)).unwrap(), expected.len() as u64);
    }
    for refused in [
        json!({"min_should": {"conditions": [], "min_count": 0}}),
        json!({"must": [{"slice": {"total": 2, "index": 2}}]}),
        json!({"must": [{"key": "n"}]}),
    ] {
        assert!(Filter::from_json(&refused).is_err(), "{refused}");
    }
}

#[test]
fn lists_that_are_empty_or_all_alike_are_fused() {
    let (_db, c) = collection(Distance::Dot);
    let near = || Prefetch::new(Query::nearest([1.0])).limit(2);
    let nothing = Filter::must([Condition::HasId(Vec::new())]);
    let fused = |fusion: Fusion| {
        QueryRequest::new(Query::Fusion(fusion))
            .prefetch(near())
            .prefetch(near().filter(nothing.clone()))
    };
    let rrf = |weights: Option<Vec<f32>>| fused(Fusion::Rrf { k: 2, weights });
    assert_eq!(scores(&c, &rrf(None)), of(&[(2, 0.5), (1, 1.0 / 3.0)]));
    // A weight of nothing, whatever the rank.
    assert_eq!(scores(&c, &rrf(Some(vec![0.0, 1.0]))), of(&[(1, 0.0), (2, 0.0)]));
    let one = QueryRequest::new(Query::Fusion(Fusion::Dbsf)).prefetch(near().limit(1));
    assert_eq!(scores(&c, &one), of(&[(2, 0.5)]));
    let alike = Prefetch::new(None).limit(3);
    let alike = QueryRequest::new(Query::Fusion(Fusion::Dbsf)).prefetch(alike);
    assert_eq!(scores(&c, &alike), of(&[(1, 0.5), (2, 0.5), (3, 0.5)]));
    // What reaches the threshold stays.
    assert_eq!(ids(&c, &rrf(None).score_threshold(0.5)), [2.into()]);
    assert!(ids(&c, &rrf(None).offset(5)).is_empty());
}

#[test]
fn examples_at_their_ends_are_scored() {
    let (_db, c) = collection(Distance::Dot);
    let unlike = |strategy| {
        QueryRequest::new(Query::Recommend {
            positive: Vec::new(),
            negative: vec![vec![1.0].into()],
            strategy,
        })
    };
    assert_eq!(
        scores(&c, &unlike(RecommendStrategy::SumScores)),
        of(&[(3, 1.0), (4, -0.5), (1, -1.0), (2, -2.0)])
    );
    let g = |x: f64| (0.5 * (x / (1.0 + x.abs()) + 1.0)) as f32;
    assert_eq!(
        scores(&c, &unlike(RecommendStrategy::BestScore)),
        of(&[(3, -g(-1.0)), (4, -g(0.5)), (1, -g(1.0)), (2, -g(2.0))])
    );
    let pair = ContextPair {
        positive: vec![1.0].into(),
        negative: vec![0.0].into(),
    };
    let context = scores(&c, &QueryRequest::new(Query::Context(vec![pair])));
    assert_eq!(context[..3].iter().map(|hit| hit.1).collect::<Vec<_>>(), [0.0; 3]);
    assert_eq!(context[3].0, 3.into());
    let diverse = |diversity: f32| {
        ids(
            &c,
            &QueryRequest::new(Query::Mmr {
                target: vec![1.0].into(),
                diversity,
                candidates: None,
            }),
        )
    };
    assert_eq!(diverse(0.0), [2, 1, 4, 3].map(PointId::from));
    // The least like any that was chosen, after the nearest.
    assert_eq!(diverse(1.0), [2, 3, 4, 1].map(PointId::from));
}

#[test]
fn thresholds_leave_out_what_is_as_far() {
    for (distance, bar, expected) in [
        (Distance::Dot, 1.0, vec![2]),
        (Distance::Cosine, 1.0, vec![]),
        (Distance::Euclid, 1.0, vec![1, 4]),
        (Distance::Manhattan, 1.0, vec![1, 4]),
    ] {
        let (_db, c) = collection(distance);
        let request = QueryRequest::new(Query::nearest([1.0])).score_threshold(bar);
        let expected: Vec<PointId> = expected.into_iter().map(PointId::Num).collect();
        assert_eq!(ids(&c, &request), expected, "{distance:?}");
    }
}

#[test]
fn values_that_are_several_or_missing_are_ordered_grouped_and_reckoned_with() {
    let (_db, c) = collection(Distance::Dot);
    let ordered = c
        .query(&QueryRequest::new(Query::OrderBy(OrderBy::new("n"))))
        .unwrap();
    assert_eq!(
        ordered.iter().map(|hit| hit.id).collect::<Vec<_>>(),
        [1, 2, 1].map(PointId::from)
    );
    let groups = GroupRequest::new(QueryRequest::new(Query::nearest([1.0])), "k");
    let groups = c.query_groups(&groups).unwrap();
    let names: Vec<&GroupId> = groups.iter().map(|group| &group.id).collect();
    assert_eq!(
        names,
        [&GroupId::from("a"), &GroupId::from(2), &GroupId::from("b")]
    );
    let scored = |expression: Expression| {
        let all = Prefetch::new(None).limit(10);
        let formula = Query::Formula(Formula::new(expression).default_value("n", 7));
        c.query(&QueryRequest::new(formula).prefetch(all))
    };
    assert_eq!(
        scored(Expression::variable("n"))
            .unwrap()
            .iter()
            .map(|hit| hit.score)
            .collect::<Vec<_>>(),
        [7.0, 7.0, 3.0, 2.0]
    );
    assert!(scored(Expression::variable("missing")).is_err());
    // Nothing times something that is not there is nothing, and so is nothing divided by it.
    let nothing = || Expression::from(0.0);
    let quotient = |dividend: Expression, divisor: Expression| Expression::Quotient {
        dividend: Box::new(dividend),
        divisor: Box::new(divisor),
        by_zero: None,
    };
    assert!(scored(nothing() * Expression::variable("missing")).is_ok());
    assert!(scored(quotient(nothing(), Expression::variable("missing"))).is_ok());
    assert!(scored(quotient(Expression::from(1.0), nothing())).is_err());
}
