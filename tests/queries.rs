//! Does every kind of query give what looking at all points gives? Over several segments and memory, with rows that died,
//! points without the vector, filters, indexes and without.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "a few kinds of JSON values matter, the others do not"
)]

mod both;
mod corners;
mod examples;
mod fusion;
mod groups;
mod orders;
mod refused;

use std::collections::BTreeSet;

use serde_json::{Value, json};
use vdb::{
    CollectionConfig, ContextPair, Control, Database, Distance, Error, Fusion, LookupFrom, OrderBy, Point,
    PointId, Prefetch, Query, QueryRequest, VectorParams, Vectors,
};
use vdb_tests::Numbers;
use vdb_tests::oracle::op::parse_filter;

use both::{Both, DIM, ROUNDS, agree, ids_of, page, request};

#[test]
fn nearest_and_average_vectors_are_searches() {
    for seed in 0..ROUNDS {
        let mut both = Both::new(seed);
        for name in ["", "other"] {
            let filter = both.filter();
            let target = both.input(name);
            let without = ids_of(&[&target]);
            let numbers = both.numbers_of(&target, name);
            let score = |row: &[f32]| both.similarity(&numbers, row);
            let ranked = both.ranked(name, (filter.as_ref(), &without), score);
            let public: Vec<_> = ranked.iter().map(|&(id, s)| (id, both.public(s))).collect();
            let asked = request(Query::Nearest(target), name, filter.as_ref())
                .offset(3)
                .limit(12);
            agree(&both.c.query(&asked).unwrap(), &page(&public, 3, 12), "nearest");

            let (a, b, away) = (both.input(name), both.input(name), both.input(name));
            let [of_a, of_b, of_away] = [&a, &b, &away].map(|input| both.numbers_of(input, name));
            let mean: Vec<f32> = (0..DIM).map(|i| of_a[i] + of_b[i] - of_away[i]).collect();
            let without = ids_of(&[&a, &b, &away]);
            let score = |row: &[f32]| both.similarity(&mean, row);
            let ranked = both.ranked(name, (filter.as_ref(), &without), score);
            let public: Vec<_> = ranked.iter().map(|&(id, s)| (id, both.public(s))).collect();
            let asked = request(Query::recommend([a, b], [away]), name, filter.as_ref()).limit(20);
            agree(&both.c.query(&asked).unwrap(), &page(&public, 0, 20), "average");
        }
    }
}

#[test]
fn filters_of_outer_queries_hold_in_inner_ones() {
    let both = Both::new(1);
    let n = |range: Value| parse_filter(&json!({"must": [{"key": "n", "range": range}]}));
    let deepest = Prefetch::new(None).limit(1000);
    let middle = Prefetch::new(Query::OrderBy(OrderBy::new("n")))
        .prefetch(deepest)
        .filter(n(json!({"gte": -5})))
        .limit(1000);
    let asked = QueryRequest::new(Query::Fusion(Fusion::rrf()))
        .prefetch(middle)
        .prefetch(
            Prefetch::new(Query::Sample { seed: None })
                .limit(1000)
                .filter(n(json!({"gte": 15}))),
        )
        .filter(n(json!({"lt": 18})))
        .limit(1000);
    let found: BTreeSet<PointId> = both.c.query(&asked).unwrap().iter().map(|hit| hit.id).collect();
    let wanted = both.oracle.matching(Some(
        &json!({"must": [{"key": "n", "range": {"gte": -5, "lt": 18}}]}),
    ));
    assert_eq!(found, wanted.into_iter().collect());
}

#[test]
fn vectors_of_another_collection_leave_its_ids_in_the_results() {
    let both = Both::new(0);
    let config = CollectionConfig::new(VectorParams::new(DIM, Distance::Cosine))
        .vector("v", VectorParams::new(DIM, Distance::Dot));
    let other = both.db.create_collection("examples", config).unwrap();
    let id = *both
        .oracle
        .points
        .iter()
        .find(|(_, point)| point.vectors.contains_key(""))
        .unwrap()
        .0;
    let numbers = both.oracle.points[&id].vectors[""].clone();
    other
        .upsert(vec![Point::new(
            id,
            Vectors::default().with("v", numbers.clone()),
        )])
        .unwrap();
    let from = |collection: &str, vector: Option<&str>| LookupFrom {
        collection: collection.into(),
        vector: vector.map(str::to_owned),
    };
    let asked = QueryRequest::new(Query::nearest(id)).exact(true).limit(1000);
    let by_numbers = both
        .c
        .query(&QueryRequest::new(Query::nearest(numbers)).exact(true).limit(1000))
        .unwrap();
    let found = both
        .c
        .query(&asked.clone().lookup_from(from("examples", Some("v"))))
        .unwrap();
    assert_eq!(found, by_numbers);
    both.db.create_alias("same", "c").unwrap();
    let own = both
        .c
        .query(&asked.clone().lookup_from(from("same", None)))
        .unwrap();
    assert_eq!(own, both.c.query(&asked).unwrap());
    assert_eq!(own.len() + 1, by_numbers.len());
    assert!(matches!(
        both.c.query(&asked.clone().lookup_from(from("nowhere", None))),
        Err(Error::CollectionNotFound { name }) if name == "nowhere"
    ));
    let unnamed = both.c.query(&asked.lookup_from(from("examples", None)));
    assert!(
        matches!(unnamed, Err(Error::PointWithoutVector { id: found, .. }) if found == id),
        "{unnamed:?}"
    );
    let missing = both.c.query(&QueryRequest::new(Query::nearest(999_999u64)));
    assert!(matches!(missing, Err(Error::PointNotFound { .. })));
}

#[test]
fn graphs_find_about_what_scans_find_and_batches_what_single_queries_find() {
    let db = Database::builder().background(false).open_in_memory().unwrap();
    let config = CollectionConfig::new(VectorParams::new(16, Distance::Cosine));
    let c = db.create_collection("c", config).unwrap();
    let mut numbers = Numbers::new(3);
    c.upsert(
        (0..6_000u64)
            .map(|id| Point::new(id, numbers.vector(16)))
            .collect(),
    )
    .unwrap();
    c.optimize(&Control::none()).unwrap();
    let kinds = [
        Query::nearest(5u64),
        Query::recommend([1u64, 2], [3]),
        Query::Mmr {
            target: 9u64.into(),
            diversity: 0.2,
            candidates: Some(50),
        },
        Query::Context(vec![ContextPair {
            positive: 1u64.into(),
            negative: 2u64.into(),
        }]),
        Query::Sample { seed: Some(4) },
    ];
    let requests: Vec<QueryRequest> = kinds.into_iter().map(QueryRequest::new).collect();
    let together = c.query_batch(&requests).unwrap();
    for (request, found) in requests.iter().zip(&together) {
        assert_eq!(&c.query(request).unwrap(), found);
        let exact = c.query(&request.clone().exact(true)).unwrap();
        let same = found
            .iter()
            .filter(|hit| exact.iter().any(|other| other.id == hit.id));
        assert!(same.count() >= 8, "{request:?}");
    }
}
