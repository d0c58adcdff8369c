use vdb_storage::PointId;

use super::draw;
use crate::collection::Collection;
use crate::compose::kind::Query;
use crate::compose::request::{Prefetch, QueryRequest};
use crate::config::{CollectionConfig, Distance, VectorParams};
use crate::db::Database;
use crate::error::Error;
use crate::point::Point;

fn ten_points() -> Collection {
    let db = Database::builder().background(false).open_in_memory().unwrap();
    let config = CollectionConfig::new(VectorParams::new(1, Distance::Dot));
    let c = db.create_collection("c", config).unwrap();
    c.upsert((0..10u64).map(|id| Point::new(id, [1.0])).collect())
        .unwrap();
    c
}

fn sample(seed: Option<u64>) -> QueryRequest {
    QueryRequest::new(Query::Sample { seed })
}

#[test]
fn a_sample_with_a_seed_has_pages() {
    let c = ten_points();
    let ids = |request: &QueryRequest| -> Vec<PointId> {
        let found = c.query(request).unwrap();
        found.iter().map(|hit| hit.id).collect()
    };
    let prefetched = sample(Some(7)).prefetch(Prefetch::new(None).limit(10));
    for request in [sample(Some(7)), prefetched] {
        let all = ids(&request.clone().limit(10));
        assert_eq!(all.len(), 10);
        for offset in [0, 3, 6, 9, 10, 12] {
            let page = ids(&request.clone().limit(3).offset(offset));
            assert_eq!(page, all[offset.min(10)..(offset + 3).min(10)], "offset {offset}");
        }
    }
}

#[test]
fn a_sample_without_a_seed_has_no_pages() {
    let c = ten_points();
    assert_eq!(c.query(&sample(None).limit(4)).unwrap().len(), 4);
    match c.query(&sample(None).limit(4).offset(1)) {
        Err(Error::InvalidRequest(what)) => assert!(what.contains("seed"), "{what}"),
        other => panic!("{other:?}"),
    }
    // Of what prefetches found some can be passed over.
    let prefetched = sample(None).prefetch(Prefetch::new(None).limit(10));
    assert_eq!(c.query(&prefetched.limit(4).offset(8)).unwrap().len(), 2);
}

#[test]
fn every_point_is_drawn_about_as_often() {
    const POINTS: u64 = 40;
    const SEEDS: u64 = 4_000;
    let mut drawn = [0u32; POINTS as usize];
    for seed in 0..SEEDS {
        let first = (0..POINTS).min_by_key(|&id| draw(seed, PointId::Num(id)));
        drawn[first.unwrap() as usize] += 1;
    }
    // About 100 each; six standard deviations of that are 60.
    assert!(drawn.iter().all(|count| (40..160).contains(count)), "{drawn:?}");
}

#[test]
fn numbers_and_uuids_are_different_points() {
    let uuid = uuid::Uuid::from_u64_pair(0, 7);
    assert_ne!(draw(1, PointId::Num(7)), draw(1, PointId::Uuid(uuid)));
    assert_ne!(draw(1, PointId::Num(7)), draw(2, PointId::Num(7)));
}
