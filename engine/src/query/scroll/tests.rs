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
