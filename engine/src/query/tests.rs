mod allowance;
mod batch;
mod held;
mod multi;
mod sparse;
mod waiting;

use serde_json::json;

use crate::catalog::AliasChange;
use crate::collection::Collection;
use crate::config::{CollectionConfig, Distance, VectorParams};
use crate::db::Database;
use crate::error::Error;
use crate::limits::MAX_LIMIT;
use crate::payload::PayloadIndexKind;
use crate::point::{Point, PointId};
use crate::query::search::SearchRequest;

fn collection(size: usize, distance: Distance) -> (Database, Collection) {
    let db = Database::builder().background(false).open_in_memory().unwrap();
    let config = CollectionConfig::new(VectorParams::new(size, distance));
    let c = db.create_collection("c", config).unwrap();
    (db, c)
}

#[test]
fn sums_that_overflow_lose_no_point_and_scores_stay_numbers() {
    for flush in [false, true] {
        let (_db, c) = collection(64, Distance::Dot);
        let signs = |id: u64| (0..64).map(move |i| if (i + id).is_multiple_of(2) { 1e30 } else { -1e30 });
        c.upsert(
            (0..4)
                .map(|id| Point::new(id, signs(id).collect::<Vec<f32>>()))
                .collect(),
        )
        .unwrap();
        if flush {
            c.flush().unwrap();
        }
        let mut query = vec![1e30; 64];
        let hits = c.search(&SearchRequest::new(query.clone()).exact(true)).unwrap();
        assert_eq!(hits.iter().map(|h| h.score).collect::<Vec<_>>(), [0.0; 4]);
        query[0] = 3e30;
        let hits = c.search(&SearchRequest::new(query)).unwrap();
        let found: Vec<_> = hits.iter().map(|h| (h.id, h.score)).collect();
        let (top, low) = (f32::MAX, -f32::MAX);
        let ids = [0u64, 2, 1, 3].map(PointId::from);
        assert_eq!(
            found,
            [(ids[0], top), (ids[1], top), (ids[2], low), (ids[3], low)]
        );
        assert!(json!(hits[0].score).is_number());
    }
}

#[test]
fn equal_scores_come_in_the_order_of_ids_on_every_page() {
    for tables in 1..=2 {
        let (_db, c) = collection(2, Distance::Euclid);
        // Squares that differ and roots that often do not, the nearer ones with the greater ids.
        let point = |id: u64| Point::new(id, [1.0, ((2_000 - id) as f32 * f32::EPSILON).sqrt()]);
        c.upsert((0..1_000).map(point).collect()).unwrap();
        if tables == 2 {
            c.flush().unwrap();
        }
        c.upsert((1_000..2_000).map(point).collect()).unwrap();
        let request = SearchRequest::new([0.0, 0.0]).exact(true);
        let all = c.search(&request.clone().limit(2_000)).unwrap();
        let tied = |pair: &[crate::point::ScoredPoint]| pair[0].score == pair[1].score;
        assert!(all.windows(2).filter(|pair| tied(pair)).count() > 500);
        for pair in all.windows(2) {
            assert!(pair[0].score < pair[1].score || (tied(pair) && pair[0].id < pair[1].id));
        }
        for offset in (0..2_000).step_by(7) {
            let page = c.search(&request.clone().offset(offset).limit(7)).unwrap();
            assert_eq!(page, all[offset..(offset + 7).min(2_000)]);
        }
    }
}

#[test]
fn an_offset_beyond_what_may_be_skipped_is_refused() {
    let (_db, c) = collection(1, Distance::Dot);
    c.upsert(vec![Point::new(1, [1.0])]).unwrap();
    let request = SearchRequest::new([1.0]);
    for offset in [MAX_LIMIT + 1, usize::MAX] {
        let refused = c.search(&request.clone().offset(offset));
        assert!(
            matches!(refused, Err(Error::Limit { limit: MAX_LIMIT, found, .. }) if found == offset),
            "{refused:?}"
        );
    }
    assert_eq!(
        c.search(&request.clone().offset(MAX_LIMIT).limit(MAX_LIMIT))
            .unwrap(),
        []
    );
    assert_eq!(c.search(&request.limit(MAX_LIMIT)).unwrap().len(), 1);
}

#[test]
fn of_several_searches_the_first_that_fails_tells() {
    let (_db, c) = collection(1, Distance::Dot);
    c.upsert((0..2_000u64).map(|id| Point::new(id, [1.0])).collect())
        .unwrap();
    let mut requests = vec![SearchRequest::new([1.0]).limit(1_000); 40];
    // Another thread comes to the second half at once.
    requests[19] = SearchRequest::new([1.0]).using("first");
    requests[20..].fill(SearchRequest::new([1.0]).using("later"));
    for _ in 0..50 {
        let refused = c.search_batch(&requests);
        assert!(
            matches!(&refused, Err(Error::UnknownVector { name, .. }) if name == "first"),
            "{refused:?}"
        );
    }
}

#[test]
fn every_call_on_a_dropped_collection_names_it_as_it_was_asked_for() {
    let (db, c) = collection(1, Distance::Dot);
    c.upsert(vec![Point::new(1, [1.0])]).unwrap();
    db.create_alias("other", "c").unwrap();
    let other = db.collection("other").unwrap();
    assert!(db.drop_collection("c").unwrap());
    for (c, name) in [(c, "c"), (other, "other")] {
        let outcomes = [
            c.upsert(vec![Point::new(1, [1.0])]).map(drop),
            c.delete(vec![1u64]).map(drop),
            c.create_payload_index("n", PayloadIndexKind::Integer),
            c.drop_payload_index("n").map(drop),
            c.flush(),
            c.optimize(&vdb_index::Control::none()),
            c.info().map(drop),
            c.count(None).map(drop),
            c.search(&SearchRequest::new([1.0])).map(drop),
            c.search_batch(&[]).map(drop),
        ];
        for (at, outcome) in outcomes.into_iter().enumerate() {
            assert!(
                matches!(&outcome, Err(Error::CollectionNotFound { name: told }) if told == name),
                "call {at}: {outcome:?}"
            );
        }
    }
}

#[test]
fn an_alias_cannot_stand_for_an_alias() {
    let (db, _c) = collection(1, Distance::Dot);
    db.create_alias("a", "c").unwrap();
    let refused = db.create_alias("b", "a").unwrap_err();
    assert!(matches!(refused, Error::InvalidRequest(_)) && refused.to_string().contains("\"a\" is an alias"));
    let both = [
        AliasChange::Delete { alias: "a".into() },
        AliasChange::Create {
            alias: "b".into(),
            collection: "a".into(),
        },
    ];
    assert!(matches!(
        db.update_aliases(&both),
        Err(Error::CollectionNotFound { .. })
    ));
    assert_eq!(db.aliases(), [("a".to_owned(), "c".to_owned())]);
}
