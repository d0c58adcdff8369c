//! Points in an order that no vector gives: by payload values, by id, at random.

use std::collections::BTreeSet;

use serde_json::Value;
use vdb::{Datetime, OrderBy, OrderValue, PointId, Query, QueryRequest, ScoredPoint};
use vdb_tests::oracle::op::parse_filter;
use vdb_tests::oracle::path;

use super::both::{Both, ROUNDS, page, request};

/// As a number that orders: numbers first, then datetimes.
fn order_key(value: &Value) -> Option<(u8, f64)> {
    match value {
        Value::Number(number) => Some((0, number.as_f64()?)),
        Value::String(text) => Some((1, text.parse::<Datetime>().ok()?.micros() as f64)),
        _ => None,
    }
}

fn key_of(value: OrderValue) -> (u8, f64) {
    match value {
        OrderValue::Integer(number) => (0, number as f64),
        OrderValue::Float(number) => (0, number),
        OrderValue::Datetime(at) => (1, at.micros() as f64),
    }
}

#[test]
fn orders_follow_payload_values_page_by_page() {
    for seed in 0..ROUNDS {
        let mut both = Both::new(seed);
        let filter = both.filter();
        for (path, descending) in [("n", false), ("f", true), ("many", true), ("many", false)] {
            let mut wanted: Vec<((u8, f64), PointId)> = Vec::new();
            for id in both.oracle.matching(filter.as_ref()) {
                let values = path::values(&both.oracle.points[&id].payload, path);
                wanted.extend(values.into_iter().filter_map(order_key).map(|key| (key, id)));
            }
            wanted.sort_by(|(a, x), (b, y)| {
                let order = a.partial_cmp(b).unwrap();
                if descending { order.reverse() } else { order }.then(x.cmp(y))
            });
            let entries = |found: &[ScoredPoint]| -> Vec<((u8, f64), PointId)> {
                found
                    .iter()
                    .map(|hit| (key_of(hit.order.unwrap()), hit.id))
                    .collect()
            };
            let mut by = OrderBy::new(path);
            by.descending = descending;
            let all = request(Query::OrderBy(by.clone()), "", filter.as_ref()).limit(1000);
            let found = both.c.query(&all).unwrap();
            assert_eq!(entries(&found), wanted, "{path}");
            assert!(found.iter().all(|hit| hit.score == 1.0));
            let mut paged = Vec::new();
            let mut next = by.clone();
            loop {
                let asked = request(Query::OrderBy(next.clone()), "", filter.as_ref()).limit(7);
                let found = both.c.query(&asked).unwrap();
                let Some(last) = found.last() else { break };
                next = next.after_point(last);
                paged.extend(entries(&found));
            }
            assert_eq!(paged, wanted, "{path}");
            let started = by.clone().start_from(2i64);
            let asked = request(Query::OrderBy(started), "", filter.as_ref()).limit(1000);
            let from = wanted.iter().filter(|(key, _)| {
                if descending {
                    *key <= (0, 2.0)
                } else {
                    *key >= (0, 2.0)
                }
            });
            let from: Vec<_> = from.copied().collect();
            assert_eq!(entries(&both.c.query(&asked).unwrap()), from, "{path}");
        }
    }
}

#[test]
fn ids_and_samples_are_of_what_matches() {
    for seed in 0..ROUNDS {
        let mut both = Both::new(seed);
        let filter = both.filter();
        let matching = both.oracle.matching(filter.as_ref());
        let mut plain = QueryRequest::new(None).limit(20).offset(5);
        plain.filter = filter.as_ref().map(parse_filter);
        let ids = |found: Vec<ScoredPoint>| -> Vec<PointId> { found.iter().map(|hit| hit.id).collect() };
        assert_eq!(ids(both.c.query(&plain).unwrap()), page(&matching, 5, 20));
        let sample = |seed, limit| {
            let asked = QueryRequest {
                query: Some(Query::Sample { seed }),
                limit,
                offset: 0,
                ..plain.clone()
            };
            ids(both.c.query(&asked).unwrap())
        };
        let drawn = sample(Some(seed), 20);
        assert_eq!(drawn, sample(Some(seed), 20));
        assert_eq!(drawn[..], sample(Some(seed), 40)[..drawn.len()]);
        let once: BTreeSet<PointId> = drawn.iter().copied().collect();
        assert_eq!(once.len(), matching.len().min(20));
        assert!(once.iter().all(|id| matching.contains(id)));
        let mut all = sample(None, 1000);
        all.sort_unstable();
        assert_eq!(all, matching);
    }
}
