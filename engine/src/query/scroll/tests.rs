use proptest::prelude::*;
use serde_json::json;

use super::ScrollRequest;
use crate::config::{CollectionConfig, Distance, VectorParams};
use crate::db::Database;
use crate::error::Error;
use crate::filter::{Condition, Filter};
use crate::payload::PayloadIndexKind;
use crate::point::{Point, PointId};

/// Numbers, and every fourth a UUID.
fn id(n: u64) -> PointId {
    if n % 4 == 3 {
        PointId::Uuid(uuid::Uuid::from_u64_pair(n * 7 % 11, n))
    } else {
        n.into()
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn pages_backward_are_pages_forward_the_other_way_round(
        writes in prop::collection::vec((0u64..40, 0i64..3, any::<bool>()), 0..60),
        flush_at in 0usize..60,
        deleted in prop::collection::vec(0u64..40, 0..10),
        limit in 1usize..9,
        filtered in any::<bool>(),
        index in any::<bool>(),
    ) {
        let db = Database::builder().background(false).open_in_memory().unwrap();
        let config = CollectionConfig::new(VectorParams::new(1, Distance::Dot));
        let c = db.create_collection("c", config).unwrap();
        for (at, (n, v, _)) in writes.iter().enumerate() {
            c.upsert(vec![Point::new(id(*n), [1.0]).payload(json!({"v": v})).unwrap()]).unwrap();
            if at == flush_at {
                c.flush().unwrap();
            }
        }
        if index {
            c.create_payload_index("v", PayloadIndexKind::Integer).unwrap();
        }
        c.delete(deleted.into_iter().map(id).collect::<Vec<_>>()).unwrap();
        let mut request = ScrollRequest::new().limit(limit);
        if filtered {
            request = request.filter(Filter::must([Condition::matches("v", 1)]));
        }
        let mut forward = c.scroll(&request.clone().limit(1000)).unwrap().points;
        forward.reverse();
        let mut backward = Vec::new();
        let mut at = request.clone();
        loop {
            let page = c.scroll_back(&at).unwrap();
            prop_assert!(page.points.len() == limit || page.next_offset.is_none());
            backward.extend(page.points);
            match page.next_offset {
                Some(next) => at = at.offset(next),
                None => break,
            }
        }
        prop_assert_eq!(&backward, &forward);
        // From the middle, whether or not the point is there.
        for n in [0, 7, 20, 39] {
            let page = c.scroll_back(&request.clone().offset(id(n))).unwrap();
            let expected: Vec<_> = forward.iter().filter(|point| point.id < id(n)).take(limit).cloned().collect();
            prop_assert_eq!(page.points, expected);
        }
    }
}

#[test]
fn a_page_without_points_is_refused_either_way() {
    let db = Database::builder().background(false).open_in_memory().unwrap();
    let config = CollectionConfig::new(VectorParams::new(1, Distance::Dot));
    let c = db.create_collection("c", config).unwrap();
    let none = ScrollRequest::new().limit(0);
    for page in [c.scroll(&none), c.scroll_back(&none)] {
        assert!(matches!(page, Err(Error::InvalidRequest(_))));
    }
    let empty = c.scroll_back(&ScrollRequest::new()).unwrap();
    assert_eq!((empty.points, empty.next_offset), (Vec::new(), None));
}

#[test]
fn pages_of_a_slice_are_the_same_however_many_points_they_have() {
    let db = Database::builder().background(false).open_in_memory().unwrap();
    let config = CollectionConfig::new(VectorParams::new(1, Distance::Dot));
    let c = db.create_collection("c", config).unwrap();
    let points = (0..1_000).map(|n| Point::new(id(n), [1.0]).payload(json!({"v": n % 3})).unwrap());
    c.upsert(points.collect()).unwrap();
    c.create_payload_index("v", PayloadIndexKind::Integer).unwrap();
    c.flush().unwrap();
    c.delete((0..100).map(id).collect::<Vec<_>>()).unwrap();
    let slice = Condition::slice(4, 1);
    for filter in [
        Filter::must([slice.clone()]),
        Filter::must([Condition::matches("v", 1), slice.clone()]),
        Filter::must_not([slice]),
    ] {
        // Few points are asked for one by one, many are taken from the whole slice.
        let pages = |limit: usize| {
            let mut request = ScrollRequest::new().filter(filter.clone()).limit(limit);
            let mut found = Vec::new();
            loop {
                let page = c.scroll(&request).unwrap();
                found.extend(page.points);
                match page.next_offset {
                    Some(next) => request = request.offset(next),
                    None => return found,
                }
            }
        };
        let all = pages(1_000);
        assert_eq!(all.len() as u64, c.count(Some(&filter)).unwrap());
        assert!(!all.is_empty() && all.len() < 900);
        assert_eq!(pages(3), all);
        let last = c
            .scroll_back(&ScrollRequest::new().filter(filter.clone()).limit(3))
            .unwrap();
        assert!(last.points.iter().eq(all.iter().rev().take(3)));
    }
}
